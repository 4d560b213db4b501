"""An export that did not know its workspace is moved to it when the API reads the same channels: nothing is doubled."""

import json

import pytest

from feedback.erasure.files import Places
from feedback.erasure.plan import carry_out, plan
from feedback.erasure.scope import Author, before, of_author, of_item
from feedback.model import Renamed, Run
from feedback.operators.extract_operator import ExtractOperator
from feedback.operators.items_operator import ItemsOperator
from feedback.resolution.normalise import mention_id
from feedback.sources.slack_export import SlackExport
from feedback.sources.slack_rekey import HOLDING, rekey
from feedback.warehouse.merge import append, stage
from tests.plugins.feedback.sources.slack_world import TEAM

LINEAGE = {"content_hash": "h", "prompt_version": "p", "decided_by": "llm", "is_stale": False, "run_id": "r"}


@pytest.fixture
def exported(house, tmp_path):
    """A workspace of which an export, which names no workspace, is loaded and published."""
    world, general = house.world, house.world.channel("general")
    roots = [world.say(general, f"Thread {number} is slow.", user="U7") for number in range(3)]
    world.say(general, "Which version?", to=roots[0], user="U8")
    messages = [
        {name: value for name, value in message.items() if name != "team"} for message in world.truth().values()
    ]
    (tmp_path / "export/general").mkdir(parents=True)
    (tmp_path / "export/channels.json").write_text(json.dumps([{"id": general.id, "name": "general"}]))
    (tmp_path / "export/users.json").write_text(json.dumps([{"id": "U7", "name": "seven"}]))
    (tmp_path / "export/general/2026-10-01.json").write_text(json.dumps(messages))
    load(house, SlackExport(tmp_path / "export"))
    return tmp_path / "export"


def load(house, source):
    run = Run(f"load_{next(house.numbers)}", "d", "extract")
    operator = ExtractOperator(task_id="extract", source=source, salt=lambda: b"salt", warehouse=house.warehouse)
    operator.work(run, {})


def publish(house, **options):
    """Publish what is owed, without the gate."""
    run = Run(f"publish_{next(house.numbers)}", "d", "stage")
    ItemsOperator(task_id="stage", salt=lambda: b"salt", warehouse=house.warehouse, **options).work(run, {})
    columns = ", ".join(
        row["name"]
        for row in house.warehouse.rows(
            "select column_name as name from information_schema.columns"
            " where table_schema = 'feedback' and table_name = 'items'"
        )
    )
    staged = "select item_id from staging.items where run_id = ?"
    house.warehouse.transact(
        [
            (f"delete from feedback.items where item_id in ({staged})", (run.run_id,)),
            (
                f"insert into feedback.items ({columns}) select {columns} from staging.items where run_id = ?",
                (run.run_id,),
            ),
            "delete from staging.items",
        ]
    )


def everything(warehouse):
    """Every row of every table that is keyed by a workspace, as text."""
    tables = {
        "raw.slack_channels",
        "raw.slack_users",
        "raw.slack_messages",
        "raw.slack_messages_history",
        "ops.slack_threads",
    }
    for column in ("item_id", "row_key", "mention_id"):
        tables |= {row["name"] for row in warehouse.rows(HOLDING, (column,))}
    return {table: json.dumps(warehouse.rows(f"select * from {table}"), default=str) for table in tables}


def test_nothing_is_doubled_and_the_next_load_of_the_export_changes_nothing(house, exported):
    [before] = house.warehouse.rows("select distinct team_id from raw.slack_messages")
    assert before["team_id"].startswith("export-")
    publish(house)

    house.read()
    publish(house)
    load(house, SlackExport(exported))

    assert house.stored() == house.truth()
    assert house.warehouse.rows("select distinct team_id from raw.slack_messages") == [{"team_id": TEAM}]
    items = house.warehouse.rows("select item_id, source_key, permalink from feedback.items order by item_id")
    assert len(items) == 3
    for item in items:
        assert item["item_id"] == f"slack:{item['source_key']}"
        assert item["source_key"].startswith(f"{TEAM}:")
        assert item["permalink"].startswith("https://acme.slack.com/archives/")


def test_threads_that_the_export_brought_whole_cost_no_call(house, exported):
    house.world.clock.pass_(days=3)  # nobody looks for edits any more

    assert house.read()["calls"]["conversations.replies"] == 0


def test_an_author_stays_one_author(house, exported):
    publish(house, slack_domain="acme")
    house.read()
    house.world.say(house.world.channels["C00000001"], "Thread 9 is slow.", user="U7")
    house.read()
    publish(house, slack_domain="acme")

    assert len(house.warehouse.rows("select distinct author_hash from feedback.items")) == 1


def test_answers_cases_and_what_waits_move_along_and_nothing_keeps_the_old_name(house, exported):
    warehouse = house.warehouse
    publish(house)
    [row] = warehouse.rows("select distinct team_id from raw.slack_messages")
    old, [item, *_] = row["team_id"], [row["item_id"] for row in warehouse.rows("select item_id from feedback.items")]
    mention = {"item_id": item, "mention_id": mention_id(item, "product", "kite"), "kind": "product", "norm": "kite"}
    answer = {"item_id": item, "engine_version": "1", **LINEAGE}
    stamp = house.world.clock.now()
    append(warehouse, "feedback.mentions", [{**answer, **mention, "surface": "Kite", "answered_at": stamp}])
    append(warehouse, "feedback.sentiment", [{**answer, "label": "negative", "answered_at": stamp}])
    about = {"subject": "mentions", "rule": "r", "content_hash": "h", "prompt_version": "p", "item_id": item}
    about |= {"severity": "critical", "reason": "r"}
    ids = {"status": "open", "first_run_id": "r", "last_run_id": "r"}
    append(
        warehouse,
        "ops.quarantine",
        [{**about, **ids, "row_key": key} for key in (item, f"{item}|speed", mention["mention_id"])],
    )
    raw_key = f"{old}|{item.removeprefix(f'slack:{old}:').replace(':', '|')}"
    tombstone = {
        "subject": "slack_message",
        "row_key": raw_key,
        "reason": "deleted",
        "run_id": "r",
        "created_at": stamp,
    }
    append(warehouse, "ops.tombstones", [tombstone])
    pair = {"enrichment": "mentions", "content_hash": "h", "prompt_version": "p", "outcome": "staged", "rows_out": 1}
    stage(warehouse, "asked", [{**pair, "item_id": item}], Run("r", "d", "t"))

    rekey(warehouse, Renamed("slack_api", old, TEAM))
    rekey(warehouse, Renamed("slack_api", old, TEAM))

    assert [table for table, rows in everything(warehouse).items() if old in rows] == []
    new = item.replace(old, TEAM)
    [moved] = warehouse.rows("select item_id, mention_id from feedback.mentions")
    assert moved == {"item_id": new, "mention_id": mention_id(new, "product", "kite")}
    keys = {row["row_key"] for row in warehouse.rows("select row_key from ops.quarantine")}
    assert keys == {new, f"{new}|speed", moved["mention_id"]}
    assert warehouse.rows("select row_key from ops.tombstones") == [{"row_key": raw_key.replace(old, TEAM)}]
    assert warehouse.rows("select item_id from feedback.sentiment") == [{"item_id": new}]


SCOPES = {
    "an author": lambda house: of_author(Author("slack", "U7")),
    "an item": lambda house: of_item(house.warehouse.rows("select min(item_id) as id from feedback.items")[0]["id"]),
    "what is old": lambda house: before(house.world.clock.now()),
}


@pytest.mark.parametrize("what", SCOPES)
def test_what_was_erased_before_is_neither_loaded_again_from_slack_nor_from_the_export(house, exported, tmp_path, what):
    publish(house)
    scope, run = SCOPES[what](house), Run("erasing", "cli", "erase")
    places = Places(*(tmp_path / name for name in ("report", "digest", "warehouse", "copies", "journal")))
    planned = plan(house.warehouse, scope, (), places, run)
    carry_out(house.warehouse, planned, run, b"salt")
    left = house.stored()

    day = exported / "general/2026-10-01.json"
    for source in (house.source(), SlackExport(exported), house.source()):
        load(house, source)
        day.write_text(json.dumps(json.loads(day.read_text())[::-1]))  # another file, the same words

    assert house.stored() == left
    assert len(left) < 4
    assert house.warehouse.rows("select distinct team_id from raw.slack_messages") == [{"team_id": TEAM}]


def test_a_channel_shared_with_another_workspace_does_not_make_them_one(house, exported):
    shared = house.world.channels["C00000001"]
    shared.is_shared = True

    house.read()

    assert len(house.warehouse.rows("select distinct team_id from raw.slack_messages")) == 2
