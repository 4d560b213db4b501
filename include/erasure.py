"""What an erasure and the retention period are given: the questions whose answers go, and where files lie."""

from __future__ import annotations

from typing import Any

from feedback.erasure.files import Places
from include import settings
from include.enrichments import ENRICHMENTS
from include.llm import journal
from include.settings import Settings


def places(chosen: Settings) -> Places:
    """Return where files with customers' words lie."""
    home = chosen.data_home
    is_file = chosen.engine == "duckdb"
    return Places(
        report=home / "report",
        digests=home / "digest",
        warehouse=chosen.warehouse_path if is_file else None,
        copies=home / "backups",
        journal=journal(chosen),
    )


_SETTINGS = settings.load()
RETENTION: dict[str, Any] = {
    # The sample's words are nobody's.
    "days": None if _SETTINGS.is_sample else _SETTINGS.retention_days,
    "enrichments": ENRICHMENTS,
    "places": places(_SETTINGS),
    "as_of": _SETTINGS.as_of,
}
