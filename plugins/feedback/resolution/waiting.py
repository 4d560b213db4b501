"""The questions about names that wait, new or to be judged again, without asking them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from feedback.llm.enrichment import Enrichment
from feedback.llm.pack import Row
from feedback.llm.results import Results
from feedback.model import utc_now
from feedback.resolution import judging, settled
from feedback.resolution.adjudicate import Adjudicator
from feedback.resolution.naming import Naming
from feedback.warehouse.base import Warehouse


def open_names(warehouse: Warehouse, kinds: Iterable[str]) -> int:
    """Return how many names of these kinds were met and stand for nothing yet."""
    return len(settled.new_names(warehouse, kinds))


def open_questions(naming: Naming, match: Enrichment, is_real: bool) -> list[Row]:
    """Return what the next run would ask about names, new ones and those to be judged again.

    Answers may bring further questions.

    :param is_real: whether a real model would be asked, which alone judges again.
    """
    rows: dict[str, Row] = {}

    def noted(asked: Sequence[Row]) -> Results:
        rows.update({row.key: row for row in asked})
        return Results()

    is_judging = is_real and judging.is_requested(naming.warehouse)
    prompt_version = match.prompt_version if is_judging else None
    naming.proposal(lambda kind, shown: Adjudicator(match, noted, kind, shown), "", utc_now(), prompt_version)
    return list(rows.values())
