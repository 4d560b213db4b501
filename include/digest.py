"""What the digest and the report are given: the teams, the folders, what is taken as now."""

from __future__ import annotations

from typing import Any

from include import settings
from include.golden import agreement
from include.known_sources import HOSTS
from include.teams import TEAMS

_SETTINGS = settings.load()
_NOW: dict[str, Any] = {"as_of": _SETTINGS.as_of, "uses_clock": _SETTINGS.reads_api}
DIGEST_FOLDER = _SETTINGS.data_home / "digest"
REPORT_FOLDER = _SETTINGS.data_home / "report"

DIGEST: dict[str, Any] = {
    "teams": TEAMS,
    "folder": DIGEST_FOLDER,
    "timezone": _SETTINGS.timezone,
    "hosts": HOSTS,
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
