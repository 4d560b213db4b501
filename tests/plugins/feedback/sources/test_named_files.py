"""A variable names a file or a folder; what of it cannot be read is told, never passed over."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from feedback.errors import InputRefused
from feedback.model import Gap
from feedback.sources import archive
from feedback.sources.named_files import named_files

ROOT = Path(__file__).resolve().parents[4]
READ = """
import sys; from pathlib import Path; from feedback.sources.named_files import named_files
for one in named_files("s", Path(sys.argv[1]), ".csv", "VARIABLE"): print(getattr(one, "reason", "read"))
"""


def read(path):
    return list(named_files("csv", path, ".csv", "FEEDBACK_GOOGLE_PLAY_CSV"))


def read_without_privileges(path):
    """Read as somebody whom the permissions of files bind, which root is not."""
    bound = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []
    return subprocess.run(
        [*bound, sys.executable, "-c", READ, path],
        env=os.environ | {"PYTHONPATH": str(ROOT / "plugins")},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_a_folder_gives_its_files_by_name_and_follows_links(tmp_path):
    (tmp_path / "elsewhere.csv").write_text("linked")
    folder = tmp_path / "folder"
    (folder / "2026").mkdir(parents=True)
    (folder / "2026/b.CSV").write_text("b")
    (folder / "a.csv").symlink_to(tmp_path / "elsewhere.csv")
    (folder / ".hidden.csv").write_text("")
    (folder / "readme.txt").write_text("")

    assert [(one.part.name, one.content) for one in read(folder)] == [("2026/b.CSV", b"b"), ("a.csv", b"linked")]


@pytest.mark.parametrize("path", ["nowhere", "."])
def test_nothing_there_names_the_variable(path, tmp_path):
    with pytest.raises(InputRefused, match="FEEDBACK_GOOGLE_PLAY_CSV"):
        read(tmp_path / path)


def test_a_file_larger_than_any_honest_one_is_a_gap(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "LARGEST_FILE", 3)
    (tmp_path / "a.csv").write_text("long")
    (tmp_path / "b.csv").write_text("ok")

    large, small = read(tmp_path)

    assert isinstance(large, Gap)
    assert (large.part, large.reason) == ("a.csv", "too_large")
    assert small.content == b"ok"


def test_a_file_that_we_may_not_read_is_a_gap_and_the_others_are_read(tmp_path):
    (tmp_path / "a.csv").touch(0o000)
    (tmp_path / "b.csv").touch()

    assert read_without_privileges(tmp_path).stdout.split() == ["no_access", "read"]


def test_a_folder_that_we_may_not_look_into_is_not_taken_for_an_empty_one(tmp_path):
    (tmp_path / "closed").mkdir(0o000)
    (tmp_path / "b.csv").touch()

    assert "PermissionError" in read_without_privileges(tmp_path).stderr
