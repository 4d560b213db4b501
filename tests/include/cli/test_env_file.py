"""The file of variables is taken whole or refused; what is exported wins."""

from __future__ import annotations

import os

import pytest

from feedback.errors import SettingError
from include.cli.env_file import read_env_file


@pytest.fixture
def environ(monkeypatch):
    """The environment, put back afterwards."""
    for name in ("FEEDBACK_LLM_PACK", "FEEDBACK_TIMEZONE"):
        monkeypatch.setenv(name, "of the test")
        monkeypatch.delenv(name)
    return os.environ


def test_what_is_exported_wins(environ, tmp_path):
    environ["FEEDBACK_TIMEZONE"] = "UTC"
    (tmp_path / ".env").write_text("# mine\nFEEDBACK_LLM_PACK='7'\nexport FEEDBACK_TIMEZONE=Europe/Berlin\n")

    read_env_file(tmp_path / ".env")

    assert (environ["FEEDBACK_LLM_PACK"], environ["FEEDBACK_TIMEZONE"]) == ("7", "UTC")


@pytest.mark.parametrize("line", ["this is no line", "FEEDBACK_TIMEZONE='UTC", "=UTC", "FEEDBACK TIMEZONE=UTC"])
def test_a_broken_line_is_named_and_nothing_is_set(line, environ, tmp_path):
    (tmp_path / ".env").write_text(f"FEEDBACK_LLM_PACK=7\n{line}\n")

    with pytest.raises(SettingError, match=r"\.env, line 2: "):
        read_env_file(tmp_path / ".env")

    assert "FEEDBACK_LLM_PACK" not in environ


def test_another_encoding_is_refused(tmp_path):
    (tmp_path / ".env").write_bytes("FEEDBACK_SLACK_DOMAIN=münchen".encode("latin-1"))

    with pytest.raises(SettingError, match=r"\.env is not UTF-8"):
        read_env_file(tmp_path / ".env")
