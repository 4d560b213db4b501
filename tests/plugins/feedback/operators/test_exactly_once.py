"""Exactly once, whatever happens: edits, faults of the service, tasks that die and are run again, old runs cleared.

Rules are held by the warehouse alone, as they stand; Great Expectations, which only counts them, would take minutes.
"""

import contextlib
import json
import shutil
from collections import Counter
from datetime import datetime
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from feedback.errors import WarehouseError
from feedback.llm.asking import Asking
from feedback.llm.ledger import answer_key
from feedback.llm.owed import query
from feedback.llm.pack import Row
from feedback.llm.prices import Model
from feedback.model import Run, content_hash, utc_now
from feedback.operators.enrich_operator import EnrichOperator
from feedback.validation.checks import row_checks, run_measures
from feedback.validation.publication import publish
from feedback.warehouse.merge import append, stage
from include.enrichments import ENRICHMENTS
from include.expectations import ANSWER_SUBJECTS
from include.expectations.items import ITEMS_SUBJECT
from include.llm import PRICES
from tests.plugins.feedback.fragile import Fragile
from tests.plugins.feedback.llm import stand_in as service
from tests.plugins.feedback.llm.stand_in import StandIn

ROOT = Path(__file__).resolve().parents[4]
LONG_AGO = datetime(2026, 1, 1)
ASKED = [enrichment for enrichment in ENRICHMENTS if enrichment.name in ("sentiment", "mentions")]
TEXTS = ["Wickerbee is slow. Really.", "Honeyflow crashes. Always.", "Combsync is great.", "POISON is here.", ""]
FAULTS = {
    "broken off": service.content(lambda said: said[: len(said) // 2]),
    "prose": service.content(lambda said: f"Sure! {said} Anything else?"),
    "another label": service.answers(lambda said: said.get("sentiment", {}).update(label="weather")),
    "another quote": service.answers(lambda said: said.get("sentiment", {}).update(quote="never said")),
    "refusal": service.refusal,
    "no more": service.status(429, "rate_limit", retry_after="10000"),
}
LINEAGE = ("run_id", "call_id", "answered_at", "decided_by")


class World:
    """Items that people edit, and runs that ask about them."""

    def __init__(self, path, stand_in, stack):
        self.warehouse, self.stand_in = Fragile(path, stack), stand_in
        self.numbers, self.texts = count(1), {}
        self.unfinished, self.staged, self.finished = [], [], []

    def edit(self, texts):
        """Publish items with new texts by their number, as extract_feedback does."""
        run = self._run("extract_feedback")
        items = [self._item(number, text, run) for number, text in texts.items()]
        stage(self.warehouse, "items", items, run)
        self._publish(ITEMS_SUBJECT, run)
        self.texts |= {item["item_id"]: item["text"] for item in items}

    def _item(self, number, text, run):
        return {
            "item_id": f"itunes:1:{number}",
            "source": "itunes",
            "source_key": f"1:{number}",
            "channel_or_app": "1",
            "text": text,
            "visibility": "public",
            "posted_at": LONG_AGO,
            "last_activity_at": LONG_AGO,
            "message_count": 1,
            "author_count": 1,
            "has_reply_by_team": False,
            "content_hash": content_hash(text, None),
            "is_askable": bool(text),
            "unasked_reason": None if text else "no_words",
            "first_run_id": run.run_id,
            "updated_at": utc_now(),
            "has_personal_data": False,
        }

    def enrich(self, dies_after=None, again=True):
        """Run the Dag; where it dies it is retried, or left for later."""
        run = self._run("enrich_feedback")
        self.warehouse.left = dies_after
        try:
            self._tasks(run)
        except WarehouseError:
            self.warehouse.left = None
            if again:
                self._tasks(run)
            else:
                self.unfinished.append(run)
                return
        self.warehouse.left = None
        self.finished.append(run)

    def resume(self):
        """Finish runs that died, however late: the asking task only where it had not ended."""
        for run in self.unfinished:
            (self._gates if run in self.staged else self._tasks)(run)
        self.finished += self.unfinished
        self.unfinished = []

    def clear(self):
        """Run the gates of finished runs again: nothing may move."""
        before = self.published()
        for run in self.finished:
            self._gates(run)
        assert self.published() == before

    def settle(self):
        """Let calm days pass, and a person have asked again what only a fault had set aside."""
        self.stand_in.faults.clear()
        self.enrich()
        sane = [item_id for item_id, text in self.texts.items() if "POISON" not in text]
        marks = ", ".join("?" * len(sane))
        self.warehouse.transact(
            [(f"update ops.quarantine set status = 'ask_again' where status = 'open' and item_id in ({marks})", sane)]
        )
        self.enrich()
        assert owed(self.warehouse) == []

    def published(self, without=()):
        return {
            enrichment.name: [
                {name: value for name, value in row.items() if name not in without}
                for row in self.warehouse.rows(f"select * from {enrichment.table} order by all")
            ]
            for enrichment in ASKED
        }

    def standing(self, without=LINEAGE):
        """What is published of texts as they are now."""
        return {name: [r for r in rows if not r["is_stale"]] for name, rows in self.published(without).items()}

    def _tasks(self, run):
        known = {row["answer_key"] for row in self.warehouse.rows("select answer_key from ops.llm_answers")}
        wanted = {(row["text"], row["enrichment"]) for row in owed(self.warehouse) if row["is_afresh"]}
        before = len(self.stand_in.requests)
        try:
            asking = Asking(prices=(PRICES,), model="m", pack=3, concurrency=2)
            EnrichOperator(task_id="ask", warehouse=self.warehouse, enrichments=ASKED, asking=asking).work(run, {})
        finally:
            asked = Counter(pair for body in self.stand_in.requests[before:] for pair in questions(body))
            paid_before = [pair for pair in asked if key(*pair) in known and pair not in wanted]
            assert paid_before == []
        self.staged.append(run)
        self._gates(run)

    def _gates(self, run):
        for enrichment in ASKED:
            self._publish(ANSWER_SUBJECTS[enrichment.name], run)

    def _publish(self, subject, run):
        """Publish what keeps every rule, the full join over asked and staged among them."""
        rows = row_checks(self.warehouse, subject, subject.rules, run.run_id).table.to_pylist()
        assert [row for row in rows if False in row.values()] == []
        measured = run_measures(self.warehouse, subject, subject.rules, run.run_id).table.to_pylist()
        assert [row["rule"] for row in measured if row["failed"]] == []
        verdict = {"run_id": run.run_id, "subject": subject.name, "rule": "any", "slice": "all", "outcome": "pass"}
        verdict |= {"severity": "critical", "failed": 0, "total": 1, "decision": "publish", "checked_at": utc_now()}
        append(self.warehouse, "ops.validations", [verdict])
        publish(self.warehouse, subject, run.run_id)

    def _run(self, dag_id):
        return Run(f"run_{next(self.numbers):03}", dag_id, "a_task")


def owed(warehouse):
    """Every question that is owed, with its text."""
    with_text = "select owed.*, i.text from ({}) as owed join feedback.items as i on i.item_id = owed.item_id"
    queries = (query(enrichment, is_offline=False) for enrichment in ASKED)
    return [row for sql, values in queries for row in warehouse.rows(with_text.format(sql), values)]


def questions(body):
    """The pairs of text and question of a request."""
    return [(sent["text"], name) for sent in service.rows_of(body) for name in service.asked_of(body)]


def key(text, name):
    enrichment = next(one for one in ASKED if one.name == name)
    return answer_key(Row(text, None, (name,)).key, enrichment, Model("m"))


EDITS = st.tuples(st.just("edit"), st.integers(0, 3), st.sampled_from(TEXTS))
RUNS = st.tuples(
    st.just("run"),
    st.lists(st.sampled_from(sorted(FAULTS)), max_size=3),
    st.none() | st.integers(0, 9),
    st.booleans(),
)
LATER = st.sampled_from([("resume",), ("clear",)])


@pytest.fixture(scope="module")
def migrated(_migrated):
    return _migrated


@given(steps=st.lists(EDITS | RUNS | LATER, min_size=4, max_size=9))
@settings(
    max_examples=5,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # to shrink what fails would take minutes
    suppress_health_check=(HealthCheck.function_scoped_fixture, HealthCheck.too_slow),
)
def test_every_pair_ends_once_is_paid_once_and_reads_as_if_nothing_had_happened(
    steps, migrated, http_server, monkeypatch
):
    stand_in = StandIn(http_server)
    stand_in.poison = {"POISON": FAULTS["another label"]}
    connection = {"conn_type": "openai", "host": stand_in.base_url, "password": "key"}
    monkeypatch.setenv("AIRFLOW_CONN_OPENAI_DEFAULT", json.dumps(connection))
    with TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        world, calm = (
            World(Path(shutil.copy(migrated, Path(folder) / name)), stand_in, stack) for name in ("world", "calm")
        )
        world.edit(dict(enumerate(TEXTS[:3])))
        for step in steps:
            act(world, step)
        world.settle()

        states = world.warehouse.rows("select item_id, enrichment, status, content_hash from ops.answers")
        calm.edit({item_id.rpartition(":")[2]: text for item_id, text in world.texts.items()})
        calm.enrich()

        assert Counter((s["item_id"], s["enrichment"]) for s in states) == Counter(
            (item_id, enrichment.name) for item_id in world.texts for enrichment in ASKED
        )
        for state in states:
            text = world.texts[state["item_id"]]
            poisoned = "POISON" in text and state["enrichment"] == "sentiment"
            assert state["status"] == ("quarantined" if poisoned else "answered" if text else "unasked")
            assert state["content_hash"] == content_hash(text, None)
        assert world.standing() == calm.standing()
        stale = {(name, r["item_id"]) for name, rows in world.published().items() for r in rows if r["is_stale"]}
        assert stale <= {(s["enrichment"], s["item_id"]) for s in states if s["status"] == "quarantined"}


def act(world, step):
    match step:
        case ("edit", number, text):
            world.edit({number: text})
        case ("run", faults, dies_after, again):
            world.stand_in.faults[:] = [FAULTS[name] for name in faults]
            world.enrich(dies_after, again)
        case ("resume",):
            world.resume()
        case ("clear",):
            world.clear()
