"""Items are made of what is new or has changed, and of nothing else."""

import shutil
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

from feedback.model import Batch, Run
from feedback.operators.extract_operator import ExtractOperator
from feedback.operators.items_operator import ItemsOperator
from feedback.sources import owed_items
from feedback.sources.google_play_csv import GooglePlayCsv
from feedback.sources.itunes_pages import ItunesPages
from feedback.sources.slack_export import SlackExport
from feedback.sources.texts import text_row
from feedback.warehouse.duckdb import DuckDBWarehouse
from feedback.warehouse.merge import append, load

ROOT = Path(__file__).resolve().parents[4]
FIXTURES, DDL = ROOT / "tests/fixtures", ROOT / "include/sql/ddl"
SOURCES = (
    SlackExport(FIXTURES / "slack_export"),
    GooglePlayCsv(FIXTURES / "google_play"),
    ItunesPages(FIXTURES / "itunes"),
)
THREAD = "slack:T0TEAM:C01GENERAL:1759312800.000002"


@pytest.fixture(scope="module")
def _loaded(_migrated, tmp_path_factory):
    """Everything of the fixtures in raw, loaded once; tests copy it."""
    path = shutil.copy(_migrated, tmp_path_factory.mktemp("loaded") / "warehouse.duckdb")
    for source in SOURCES:
        operator = ExtractOperator(task_id="extract", source=source, warehouse=DuckDBWarehouse(path, DDL))
        operator.work(Run("run_0", "a_dag", "extract"), {})
    return path


@pytest.fixture
def loaded(_loaded, tmp_path):
    """A warehouse of the test's own with everything of the fixtures in raw."""
    return DuckDBWarehouse(shutil.copy(_loaded, tmp_path / "warehouse.duckdb"), DDL)


@pytest.fixture
def stage(loaded):
    """Stage items in a run of its own; return them by id."""

    def staged(run_id="run_1", **options):
        operator = ItemsOperator(task_id="stage", warehouse=loaded, salt=lambda: b"salt", **options)
        operator.work(Run(run_id, "a_dag", "stage"), {})
        rows = loaded.rows("select * from staging.items where run_id = ?", (run_id,))
        return {row["item_id"]: row for row in rows}

    return staged


@pytest.fixture
def publish(loaded):
    """Publish what is staged, as the gate would when all is well."""

    def published():
        names = [row["column_name"] for row in loaded.rows("describe feedback.items")]
        columns = ", ".join(names)
        loaded.transact(
            [
                "delete from feedback.items where item_id in (select item_id from staging.items)",
                f"insert into feedback.items ({columns}) select {columns} from staging.items",
                "delete from staging.items",
            ]
        )

    return published


def changed(warehouse, where):
    """Age the published items that raw rows belong to by touching these rows."""
    warehouse.transact([f"update raw.slack_messages set changed_at = changed_at + interval 1 minute where {where}"])


def test_each_thread_and_each_review_is_one_item(stage):
    items = stage()

    by_source = {
        source: sorted(i for i in items if i.startswith(source)) for source in ("slack", "google_play", "itunes")
    }
    assert by_source["slack"][0] == "slack:T0TEAM:C01GENERAL:1759312800.000002"
    assert {source: len(ids) for source, ids in by_source.items()} == {"slack": 9, "google_play": 3, "itunes": 5}


def test_an_item_carries_the_whole_talk_masked(stage):
    item = stage(slack_domain="nowhere")[THREAD]

    assert item["text"].split("\n") == [
        "Speaker A: Does the export work for you & @Speaker B?",
        "Speaker B: No 😢 it stops at 80 %",
        "  mail me: [EMAIL_1]",
        "Speaker A: same here",
        "Speaker C: Fixed in 4.2, thanks",
    ]
    assert (item["message_count"], item["author_count"], item["has_reply_by_team"]) == (4, 3, True)
    assert item["is_unanswered"] is False
    assert item["has_personal_data"] is False
    assert item["permalink"] == "https://nowhere.slack.com/archives/C01GENERAL/p1759312800000002"


def test_what_is_published_and_unchanged_is_not_staged_again(stage, publish):
    stage()
    publish()

    assert stage("run_2") == {}


def test_a_changed_thread_is_staged_again_alone(stage, publish, loaded):
    stage()
    publish()
    changed(loaded, "ts = '1759312800.000004'")

    assert list(stage("run_2")) == [THREAD]


def test_what_was_lost_before_it_was_published_is_made_up_for(stage, loaded):
    lost = stage()

    assert stage("run_2").keys() == lost.keys()


def test_a_domain_that_is_set_later_brings_the_permalinks(stage, publish):
    stage()
    publish()

    items = stage("run_2", slack_domain="nowhere")
    publish()

    assert {item["source"] for item in items.values()} == {"slack"}
    assert stage("run_3", slack_domain="nowhere") == {}


class TestTexts:
    """Of a source without tables of its own."""

    url = "https://support.example.com/7"

    @pytest.fixture(autouse=True)
    def told(self, loaded, stage, publish):
        stage()
        publish()
        rows = [text_row("tickets", "7", "It crashes", url=self.url), text_row("tickets", "8", "It hangs")]
        load(loaded, Batch("tickets", "t", "raw.texts", rows, "l1"), Run("run_1", "d", "t"))

    def test_each_is_staged_when_it_is_new_or_has_changed(self, stage, publish, loaded):
        assert set(stage("run_2")) == {"tickets:7", "tickets:8"}
        publish()
        assert stage("run_3") == {}
        loaded.transact(["update raw.texts set changed_at = changed_at + interval 1 minute where id = '8'"])
        assert set(stage("run_4")) == {"tickets:8"}

    def test_a_host_that_is_named_later_brings_the_links(self, stage, publish):
        stage("run_2")
        publish()

        items = stage("run_3", hosts=["support.example.com"])
        publish()

        assert {name: item["permalink"] for name, item in items.items()} == {"tickets:7": self.url}
        assert stage("run_4", hosts=["support.example.com"]) == {}

    def test_what_is_deleted_is_no_item(self, stage, loaded):
        loaded.transact(["update raw.texts set is_deleted = true where id = '7'"])

        assert set(stage("run_2")) == {"tickets:8"}


def test_an_item_that_a_gate_set_aside_is_proposed_again_only_with_another_text(stage, publish, loaded):
    item = stage()[THREAD]
    loaded.transact(["delete from staging.items"])
    row = {
        "subject": "items",
        "row_key": THREAD,
        "rule": "r",
        "content_hash": item["content_hash"],
        "prompt_version": "",
    }
    more = {
        "item_id": THREAD,
        "severity": "critical",
        "reason": "x",
        "status": "open",
        "first_run_id": "run_1",
        "last_run_id": "run_1",
    }
    append(loaded, "ops.quarantine", [row | more])

    assert THREAD not in stage("run_2")
    loaded.transact(["delete from staging.items", "update ops.quarantine set content_hash = 'of another text'"])
    assert THREAD in stage("run_3")


def test_a_blocked_batch_is_not_proposed_again_while_it_waits(stage, loaded):
    stage()
    case = {"case_id": "c", "subject": "items", "run_id": "run_1", "rules": "r", "state": "open"}
    append(loaded, "ops.cases", [case | {"opened_at": datetime(2026, 10, 1)}])

    assert stage("run_2") == {}


def test_bots_make_items_in_a_channel_that_has_opted_in(stage):
    spoken = stage().keys()

    more = stage("run_2", bot_channels=["general"])

    assert [more[item]["text"] for item in more.keys() - spoken] == ["release 4.2 is out"]


def test_the_same_run_again_proposes_the_same(stage):
    assert stage().keys() == stage().keys()


def test_shards_of_any_size_propose_the_same(stage, monkeypatch):
    whole = {key: row | {"run_id": None, "shard": None} for key, row in stage().items()}
    monkeypatch.setattr(owed_items, "ROWS_A_SHARD", 2)

    split = stage("run_2")

    assert len({row["shard"] for row in split.values()}) > 10
    assert {key: row | {"run_id": None, "shard": None} for key, row in split.items()} == {
        key: row | {"first_run_id": "run_2"} for key, row in whole.items()
    }


def test_with_nothing_owed_no_library_is_imported(loaded, stage, publish):
    stage()
    publish()
    program = f"""
import sys
sys.path.insert(0, "plugins")
from pathlib import Path
from feedback.model import Batch, Run
from feedback.operators.items_operator import ItemsOperator
from feedback.warehouse.duckdb import DuckDBWarehouse

warehouse = DuckDBWarehouse(Path({str(loaded.path)!r}), Path("include/sql/ddl"))
operator = ItemsOperator(task_id="stage", warehouse=warehouse, salt=lambda: b"salt")
assert operator.work(Run("run_2", "a_dag", "stage"), {{}}).numbers == {{"staged": 0}}
print(sorted({{"emoji", "phonenumbers", "stdnum", "pandas"}} & set(sys.modules)))
"""

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)

    assert done.stdout.strip().splitlines()[-1] == "[]"
