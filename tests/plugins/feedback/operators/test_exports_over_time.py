"""What becomes of items when exports come again: later, earlier, overlapping, renamed; no order of loads matters."""

import json
import shutil
from itertools import count
from pathlib import Path

import pytest

from feedback.model import Run, utc_now
from feedback.operators.extract_operator import ExtractOperator
from feedback.operators.items_operator import ItemsOperator
from feedback.operators.publish_operator import PublishOperator
from feedback.sources.slack_export import SlackExport
from feedback.validation.checks import row_checks
from feedback.warehouse.duckdb import DuckDBWarehouse
from feedback.warehouse.merge import append
from include.expectations.items import ITEMS_SUBJECT

ROOT = Path(__file__).resolve().parents[4]
ROOT_TS, REPLY_TS = "1759312800.000001", "1759399200.000002"
STAMPS = ("first_run_id", "run_id", "updated_at")


def said(text, ts=ROOT_TS, user="U1", **more):
    return {"type": "message", "user": user, "text": text, "ts": ts, "client_msg_id": "x", "team": "T1", **more}


def reply(text, ts=REPLY_TS, user="U2", **more):
    return said(text, ts, user, thread_ts=ROOT_TS, **more)


TOMBSTONE = said("This message was deleted.", user="USLACKBOT", subtype="tombstone", thread_ts=ROOT_TS, team=None)


class House:
    """A warehouse that exports are loaded into, each by a run of its own."""

    def __init__(self, warehouse, folder):
        self.warehouse, self.folder, self.numbers = warehouse, folder, count(1)

    def export(self, days, channels=(("C1", "general"),), **about):
        """Write an export: (folder, day) to its messages."""
        path = self.folder / f"export-{next(self.numbers)}"
        files = {f"{folder}/2026-10-{day:02}.json": messages for (folder, day), messages in days.items()}
        files["channels.json"] = [{"id": key, "name": name} for key, name in channels]
        files |= {f"{name}.json": content for name, content in about.items()}
        for name, content in files.items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_text(json.dumps(content))
        return path

    def load(self, path, **options):
        """Load an export and publish its items, each of which must pass its gate; return how many were staged."""
        run = Run(f"run_{next(self.numbers)}", "extract_feedback", "a_task")
        shared = {"warehouse": self.warehouse}
        ExtractOperator(task_id="extract", source=SlackExport(path), **shared).work(run, {})
        items = ItemsOperator(task_id="stage", salt=lambda: b"salt", **options, **shared)
        staged = items.work(run, {}).numbers["staged"]
        self.pass_gate(run)
        PublishOperator(task_id="publish", subject=ITEMS_SUBJECT, **shared).work(run, {})
        return staged

    def pass_gate(self, run):
        """Hold the staged rows against the rules, without the seconds that Great Expectations takes."""
        rows = row_checks(self.warehouse, ITEMS_SUBJECT, ITEMS_SUBJECT.rules, run.run_id).table.to_pylist()
        broken = {(row["item_id"], rule) for row in rows for rule, holds in row.items() if holds is False}
        assert {rule for _, rule in broken} <= {"text_undamaged"}
        verdict = {"run_id": run.run_id, "subject": "items", "rule": "any", "slice": "all", "severity": "critical"}
        verdict |= {"outcome": "pass", "failed": 0, "total": 1, "decision": "publish", "checked_at": utc_now()}
        append(self.warehouse, "ops.validations", [verdict])

    def items(self):
        found = self.warehouse.rows("select * from feedback.items order by item_id")
        return [{name: value for name, value in row.items() if name not in STAMPS} for row in found]

    def texts(self):
        return [item["text"] for item in self.items()]

    def raw(self):
        return self.warehouse.rows("select * from raw.slack_messages order by all")


@pytest.fixture
def house(warehouse, tmp_path):
    return House(warehouse, tmp_path)


@pytest.fixture
def another(_migrated, tmp_path):
    """Return houses of their own, empty."""
    numbers = count()

    def build():
        folder = tmp_path / f"house-{next(numbers)}"
        folder.mkdir()
        return House(DuckDBWarehouse(shutil.copy(_migrated, folder / "w.duckdb"), ROOT / "include/sql/ddl"), folder)

    return build


def test_in_whatever_order_exports_are_loaded_the_last_wording_stands(another):
    edited = said("second", edited={"user": "U1", "ts": "1759320000.000000"}, thread_ts=ROOT_TS)
    exports = [
        {("general", 1): [said("first")]},
        {("general", 1): [edited], ("general", 2): [reply("a reply")]},
        {("general", 1): [TOMBSTONE], ("general", 2): [reply("a reply")]},
    ]
    outcomes = []
    for order in (exports, exports[::-1], exports[1:] + exports[:1]):
        house = another()
        for days in order:
            house.load(house.export(days))
        outcomes.append(house.items())

    assert all(outcome == outcomes[0] for outcome in outcomes)
    assert [item["text"] for item in outcomes[0]] == ["a reply"]


def test_what_was_taken_back_in_slack_is_taken_back_from_the_published_item(house):
    house.load(house.export({("general", 1): [said("my number is wrong")]}))

    house.load(house.export({("general", 1): [TOMBSTONE]}))

    [item] = house.items()
    assert (item["text"], item["is_askable"], item["unasked_reason"]) == ("", False, "no_words")


def test_a_zip_and_its_folder_are_one_export(house):
    folder = house.export({("general", 1): [said("hello")]})
    house.load(folder)
    before = house.raw()

    staged = house.load(Path(shutil.make_archive(str(house.folder / "same"), "zip", folder)))

    assert (staged, house.raw()) == (0, before)


def test_a_reaction_a_new_name_and_a_user_who_left_change_nothing(house):
    days = {("general", 1): [said("hello <@U2>")]}
    house.load(house.export(days, users=[{"id": "U2", "name": "ada"}]))
    before = house.raw(), house.items()
    noisy = said("hello <@U2>", reactions=[{"name": "eyes", "users": ["U2"], "count": 1}], user_profile={"name": "x"})

    staged = house.load(
        house.export({("general", 1): [noisy]}, users=[{"id": "U2", "name": "lovelace", "deleted": True}])
    )

    assert staged == 0
    assert (house.raw(), house.items()) == before


def test_a_renamed_channel_renames_its_items_and_asks_nothing_again(house):
    mention = {"type": "channel", "channel_id": "C1"}
    block = {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [mention]}]}
    first = said("x", blocks=[block, {"type": "section", "text": {"type": "plain_text", "text": "is broken"}}])
    house.load(house.export({("general", 1): [first], ("general", 2): [reply("yes")]}))
    [before] = house.items()

    house.load(house.export({("help", 1): [first], ("help", 2): [reply("yes")]}, channels=[("C1", "help")]))

    [item] = house.items()
    assert item == before | {"channel_or_app": "help"}
    assert "#general" in item["text"]
    assert house.load(house.export({("help", 1): [first]}, channels=[("C1", "help")])) == 0


def test_two_folders_of_one_channel_are_both_loaded(house):
    days = {("general", 1): [said("before")], ("help", 2): [said("after", REPLY_TS)]}

    house.load(house.export(days, channels=[("C1", "general"), ("C1", "help")]))

    assert house.texts() == ["before", "after"]


def test_the_same_instant_in_two_channels_is_two_threads(house):
    days = {("general", 1): [said("here")], ("help", 1): [said("there")]}

    house.load(house.export(days, channels=[("C1", "general"), ("C2", "help")]))

    assert [(item["item_id"], item["text"]) for item in house.items()] == [
        (f"slack:T1:C1:{ROOT_TS}", "here"),
        (f"slack:T1:C2:{ROOT_TS}", "there"),
    ]


def test_replies_come_before_their_root_or_without_it(house):
    house.load(house.export({("general", 2): [reply("a late answer")]}))
    assert house.texts() == ["a late answer"]

    house.load(house.export({("general", 1): [said("Is it down?", thread_ts=ROOT_TS)]}))

    [item] = house.items()
    assert item["text"] == "Speaker A: Is it down?\nSpeaker B: a late answer"


def test_a_reply_older_than_its_root_is_no_reason_to_set_the_thread_aside(house):
    house.load(house.export({("general", 1): [reply("odd", ts="1759000000.000001")]}))

    [item] = house.items()
    assert item["posted_at"] <= item["last_activity_at"]


def test_a_broadcast_that_is_in_the_export_twice_is_said_once(house):
    again = reply("me too", subtype="thread_broadcast")

    house.load(house.export({("general", 1): [said("It fails", thread_ts=ROOT_TS), again], ("general", 2): [again]}))

    assert house.texts() == ["Speaker A: It fails\nSpeaker B: me too"]


def test_another_workspace_is_another_workspace(house):
    house.load(house.export({("general", 1): [said("ours")]}))

    house.load(house.export({("general", 1): [said("theirs", team="T2")]}, channels=[("C7", "general")]))

    assert [item["item_id"] for item in house.items()] == [f"slack:T1:C1:{ROOT_TS}", f"slack:T2:C7:{ROOT_TS}"]


def test_an_export_whose_messages_name_another_team_is_the_workspace_its_channels_belong_to(house):
    house.load(house.export({("general", 1): [said("ours")]}))

    house.load(house.export({("general", 2): [said("a guest", REPLY_TS, team="T2")]}))

    assert {row["team_id"] for row in house.raw()} == {"T1"}


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("\u202eevil\u202c שלום hello", "\u202eevil\u202c שלום hello"),
        ("zero\u200bwidth \u2066x\u2069", "zero\u200bwidth \u2066x\u2069"),
        ("half \ud83d and nul \x00 in it", "half \ufffd and nul  in it"),
        ("é" * 40_000, "é" * 40_000),
    ],
    ids=["bidi", "zero width", "surrogate and nul", "40,000"],
)
def test_whatever_people_type_is_published_whole(house, text, whole):
    house.load(house.export({("general", 1): [said(text)]}))

    assert house.texts() == [whole]
