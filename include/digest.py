"""What the digest and the report are given: the teams, the folders, what is taken as now."""

from __future__ import annotations

from typing import Any

from include import settings
from include.alerts import slack
from include.golden import agreement
from include.known_sources import HOSTS
from include.settings import Settings
from include.teams import TEAMS


def channels(chosen: Settings) -> dict[str, str]:
    """Return by team the channel of Slack where its digest goes; a team without one reads the file."""
    return {team.name: channel for team in TEAMS if (channel := team.channel or chosen.digest_channel)}


_SETTINGS = settings.load()
_NOW: dict[str, Any] = {"as_of": _SETTINGS.as_of, "uses_clock": _SETTINGS.reads_api}
DIGEST_FOLDER = _SETTINGS.data_home / "digest"
REPORT_FOLDER = _SETTINGS.data_home / "report"

DIGEST: dict[str, Any] = {
    "teams": TEAMS,
    "folder": DIGEST_FOLDER,
    "timezone": _SETTINGS.timezone,
    "hosts": HOSTS,
    "channels": channels(_SETTINGS),
    "client": slack(_SETTINGS),
    **_NOW,
}
REPORT: dict[str, Any] = {
    "folder": REPORT_FOLDER,
    "digest_folder": DIGEST_FOLDER,
    "is_sample": _SETTINGS.is_sample,
    "budget_usd": _SETTINGS.llm_budget_usd,
    "budget_usd_day": _SETTINGS.llm_budget_usd_day,
    "agreement": agreement,
    "hosts": HOSTS,
    **_NOW,
}
