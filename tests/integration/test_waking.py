"""What wakes the next Dag: real asset events of real runs, in a metadata database that is thrown away."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
AFTER_2038 = 4_070_908_800
SCRIPT = """
import json, sys
from pathlib import Path
from include.cli import environment

home, export, later = map(Path, sys.argv[1:])
environment.enter(home / "airflow", FEEDBACK_RETRY_SECONDS="1")

from include.cli import chain

dags = chain.prepare(home / "airflow")

from airflow.models.asset import AssetEvent, AssetModel
from airflow.utils.session import create_session
from sqlalchemy import select


def events():
    joined = select(AssetModel.name, AssetEvent.extra).join(AssetModel, AssetModel.id == AssetEvent.asset_id)
    with create_session() as session:
        return [[name, extra] for name, extra in session.execute(joined.order_by(AssetEvent.id))]


found = []
for dag_id in ("extract_feedback", "enrich_feedback", "resolve_entities", "extract_feedback"):
    if len(found) == 3:
        (export / "help" / "2099-01-01.json").write_text(later.read_text())
    before = len(events())
    run = chain.run_dag(dags[dag_id])
    found.append([dag_id, str(run.state), events()[before:]])

from airflow.models.dag import DagModel
from airflow.models.pool import Pool
from include import settings
from include.cli import doctor

with create_session() as session:
    session.get(DagModel, "enrich_feedback").is_paused = True
    session.delete(session.scalar(select(Pool).where(Pool.pool == "feedback_llm")))
examined = [[one.what, one.is_fine, one.line] for one in doctor.examine(settings.load())]
print("FOUND", json.dumps({"runs": found, "examined": examined}))
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """Three Dags with nothing to do, then the first again with a batch that its gate blocks: state and events of each.

    And what `make doctor` says of that Airflow when a Dag is paused and a pool is gone.
    """
    home = tmp_path_factory.mktemp("waking")
    export = home / "export"
    (export / "help").mkdir(parents=True)
    (export / "channels.json").write_text(json.dumps([{"id": "C1", "name": "help", "members": []}]))
    (export / "users.json").write_text("[]")
    said = [
        {"type": "message", "user": "U1", "text": f"It fails, {n}", "ts": f"{AFTER_2038 + n}.000001"} for n in range(9)
    ]
    (home / "later.json").write_text(json.dumps(said))
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("FEEDBACK_", "AIRFLOW"))}
    environment |= {"FEEDBACK_HOME": str(home), "FEEDBACK_SLACK_EXPORT": str(export)}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(home), str(export), str(home / "later.json")],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("FOUND ")]
    assert lines, done.stdout[-2000:] + done.stderr[-2000:]
    return json.loads(lines[0].removeprefix("FOUND "))


def test_an_empty_window_still_hands_on_with_its_counts(found):
    runs = found["runs"]
    (_, extracted, items), (_, enriched, answers), (_, resolved, entities), _ = runs

    assert (extracted, enriched, resolved) == ("success", "success", "success")
    assert [(name, extra["published"]) for name, extra in items] == [("feedback.items", 0)]
    assert sorted(name for name, _ in answers) == [
        "feedback.area",
        "feedback.intent",
        "feedback.mentions",
        "feedback.sentiment",
    ]
    assert [name for name, _ in entities] == ["feedback.entities"]


def test_a_blocked_gate_emits_nothing(found):
    assert found["runs"][3] == ["extract_feedback", "failed", []]


def test_doctor_names_the_pool_that_is_missing_and_the_dag_that_is_paused(found):
    examined = {what: (is_fine, line) for what, is_fine, line in found["examined"]}

    assert examined["pools"] == (False, "feedback_llm: make them with `setup`")
    assert examined["paused"] == (None, "enrich_feedback (spends) will not run until you unpause them")
    assert examined["openai_default"][0] is None
    assert "not a language model" in examined["openai_default"][1]
    assert examined["FEEDBACK_SLACK_DOMAIN"][0] is None
    assert examined["warehouse"][0] is True
