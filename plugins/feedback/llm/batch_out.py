"""Which batches are out, and which questions are in them: what everybody has to know before asking or counting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from feedback.llm.pack import Row
from feedback.llm.results import Question, Results
from feedback.model import utc_now
from feedback.warehouse.base import Warehouse


@dataclass(frozen=True)
class Batch:
    """One row of ``ops.llm_batches``, as far as it matters while the batch is out."""

    intent_id: str
    run_id: str
    base_url: str
    model: str
    status: str
    file_id: str | None
    batch_id: str | None
    request_count: int
    created_at: datetime

    @property
    def age(self) -> timedelta:
        return utc_now() - self.created_at

    @property
    def file_name(self) -> str:
        """Under which name its requests are handed over."""
        return f"feedback-{self.intent_id}.jsonl"


def are_out(warehouse: Warehouse) -> bool:
    """Say whether any batch is."""
    return bool(warehouse.rows("select 1 as one from ops.llm_batches where ended_at is null limit 1"))


def batches_out(warehouse: Warehouse) -> list[Batch]:
    """Return the batches that may still bring something, the oldest first."""
    found = warehouse.rows(
        "select intent_id, run_id, base_url, model, status, file_id, batch_id, request_count, created_at"
        " from ops.llm_batches where ended_at is null order by created_at, intent_id"
    )
    return [Batch(**row) for row in found]


def questions_out(warehouse: Warehouse) -> set[Question]:
    """Return the questions in these batches: nobody else may ask them."""
    found = warehouse.rows(
        "select sent.content_hash, sent.enrichments from ops.llm_batch_rows as sent"
        " join ops.llm_batches as batches on batches.intent_id = sent.intent_id where batches.ended_at is null"
    )
    return {(row["content_hash"], name) for row in found for name in named(row)}


def not_out(warehouse: Warehouse, rows: Sequence[Row]) -> list[Row]:
    """Return the rows with those questions that are in no batch."""
    return Results(rejected=dict.fromkeys(questions_out(warehouse), "batch")).open_rows(rows)


def named(row: Mapping[str, Any]) -> list[str]:
    """Return the questions that a row of ``ops.llm_batch_rows`` names."""
    return str(row["enrichments"]).split(",")
