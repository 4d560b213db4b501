"""Brings the right answers that people gave into the warehouse."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from feedback.errors import InputRefused
from feedback.model import Counts, Run, utc_now
from feedback.operators.feedback_operator import FeedbackOperator
from feedback.warehouse.merge import upsert

if TYPE_CHECKING:
    from airflow.sdk import Context

KEY = ("item_id", "enrichment")


class GoldenOperator(FeedbackOperator):
    """Hold ``ops.golden`` equal to a file where the file speaks; what people added elsewhere stays.

    :param file: JSON lines: ``item_id``, ``author``, and a right answer under each enrichment's name; none, and
        there is nothing to do.
    :param enrichments: names of the enrichments a line may answer.
    """

    def __init__(self, *, file: Path | None, enrichments: tuple[str, ...], **kwargs: Any):
        super().__init__(**kwargs)
        self.file = file
        self.enrichments = enrichments

    def work(self, run: Run, context: Context) -> Counts:
        known = {
            (row["item_id"], row["enrichment"]): json.loads(row["answer"])
            for row in self.warehouse.rows("select item_id, enrichment, answer from ops.golden")
        }
        moved = [row for row in self._rows() if known.get((row["item_id"], row["enrichment"])) != row["answer"]]
        if moved:
            texts = [row | {"answer": json.dumps(row["answer"], ensure_ascii=False)} for row in moved]
            upsert(self.warehouse, "ops.golden", texts, KEY)
        return Counts({"changed": len(moved)})

    def _rows(self) -> list[dict[str, Any]]:
        now = utc_now()
        rows = []
        lines = self.file.read_text(encoding="utf-8").splitlines() if self.file else []
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                golden = json.loads(line)
                shared = {"item_id": golden["item_id"], "author": golden["author"], "added_at": now}
            except (ValueError, TypeError, KeyError):
                raise InputRefused(
                    f"{self.file}:{number} is no golden answer: see include/sample/golden.jsonl"
                ) from None
            rows += [
                shared | {"enrichment": name, "answer": golden[name]} for name in self.enrichments if name in golden
            ]
        return rows
