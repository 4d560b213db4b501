"""What a variable may say: each kind of value is refused in one line, also where a library would crash on it."""

from __future__ import annotations

import pytest

from feedback.errors import SettingError
from include import settings

UNUSABLE = {
    "FEEDBACK_HOME": "~nobody-of-that-name/var",
    "FEEDBACK_AS_OF": "0001-01-01T00:00:00+14:00",
    "FEEDBACK_DIGEST_CRON": "99 99 * * *",
    "FEEDBACK_WAREHOUSE_ASSET": "=snowflake://acct",
    "FEEDBACK_PHONE_REGION": "UK",
    "FEEDBACK_RETRY_SECONDS": "9" * 30,
    "FEEDBACK_LLM_PACK": "9" * 5000,
    "FEEDBACK_LLM_RPM": "²",
    "FEEDBACK_TIMEZONE": "/etc/passwd",
    "FEEDBACK_LLM_MODE": "x" * 100_000,
}


@pytest.mark.parametrize("variable", UNUSABLE)
def test_what_a_library_would_crash_on_is_one_short_line(variable):
    with pytest.raises(SettingError, match=f"^{variable}=") as refused:
        settings.load({variable: UNUSABLE[variable]})

    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 200


def test_a_path_starts_at_the_repository_where_it_is_not_absolute():
    assert settings.load({"FEEDBACK_SLACK_EXPORT": "mine/export.zip"}).slack_export == settings.ROOT / "mine/export.zip"


def test_a_region_and_a_calendar_that_exist_are_taken():
    read = settings.load({"FEEDBACK_PHONE_REGION": "GB", "FEEDBACK_DIGEST_CRON": "30 6 * * 1-5"})

    assert (read.phone_region, read.digest_cron) == ("GB", "30 6 * * 1-5")
