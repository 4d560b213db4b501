"""The rows of the ledger's tables, made and written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from feedback.llm.prices import Model, Usage
from feedback.model import Run, utc_now
from feedback.warehouse.merge import Writing

Row = dict[str, Any]


class Kept(NamedTuple):
    """A row of ``ops.llm_answers``; ``answer`` as JSON."""

    answer_key: str
    enrichment: str
    answer: str
    model: str
    co_asked: str
    call_id: str
    answered_at: datetime


def intended(
    run: Run,
    purpose: str,
    mode: str,
    call_id: str,
    model: Model,
    versions: Mapping[str, str],
    rows: int,
    *,
    attempt: int,
    held: float,
) -> dict[str, Any]:
    """Return the row of ``ops.llm_calls`` of a call that is about to be made."""
    return {
        **vars(run),
        **vars(Usage()),
        "call_id": call_id,
        "purpose": purpose,
        "attempt": attempt,
        "model": model.name,
        "mode": mode,
        "prompt_versions": dict(versions),
        "row_count": rows,
        "status": "intent",
        "reserved_usd": held,
        "cost_usd": held,
        "started_at": utc_now(),
    }


def kept(answers: Iterable[Sequence[Any]], call: Mapping[str, Any]) -> dict[str, Kept]:
    """Return answers by their key: of each its key, question, JSON and model are told, and what the call shares."""
    return {one[0]: Kept(*one, **call) for one in answers}


def writings(calls: Sequence[Row], answers: Sequence[Kept], new: Sequence[Kept] = ()) -> list[Writing]:
    """Return what writes rows of both tables, each with a key of its own; those that are there give way.

    :param new: answers of which none is there, so that nobody has to look through all there are.
    """
    return [
        Writing("ops.llm_answers", answers, ("answer_key",)),
        Writing("ops.llm_answers", new),
        Writing("ops.llm_calls", calls, ("call_id",)),
    ]
