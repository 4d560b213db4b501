"""A table of the warehouse loses nothing and is read once; what is wrong with it is one line and harms nothing."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest

from feedback.errors import InputRefused, SettingError, SourceFailed
from feedback.model import Batch, Run
from feedback.operators.extract_operator import ExtractOperator
from feedback.sources import table_sql
from feedback.sources.base import Past
from feedback.sources.past import recall
from feedback.sources.table_columns import Wanted, found
from feedback.validation.cases import decide
from feedback.warehouse.merge import load
from tests.plugins.feedback.sources.helpdesk import NOON, TICKETS, alive, but, publish_all, put, ticket


@pytest.fixture
def extract(warehouse):
    runs = iter(range(1, 1000))

    def extracted(source=TICKETS):
        operator = ExtractOperator(task_id="extract", source=source, warehouse=warehouse)
        return operator.work(Run(f"run_{next(runs)}", "d", "extract"), {}).as_dict()

    return extracted


@pytest.fixture
def at(monkeypatch):
    """Set the clock of the source."""
    return lambda now: monkeypatch.setattr("feedback.sources.table.utc_now", lambda: now)


def test_each_row_is_a_text_and_only_the_named_columns_are_read(warehouse, extract):
    put(warehouse, ticket(1, "It\0 crashes", subject="Crash", secret="s3cret"), ticket(2, None))

    counts = extract(but(author="subject", channel="subject", updated_at="moved", is_private=True))

    first, second = warehouse.rows("select * from raw.texts order by id")
    assert (counts["rows"], counts["changed"]) == (2, 2)
    assert (first["source"], first["id"], first["title"], first["body"]) == ("tickets", "1", "Crash", "It crashes")
    assert (first["author"], first["channel"], first["is_private"]) == ("Crash", "Crash", True)
    assert (first["created_at"], first["updated_at"], first["payload"]) == (NOON, NOON, None)
    assert (second["body"], second["title"]) == (None, None)
    assert "s3cret" not in repr(first)


@pytest.mark.parametrize("updated_at", ["moved", None])
def test_what_is_unchanged_is_not_read_again(warehouse, extract, updated_at):
    put(warehouse, ticket(1), ticket(2))
    extract(but(updated_at=updated_at))
    before = warehouse.rows("select * from raw.texts order by id")

    counts = extract(but(updated_at=updated_at))

    assert counts["rows"] == 0
    assert warehouse.rows("select * from raw.texts order by id") == before


def test_a_changed_row_is_a_new_version_also_where_no_clock_says_so(warehouse, extract):
    put(warehouse, ticket(1), ticket(2))
    extract()
    put(warehouse, ticket(1, "It works"), ticket(2))

    assert extract()["changed"] == 1
    assert alive(warehouse) == {"1": "It works", "2": "It crashes"}
    assert [row["body"] for row in warehouse.rows("select body from raw.texts_history")] == ["It crashes"]


def test_the_table_is_the_truth_also_where_its_clock_goes_back_or_is_named_no_more(warehouse, extract, at):
    for day, body in enumerate(("one", "two", "one")):
        at(NOON + timedelta(days=day))
        put(warehouse, ticket(1, body, moved=NOON - timedelta(days=100 * day)))
        extract(but(updated_at="moved"))

        assert alive(warehouse) == {"1": body}
    put(warehouse, ticket(1, "three"))
    extract()
    assert alive(warehouse) == {"1": "three"}


class TestByTheClockOfTheTable:
    """Between two full comparisons only the last days are looked at."""

    source = but(updated_at="moved")
    old = NOON - timedelta(days=30)

    @pytest.fixture(autouse=True)
    def first_look(self, warehouse, extract, at):
        at(NOON)
        put(warehouse, ticket(1), ticket(2, moved=self.old))
        extract(self.source)

    @pytest.mark.parametrize("moved", [NOON + timedelta(hours=1), NOON - timedelta(days=1), None])
    def test_what_is_new_late_or_without_a_time_is_found_at_once(self, warehouse, extract, at, moved):
        at(NOON + timedelta(hours=2))
        put(warehouse, ticket(1), ticket(2, moved=self.old), ticket(3, moved=moved))

        assert extract(self.source)["rows"] == 1
        assert list(alive(warehouse)) == ["1", "2", "3"]

    def test_what_comes_later_than_anybody_thought_is_found_within_a_day(self, warehouse, extract, at):
        put(warehouse, ticket(1), ticket(2, "changed in silence", moved=self.old), ticket(3, moved=self.old))
        at(NOON + timedelta(hours=2))
        soon = extract(self.source)["rows"]
        at(NOON + timedelta(days=1))
        extract(self.source)

        assert soon == 0
        assert alive(warehouse) == {"1": "It crashes", "2": "changed in silence", "3": "It crashes"}

    def test_a_time_yet_to_come_hides_nothing(self, warehouse, extract, at):
        put(warehouse, ticket(1), ticket(2), ticket(3, moved=NOON + timedelta(days=3000)))
        at(NOON + timedelta(days=1))
        extract(self.source)
        put(warehouse, ticket(1, "changed", moved=NOON + timedelta(hours=25)), ticket(2), ticket(3))
        at(NOON + timedelta(hours=26))
        extract(self.source)

        assert alive(warehouse)["1"] == "changed"

    def test_other_columns_are_read_at_once(self, warehouse, extract, at):
        put(warehouse, ticket(1), ticket(2, moved=self.old, subject="Crash"))
        at(NOON + timedelta(hours=2))
        extract(but(updated_at="moved", title="secret", language="subject"))

        found = warehouse.rows("select language from raw.texts order by id")
        assert [row["language"] for row in found] == [None, "Crash"]

    def test_what_becomes_private_is_private_in_the_next_run(self, warehouse, extract, at):
        at(NOON + timedelta(hours=2))
        extract(but(updated_at="moved", is_private=True))

        assert {row["is_private"] for row in warehouse.rows("select is_private from raw.texts")} == {True}


def test_a_large_table_comes_in_shards_and_a_reading_that_broke_off_goes_on(warehouse, extract, monkeypatch):
    monkeypatch.setattr(table_sql, "SHARD_CHARACTERS", 3 * table_sql.ROW_CHARACTERS)
    put(warehouse, *(ticket(number, f"number {number}") for number in range(12)))
    first, second, *_ = (one for one in TICKETS.extract(recall(warehouse, "tickets")) if isinstance(one, Batch))
    load(warehouse, first, Run("killed", "d", "t"))

    counts = extract()

    assert 0 < len(first.rows) <= 3
    assert not {row["id"] for row in first.rows} & {row["id"] for row in second.rows}
    assert counts["rows"] == 12 - len(first.rows)
    assert alive(warehouse) == {str(number): f"number {number}" for number in range(12)}


def test_whatever_happens_to_the_table_raw_holds_what_it_holds(warehouse, extract, monkeypatch):
    monkeypatch.setattr(table_sql, "SHARD_CHARACTERS", 4 * table_sql.ROW_CHARACTERS)
    dice = random.Random(8)
    for _ in range(4):
        rows = [ticket(n, dice.choice(["a", "b", None])) for n in range(12) if dice.random() < 0.6]
        put(warehouse, *rows)
        extract(but(is_complete=True))

        assert alive(warehouse) == {str(row["ticket_id"]): row["body"] for row in rows}


class TestWhatVanishes:
    complete = but(is_complete=True)

    def test_stays_unless_the_table_is_said_to_be_complete(self, warehouse, extract):
        put(warehouse, ticket(1), ticket(2))
        extract()
        put(warehouse, ticket(1))

        assert extract()["deleted"] == 0
        assert extract(self.complete)["deleted"] == 1
        assert list(alive(warehouse)) == ["1"]
        [left] = warehouse.rows("select subject, row_key from ops.tombstones")
        assert left == {"subject": "text", "row_key": "tickets|2"}

    def test_lives_again_when_it_comes_back_as_it_was(self, warehouse, extract):
        for _ in range(2):
            put(warehouse, ticket(1), ticket(2))
            extract(self.complete)
            assert list(alive(warehouse)) == ["1", "2"]
            put(warehouse, ticket(1))
            extract(self.complete)
            assert list(alive(warehouse)) == ["1"]

    def test_is_not_what_another_source_brought(self, warehouse, extract):
        put(warehouse, ticket(1), ticket(2))
        extract(self.complete)
        put(warehouse, ticket(1), ticket(9), name="calls")
        extract(but(name="calls", table="helpdesk.calls", is_complete=True))

        assert warehouse.rows("select count(*) as n from raw.texts where not is_deleted") == [{"n": 4}]

    def test_waits_for_a_person_where_it_is_much_and_is_missed_no_more_when_it_is_back(self, warehouse, extract):
        everything = [ticket(number) for number in range(20)]
        put(warehouse, *everything)
        extract(self.complete)
        publish_all(warehouse)
        put(warehouse, *everything[:10])

        emptied = extract(self.complete)
        put(warehouse, *everything)
        extract(self.complete)
        [case] = warehouse.rows("select case_id from ops.cases where subject = 'deletions of tickets'")
        decide(warehouse, case["case_id"], "accepted", "a person")

        assert (emptied["deleted"], emptied["refused"]) == (0, 1)
        assert "10 rows are gone" in emptied["notes"][0]
        assert extract(self.complete)["deleted"] == 0
        assert len(alive(warehouse)) == 20


class TestBadInput:
    @pytest.mark.parametrize(
        ("changes", "line"),
        [
            ({"table": "helpdesk.nowhere"}, r"helpdesk\.nowhere is not there, or may not be read: correct its name"),
            ({"updated_at": "body"}, r"column body of helpdesk\.tickets is VARCHAR, no time: .*updated_at="),
            ({"rating": "body"}, r"column body of helpdesk\.tickets is VARCHAR, no number: .*rating="),
            ({"table": "feedback.items", "key": "item_id", "text": "text"}, r"feedback\.items is a table of our own"),
            ({"text": 'x" from ops.loads; drop table raw.texts; --'}, r"helpdesk\.tickets has no column x"),
            ({"table": 'helpdesk.tickets; drop table raw"texts'}, r".* is not there"),
        ],
    )
    def test_what_is_not_there_or_something_else_is_one_line_and_harms_nothing(self, warehouse, extract, changes, line):
        put(warehouse, ticket(1))
        extract()
        before = warehouse.rows("select * from raw.texts")

        with pytest.raises(SourceFailed, match=rf"^tickets: {line}") as failed:
            extract(but(**changes))

        assert "\n" not in str(failed.value)
        assert warehouse.rows("select * from raw.texts") == before
        assert not failed.value.retryable

    def test_rows_without_a_key_or_with_one_that_is_taken_are_counted_until_they_are_mended(self, warehouse, extract):
        put(warehouse, ticket(1), ticket(None), ticket(None), ticket(2, "a"), ticket(2, "b"))
        first, second = extract(), extract()
        put(warehouse, ticket(1))
        mended = extract()

        assert first["notes"] == [
            "helpdesk.tickets: 2 × a row without a ticket_id: name a key= that is never NULL",
            "helpdesk.tickets: 1 × a row with a ticket_id that a newer one has: name a unique key=",
        ]
        assert (first["refused"], second["refused"], mended["refused"]) == (3, 3, 0)
        assert second["rows"] == 0
        assert warehouse.rows("select * from ops.coverage") == []

    def test_two_tables_that_differ_in_case_alone_have_to_be_told_apart(self):
        def column(table):
            return {"name": "BODY", "type": "text", "of_schema": "DESK", "of_table": table, "is_here": 1}

        def rows(sql, params):
            return [column("TICKETS"), column("Tickets")]

        with pytest.raises(InputRefused, match="may mean 2 tables"):
            found(rows, "desk.tickets", [Wanted("text", "body")])
        exactly = found(rows, "DESK.Tickets", [Wanted("text", "body")])
        assert exactly == ('"DESK"."Tickets"', {"text": '"BODY"'})

    @pytest.mark.parametrize("table", ["tickets", "a.b.c.d", "a..b", "my-db.public.tickets", ""])
    def test_a_table_is_named_in_two_or_three_parts(self, table):
        with pytest.raises(SettingError, match=r"source tickets: .* is no schema\.table"):
            but(table=table)


def test_a_plan_counts_what_is_new_and_reads_none_of_it(warehouse, extract):
    put(warehouse, ticket(1))
    extract()
    put(warehouse, ticket(1, "changed"), ticket(2), ticket(3))

    expected = TICKETS.expected(recall(warehouse, "tickets"))

    assert (expected.calls, expected.rows, expected.note) == (0, 3, "of 3 in helpdesk.tickets")
    assert alive(warehouse) == {"1": "It crashes"}


def test_an_examination_says_how_large_the_table_is_and_what_is_wrong_with_it(warehouse):
    put(warehouse, ticket(1), ticket(None))
    fine, note = TICKETS.examine(recall(warehouse, "tickets"))

    assert (fine.is_fine, fine.line) == (True, "helpdesk.tickets can be read, 2 rows")
    assert (note.is_fine, note.what) == (None, "tickets")
    with pytest.raises(InputRefused, match="has no column boddy"):
        list(but(text="boddy").examine(recall(warehouse, "tickets")))


def test_without_a_warehouse_the_table_is_not_there():
    with pytest.raises(InputRefused, match="not there"):
        list(TICKETS.extract(Past()))
