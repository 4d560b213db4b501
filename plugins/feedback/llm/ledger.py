"""The ledger: every paid answer and every call, so that nothing is paid twice and every cent is explained.

Answers are kept one by one, whatever was asked beside them, and never cross model families. They are in a
journal on this machine at once, and in the warehouse in batches: a commit for each request would cost more than
the request.
"""

from __future__ import annotations

import json
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic_core import PydanticSerializationError, to_json

from feedback.llm.budget import Spent
from feedback.llm.enrichment import Answer, Enrichment
from feedback.llm.journal import Journal
from feedback.llm.ledger_rows import Kept, Row, intended, kept, writings
from feedback.llm.pack import Pack
from feedback.llm.prices import Model, Usage
from feedback.model import Run, digest, utc_now
from feedback.warehouse.base import Warehouse
from feedback.warehouse.merge import Writing, write_together

if TYPE_CHECKING:
    import pyarrow as pa

FLUSH_ANSWERS = 16_000
"""More than come together before staging is written, and they with it."""

FLUSH_S = 15.0
"""What is paid again at most after the loss of a host, beside what was in flight; a kill or Ctrl-C loses less."""

LOOKED_FOR = 2
"""So many lookings ahead are remembered: one whose shards are asked, one whose last shard still is."""

Write = Callable[[Sequence[Writing]], None]
"""Writes rows in one transaction, with others or without."""


def _as_json(answer: Answer) -> str:
    try:
        return to_json(answer).decode()
    except PydanticSerializationError:  # half a surrogate pair is no Unicode
        return json.dumps(answer, ensure_ascii=False).encode("utf-8", "replace").decode()


def answer_key(row_key: str, enrichment: Enrichment, model: Model) -> str:
    """Return the identity of a question: the masked text and rating, what is asked how, and of which family."""
    return digest(row_key, enrichment.identity, model.family)


@dataclass(frozen=True)
class Known:
    """An answer that was paid before."""

    answer: Answer
    model: str
    call_id: str


class Paid(NamedTuple):
    """An answer that was paid now.

    :param key: see ``answer_key``.
    """

    key: str
    enrichment: str
    answer: Answer
    model: str


class Ledger:
    """What one task of one run pays and gets.

    :param journal: folder where it is on disk before it is in the warehouse; without one a kill loses what was
        not flushed.
    :param purpose: of its calls, where a call has none of its own: enrich, resolve or golden.
    """

    def __init__(self, warehouse: Warehouse, run: Run, mode: str, journal: Path | None = None, purpose: str = "enrich"):
        self.warehouse, self.run, self.mode, self.purpose = warehouse, run, mode, purpose
        self.calls_for: Counter[str] = Counter()
        self.usage = Usage()
        self.cost_usd = 0.0
        self._journal = Journal(journal) if journal else None
        self._open: dict[str, Row] = {}
        self._calls: dict[str, Row] = {}
        self._answers: dict[str, Kept] = {}
        self._missing: deque[set[str]] = deque(maxlen=LOOKED_FOR)
        """Keys that ``look_ahead`` did not find and that were not written since: one task asks at a time."""
        self._flushed_at = time.monotonic()

    @property
    def calls(self) -> int:
        """How many calls were made, whatever for."""
        return self.calls_for.total()

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
        wanted = [key for key in keys if not self._is_missing(key)]
        found = self._look_for("known.answer_key, known.answer, known.model, known.call_id", wanted)
        return {
            row["answer_key"]: Known(json.loads(row["answer"]), row["model"], row["call_id"])
            for row in found.to_pylist()
        }

    def look_ahead(self, keys: Iterable[str]) -> None:
        """Look for many answers at once that ``known`` will be asked for: each looking goes through all there are."""
        wanted = list(keys)
        missing = set(wanted)
        missing.difference_update(self._look_for("known.answer_key", wanted).column("answer_key").to_pylist())
        self._missing.append(missing)

    def _look_for(self, columns: str, keys: Sequence[str]) -> pa.Table:
        import pyarrow as pa

        wanted = pa.table({"answer_key": pa.array(keys, pa.string())})
        if not keys or not self.warehouse.rows("select 1 as one from ops.llm_answers limit 1"):
            return wanted.slice(0, 0)
        return self.warehouse.arrow(
            f"select {columns} from ops.llm_answers as known"
            " join incoming.wanted as wanted on wanted.answer_key = known.answer_key",
            incoming={"wanted": wanted},
        )

    def _is_missing(self, key: str) -> bool:
        return any(key in missing for missing in self._missing)

    def intend(
        self,
        call_id: str,
        model: Model,
        versions: Mapping[str, str],
        rows: int,
        attempt: int,
        held: float,
        purpose: str | None = None,
    ) -> None:
        """Note a call that is about to be made."""
        purpose = purpose or self.purpose
        self.calls_for[purpose] += 1
        self._open[call_id] = intended(
            self.run, purpose, self.mode, call_id, model, versions, rows, attempt=attempt, held=held
        )
        self._note(call=self._open[call_id])

    def settle(self, call_id: str, status: str, cost_usd: float, usage: Usage | None, http_status: int | None) -> None:
        """Note how a call ended: settled (answered), failed (refused, nothing paid) or lost (nobody knows)."""
        usage = usage or Usage()
        self.cost_usd += cost_usd
        self.usage += usage
        self._calls[call_id] = {
            **self._open.pop(call_id),
            "status": status,
            "cost_usd": cost_usd,
            "http_status": http_status,
            "finished_at": utc_now(),
            **vars(usage),
        }
        self._note(call=self._calls[call_id])

    def keep(self, answers: Sequence[Paid], co_asked: str, call_id: str) -> None:
        """Keep the paid answers of a call."""
        call = {"co_asked": co_asked, "call_id": call_id, "answered_at": utc_now()}
        rows = [(paid.key, paid.enrichment, _as_json(paid.answer), paid.model) for paid in answers]
        self._answers |= kept(rows, call)
        self._note(answers=rows, **call)

    def keep_pack(self, pack: Pack, answers: Mapping[tuple[str, str], Answer], call_id: str) -> None:
        """Keep the paid answers to a pack, by row key and question."""
        asked = {enrichment.name: enrichment for enrichment in pack.questions.enrichments}
        paid = [
            Paid(answer_key(key, asked[name], pack.model), name, answer, pack.model.name)
            for (key, name), answer in answers.items()
        ]
        if paid:
            self.keep(paid, f"{'+'.join(pack.questions.names)} x{len(pack.rows)}", call_id)

    @property
    def is_due(self) -> bool:
        """Whether enough has come together to be written."""
        waiting = len(self._answers) + len(self._calls)
        return waiting >= FLUSH_ANSWERS or (waiting > 0 and time.monotonic() - self._flushed_at >= FLUSH_S)

    def sync(self) -> None:
        """Bring what was noted to this machine's disk. Safe to call from a thread while the others go on."""
        if self._journal:
            self._journal.sync()

    def flush(self, write: Write | None = None) -> None:
        """Write what has come together. Safe to call from a thread while the others go on.

        :param write: writes it beside rows of its own.
        """
        drop = self._journal.turn() if self._journal else None
        answers, calls, intents = dict(self._answers), dict(self._calls), dict(self._open)
        new = set(filter(self._is_missing, answers))
        try:
            ours = writings(
                [*intents.values(), *calls.values()],
                [row for key, row in answers.items() if key not in new],
                [row for key, row in answers.items() if key in new],
            )
            if write:
                write(ours)
            else:
                write_together(self.warehouse, ours)
        except BaseException:
            self._missing.clear()  # nobody knows whether it was written: the next flush replaces what is there
            raise
        for key in answers:
            self._answers.pop(key, None)
        for missing in self._missing:
            missing.difference_update(new)
        for call_id in calls:
            self._calls.pop(call_id, None)
        self._flushed_at = time.monotonic()
        if drop:
            drop()

    def close(self) -> None:
        """Write the rest; a call still open was cut off and counts as held."""
        for call_id in list(self._open):
            self.settle(call_id, "lost", self._open[call_id]["reserved_usd"], None, None)
        self.flush()
        if self._journal:
            self._journal.close()

    def _note(self, **said: Any) -> None:
        if self._journal:
            self._journal.write(said)
