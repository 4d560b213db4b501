"""Every step of the chain means the same on the production warehouse as on the embedded one."""

from __future__ import annotations

import json
import shutil
from datetime import datetime
from pathlib import Path

import pytest

from feedback.model import Run
from feedback.operators.digest_operator import DigestOperator
from feedback.operators.enrich_operator import EnrichOperator
from feedback.operators.extract_operator import ExtractOperator
from feedback.operators.golden_operator import GoldenOperator
from feedback.operators.items_operator import ItemsOperator
from feedback.operators.publish_operator import PublishOperator
from feedback.operators.report_operator import ReportOperator
from feedback.operators.resolve_operator import ResolveOperator
from feedback.operators.validate_operator import ValidateOperator
from feedback.sources.itunes_pages import ItunesPages
from feedback.sources.slack_export import SlackExport
from feedback.warehouse.base import Warehouse
from feedback.warehouse.duckdb import DuckDBWarehouse
from feedback.warehouse.snowflake import SnowflakeWarehouse

ROOT = Path(__file__).resolve().parents[2]
DDL = ROOT / "include/sql/ddl"
SAMPLE = ROOT / "include/sample"
pytestmark = pytest.mark.filterwarnings("ignore:Arrow output on a DB-API result")

AS_OF = datetime(2026, 11, 16)
CHANNEL = "beta-mobile"
FAKE_ACCOUNT = {"conn_type": "snowflake", "login": "loader", "password": "password", "extra": {"account": "fakesnow"}}
# What the wall clock and chance decide differs between two runs on one engine, too.
OF_THE_RUN = {"answered_at", "first_seen_at", "changed_at", "valid_from", "valid_to", "created_at", "replaced_at"}
OF_THE_RUN |= {"added_at", "checked_at", "updated_at", "call_id", "body_sha", "decided_at"}
JSON_COLUMNS = {"payload", "answer"}
COMPARED = (
    *("raw.slack_messages", "raw.slack_messages_history", "raw.slack_channels", "raw.slack_users"),
    *("raw.app_reviews", "raw.app_reviews_history"),
    *("feedback.items", "feedback.sentiment", "feedback.intent", "feedback.area", "feedback.mentions"),
    *("feedback.entity_names", "feedback.entities", "feedback.entities_current", "feedback.mentions_resolved"),
    *("feedback.entity_reasons", "ops.entity_decisions", "ops.entity_events", "ops.entity_overrides", "ops.case_names"),
    *("feedback.answers_history", "marts.feedback_wide"),
    *(
        "ops.answers",
        "ops.validations",
        "ops.quarantine",
        "ops.golden",
        "ops.golden_answers",
        "ops.posts",
        "ops.coverage",
    ),
)


def chain(warehouse: Warehouse, sources, run_id: str, home: Path) -> None:
    """Every task of the four Dags in their order, each with what the Dags would give it."""
    from include.digest import REPORT
    from include.enrichments import ENRICHMENTS
    from include.entities import CATALOG, ENTITY_KINDS
    from include.expectations import ANSWER_SUBJECTS
    from include.expectations.entities import ENTITIES_SUBJECT
    from include.expectations.items import ITEMS_SUBJECT
    from include.llm import PRICES, Asking
    from include.teams import TEAMS

    def work(operator, dag_id, **given):
        task = operator(task_id=operator.__name__, warehouse=warehouse, **given)
        return task.work(Run(run_id, dag_id, task.task_id), {}).as_dict()

    def publish(subject, dag_id):
        work(ValidateOperator, dag_id, subject=subject)
        work(PublishOperator, dag_id, subject=subject)

    for source in sources:
        work(ExtractOperator, "extract_feedback", source=source)
    work(ItemsOperator, "extract_feedback", salt=lambda: b"salt", slack_domain="example")
    publish(ITEMS_SUBJECT, "extract_feedback")
    asking = Asking(prices=(PRICES,), mode="offline", as_of=AS_OF)
    work(EnrichOperator, "enrich_feedback", enrichments=ENRICHMENTS, asking=asking, catalog=CATALOG, kinds=ENTITY_KINDS)
    for subject in ANSWER_SUBJECTS.values():
        publish(subject, "enrich_feedback")
    work(ResolveOperator, "resolve_entities", kinds=ENTITY_KINDS, catalog=CATALOG)
    publish(ENTITIES_SUBJECT, "resolve_entities")
    names = tuple(enrichment.name for enrichment in ENRICHMENTS)
    work(GoldenOperator, "triage_digest", file=SAMPLE / "golden.jsonl", enrichments=names)
    now = {"as_of": AS_OF, "uses_clock": False}
    work(DigestOperator, "triage_digest", teams=TEAMS, folder=home / "digest", timezone="UTC", **now)
    folders = {"folder": home / "report", "digest_folder": home / "digest"}
    work(ReportOperator, "triage_digest", **{**REPORT, **folders, **now})


def edited(export: Path) -> Path:
    """The same export a week later: one message in other words, one more reply."""
    later = Path(shutil.copytree(export, export.with_name("later")))
    day = min((later / CHANNEL).glob("*.json"))
    messages = json.loads(day.read_text())
    first = next(message for message in messages if message.get("text") and not message.get("subtype"))
    again = {"user": first["user"], "ts": f"{float(first['ts']) + 60:.6f}"}
    reply = {"type": "message", "user": "U_NEW", "text": "Any news about this crash?", "thread_ts": first["ts"]}
    reply["ts"] = f"{float(first['ts']) + 90:.6f}"
    first |= {"text": "It crashes whenever I rotate the phone, terrible.", "edited": again, "thread_ts": first["ts"]}
    day.write_text(json.dumps([*messages, reply]))
    return later


def contents(warehouse: Warehouse) -> dict[str, list[dict]]:
    """Every compared table as sorted rows, without what differs from run to run."""
    tables = {}
    for table in COMPARED:
        rows = [comparable(row) for row in warehouse.rows(f"select * from {table}")]
        tables[table] = sorted(rows, key=lambda row: json.dumps(row, default=str, sort_keys=True))
    return tables


def comparable(row: dict) -> dict:
    """A row without what differs from run to run; JSON is compared by what it means, as engines lay it out anew."""
    kept = {name: value for name, value in row.items() if name not in OF_THE_RUN}
    for name in JSON_COLUMNS & kept.keys():
        found = json.loads(kept[name])
        kept[name] = [comparable(one) if isinstance(one, dict) else one for one in found] if name == "answer" else found
    return kept


@pytest.fixture(scope="module")
def engines(tmp_path_factory):
    """What each engine holds after a first run, a run after an edit, and a run with nothing new."""
    import fakesnow

    home = tmp_path_factory.mktemp("chain")
    export = Path(shutil.copytree(SAMPLE / "slack_export", home / "export"))
    for channel in export.iterdir():
        if channel.is_dir() and channel.name != CHANNEL:
            shutil.rmtree(channel)
    reviews = Path(shutil.copytree(SAMPLE / "itunes", home / "itunes", ignore=shutil.ignore_patterns("[!g]*.json")))
    later = edited(export)
    held = {}
    with pytest.MonkeyPatch.context() as environment, fakesnow.patch():
        environment.setenv("AIRFLOW_CONN_SNOWFLAKE_DEFAULT", json.dumps(FAKE_ACCOUNT))
        snowflake = SnowflakeWarehouse("snowflake_default", "FEEDBACK_TEST", DDL)
        for warehouse in (DuckDBWarehouse(home / "warehouse.duckdb", DDL), snowflake):
            warehouse.migrate()
            runs = (export, later, later) if warehouse is snowflake else (export, later)
            for number, slack in enumerate(runs, 1):
                sources = (SlackExport(slack), ItunesPages(reviews))
                chain(warehouse, sources, f"run_{number}", home / warehouse.engine)
                held[warehouse.engine, number] = contents(warehouse)
        snowflake.close()
    return held


@pytest.mark.parametrize("table", COMPARED)
def test_holds_the_same_rows_as_duckdb_after_a_first_run_and_after_an_edit(engines, table):
    for number in (1, 2):
        assert engines["snowflake", number][table] == engines["duckdb", number][table]


def test_nothing_new_changes_nothing_that_is_published(engines):
    for table in (name for name in COMPARED if not name.startswith("ops.")):
        assert engines["snowflake", 3][table] == engines["snowflake", 2][table]
