"""The rows of the ledger's tables, made and written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from feedback.llm.prices import Model, Usage
from feedback.model import Run, utc_now
from feedback.warehouse.base import Warehouse
from feedback.warehouse.merge import Writing, write_together

Row = dict[str, Any]


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


def kept(answers: Sequence[Sequence[str]], call: Mapping[str, Any]) -> dict[str, Row]:
    """Return rows of ``ops.llm_answers`` by their key: of each key, question, JSON and model; the rest is shared."""
    names = ("answer_key", "enrichment", "answer", "model")
    return {one[0]: {**dict(zip(names, one, strict=True)), **call} for one in answers}


def write(warehouse: Warehouse, calls: Sequence[Row], answers: Sequence[Row], new: Sequence[Row] = ()) -> None:
    """Write rows of both tables at once; those that are there give way.

    :param new: answers of which none is there, so that nobody has to look through all there are.
    """
    write_together(
        warehouse,
        [
            Writing("ops.llm_answers", answers, ("answer_key",)),
            Writing("ops.llm_answers", new),
            Writing("ops.llm_calls", calls, ("call_id",)),
        ],
    )
