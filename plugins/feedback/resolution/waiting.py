"""The questions about names that wait, without asking them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from feedback.llm.enrichment import Enrichment
from feedback.llm.pack import Row
from feedback.llm.results import Results
from feedback.model import utc_now
from feedback.resolution import settled
from feedback.resolution.adjudicate import Adjudicator
from feedback.resolution.naming import Naming
from feedback.warehouse.base import Warehouse


def open_names(warehouse: Warehouse, kinds: Iterable[str]) -> int:
    """Return how many names of these kinds were met and stand for nothing yet."""
    return len(settled.new_names(warehouse, kinds))


def open_questions(naming: Naming, match: Enrichment) -> list[Row]:
    """Return what the next run would ask about the names that are new; answers may bring further questions."""
    rows: dict[str, Row] = {}

    def noted(asked: Sequence[Row]) -> Results:
        rows.update({row.key: row for row in asked})
        return Results()

    naming.proposal(lambda kind, shown: Adjudicator(match, noted, kind, shown), "", utc_now())
    return list(rows.values())
