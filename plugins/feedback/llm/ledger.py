"""The ledger: every paid answer and every call, so that nothing is paid twice and every cent is explained.

Answers are kept one by one, whatever was asked beside them, and never cross model families. They are
written in batches, because a commit for each request would cost more than the request.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from feedback.llm.budget import Spent
from feedback.llm.enrichment import Answer, Enrichment
from feedback.llm.prices import Model, Usage
from feedback.model import Run, digest, utc_now
from feedback.warehouse.base import Warehouse
from feedback.warehouse.merge import upsert

FLUSH_ANSWERS = 8_000
"""About 2,000 rows with four questions each."""

FLUSH_S = 5.0
"""What is paid again at most after a kill, beside what was in flight; Ctrl-C loses nothing."""

LOOKUP_KEYS = 2_000
"""How many keys one query asks for."""


def answer_key(row_key: str, enrichment: Enrichment, model: Model) -> str:
    """Return the identity of a question: the masked text and rating, what is asked how, and of which family."""
    return digest(row_key, enrichment.identity, model.family)


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


@dataclass(frozen=True)
class Known:
    """An answer that was paid before."""

    answer: Answer
    model: str
    call_id: str


class Ledger:
    """What one task of one run pays and gets."""

    def __init__(self, warehouse: Warehouse, run: Run, mode: str, purpose: str = "enrich"):
        self.warehouse, self.run, self.mode, self.purpose = warehouse, run, mode, purpose
        self.calls = 0
        self.usage = Usage()
        self.cost_usd = 0.0
        self._open: dict[str, dict[str, Any]] = {}
        self._calls: dict[str, dict[str, Any]] = {}
        self._answers: dict[str, dict[str, Any]] = {}
        self._flushed_at = time.monotonic()

    def spent(self) -> Spent:
        """Return what this Dag run and this UTC day have cost so far; a call that never ended counts as held."""
        cost = (
            "select coalesce(sum(case when status = 'intent' then reserved_usd else cost_usd end), 0) as usd"
            " from ops.llm_calls"
        )
        midnight = utc_now().replace(hour=0, minute=0, second=0, microsecond=0)
        run = self.warehouse.rows(f"{cost} where dag_id = ? and run_id = ?", (self.run.dag_id, self.run.run_id))
        day = self.warehouse.rows(f"{cost} where started_at >= ?", (midnight,))
        return Spent(run_usd=float(run[0]["usd"]), day_usd=float(day[0]["usd"]))

    def known(self, keys: Sequence[str]) -> dict[str, Known]:
        """Return the answers that were paid before."""
        if not keys or not self.warehouse.rows("select 1 as one from ops.llm_answers limit 1"):
            return {}
        found: dict[str, Known] = {}
        for start in range(0, len(keys), LOOKUP_KEYS):
            some = keys[start : start + LOOKUP_KEYS]
            marks = ", ".join("?" * len(some))
            for row in self.warehouse.rows(
                f"select answer_key, answer, model, call_id from ops.llm_answers where answer_key in ({marks})", some
            ):
                found[row["answer_key"]] = Known(json.loads(row["answer"]), row["model"], row["call_id"])
        return found

    def intend(
        self, call_id: str, model: Model, versions: Mapping[str, str], rows: int, attempt: int, held: float
    ) -> None:
        """Note a call that is about to be made."""
        self.calls += 1
        self._open[call_id] = intended(
            self.run, self.purpose, self.mode, call_id, model, versions, rows, attempt=attempt, held=held
        )

    def settle(self, call_id: str, status: str, cost_usd: float, usage: Usage | None, http_status: int | None) -> None:
        """Note how a call ended: settled (answered), failed (refused, nothing paid) or lost (nobody knows)."""
        usage = usage or Usage()
        self.cost_usd += cost_usd
        self.usage = Usage(**{name: value + getattr(usage, name) for name, value in vars(self.usage).items()})
        self._calls[call_id] = {
            **self._open.pop(call_id),
            "status": status,
            "cost_usd": cost_usd,
            "http_status": http_status,
            "finished_at": utc_now(),
            **vars(usage),
        }

    def keep(self, key: str, enrichment: str, answer: Answer, model: Model, co_asked: str, call_id: str) -> None:
        """Keep a paid answer."""
        self._answers[key] = {
            "answer_key": key,
            "enrichment": enrichment,
            "answer": answer,
            "model": model.name,
            "co_asked": co_asked,
            "call_id": call_id,
            "answered_at": utc_now(),
        }

    @property
    def is_due(self) -> bool:
        """Whether enough has come together to be written."""
        waiting = len(self._answers) + len(self._calls)
        return waiting >= FLUSH_ANSWERS or (waiting > 0 and time.monotonic() - self._flushed_at >= FLUSH_S)

    def flush(self) -> None:
        """Write what has come together. Safe to call from a thread while the others go on."""
        answers, calls, intents = dict(self._answers), dict(self._calls), dict(self._open)
        upsert(self.warehouse, "ops.llm_answers", list(answers.values()), ["answer_key"])
        upsert(self.warehouse, "ops.llm_calls", [*intents.values(), *calls.values()], ["call_id"])
        for key in answers:
            self._answers.pop(key, None)
        for call_id in calls:
            self._calls.pop(call_id, None)
        self._flushed_at = time.monotonic()

    def close(self) -> None:
        """Write the rest; a call still open was cut off and counts as held."""
        for call_id in list(self._open):
            self.settle(call_id, "lost", self._open[call_id]["reserved_usd"], None, None)
        self.flush()
