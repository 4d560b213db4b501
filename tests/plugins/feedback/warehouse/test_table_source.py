"""A table is read alike on every engine: its names, its types, what is new, what is gone."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from feedback.errors import SourceFailed
from feedback.model import Run
from feedback.operators.extract_operator import ExtractOperator
from feedback.operators.items_operator import ItemsOperator
from feedback.sources import table_sql
from feedback.sources.past import recall
from feedback.sources.table import TableSource
from tests.plugins.feedback.sources.helpdesk import NOON, TICKETS, alive, but, publish_all, put, ticket

pytestmark = pytest.mark.filterwarnings("ignore:Arrow output on a DB-API result")


def extract(store, source=TICKETS, run_id="run_1"):
    operator = ExtractOperator(task_id="extract", source=source, warehouse=store)
    return operator.work(Run(run_id, "d", "extract"), {}).as_dict()


def test_what_is_new_changed_or_gone_is_found_in_shards(store, monkeypatch):
    monkeypatch.setattr(table_sql, "SHARD_CHARACTERS", 2 * table_sql.ROW_CHARACTERS)
    source = but(updated_at="moved", is_complete=True)
    put(store, *(ticket(number) for number in range(5)))
    extract(store, source)
    put(store, ticket(1), ticket(2, "changed"), ticket(3), ticket(7), ticket(8))

    expected = source.expected(recall(store, "tickets"))
    counts = extract(store, source, "run_2")

    assert expected.rows == counts["rows"] == counts["changed"] == 3
    assert counts["deleted"] == 2
    assert alive(store) == dict.fromkeys("1378", "It crashes") | {"2": "changed"}
    assert extract(store, source, "run_3")["rows"] == 0


def test_columns_may_be_called_anything_and_be_of_any_type_that_fits(store):
    columns = '"Order" double, "the ""text""" varchar, "from" date, id decimal(3, 1)'
    rows = ({'"the ""text"""': "words", '"from"': date(2026, 11, 1), "id": 4.5}, {'"the ""text"""': "more", "id": 5})
    put(store, *({'"Order"': number, **row} for number, row in enumerate(rows)), columns=columns)
    named = {"table": "HelpDesk.TICKETS", "key": "order", "text": 'the "text"', "posted_at": "from", "rating": "id"}

    counts = extract(store, TableSource(name="odd", **named))

    found = store.rows("select body, rating, created_at from raw.texts order by body desc")
    assert [tuple(row.values()) for row in found] == [("words", None, datetime(2026, 11, 1)), ("more", 5, None)]
    assert counts["notes"] == ["HelpDesk.TICKETS: 1 × a row with a id that is no star from 1 to 5: read without it"]


def test_times_with_a_zone_are_stored_in_utc(store):
    zoned = "timestamp_tz" if store.engine == "snowflake" else "timestamptz"
    put(store, columns=f"ticket_id integer, body varchar, sent {zoned}")
    at = "2026-11-02 12:00:00 +02:00" if store.engine == "snowflake" else "2026-11-02 12:00:00+02"
    store.transact([f"insert into helpdesk.tickets select 1, 'x', cast('{at}' as {zoned})"])

    extract(store, but(title=None, updated_at="sent"))

    assert store.rows("select created_at, updated_at from raw.texts") == [
        {"created_at": datetime(2026, 11, 2, 10), "updated_at": datetime(2026, 11, 2, 10)}
    ]


def test_of_rows_with_one_key_the_newest_counts(store):
    put(store, ticket(2, "old", moved=None), ticket(2, "new"), ticket(None), ticket(2, "older", moved=None))

    counts = extract(store, but(updated_at="moved"))

    assert alive(store) == {"2": "new"}
    assert counts["refused"] == 3


def test_its_rows_become_items_once_and_their_links_when_a_host_is_named(store):
    link = "https://support.example.com/1"
    put(store, ticket(1, secret=link), ticket(2, "Call ada@example.com " + 2000 * "again "))
    extract(store, but(url="secret"))

    def staged(run_id, *hosts):
        operator = ItemsOperator(task_id="stage", warehouse=store, salt=lambda: b"salt", hosts=hosts)
        operator.work(Run(run_id, "d", "stage"), {})
        sql = "select item_id, permalink, text from staging.items where run_id = ? order by item_id"
        return [(row["item_id"], row["permalink"], row["text"][:14]) for row in store.rows(sql, (run_id,))]

    assert staged("run_1") == [("tickets:1", None, "It crashes"), ("tickets:2", None, "Call [EMAIL_1]")]
    publish_all(store)
    assert staged("run_2") == []
    assert staged("run_3", "support.example.com") == [("tickets:1", link, "It crashes")]


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"table": "elsewhere.helpdesk.tickets"}, r"elsewhere\.helpdesk\.tickets is not there, or may not be read"),
        ({"text": "boddy"}, r"helpdesk\.tickets has no column boddy: correct text="),
        ({"text": "ticket_id"}, r"column ticket_id of helpdesk\.tickets is \w+, no text: .*text="),
        ({"posted_at": "body"}, r"column body of helpdesk\.tickets is \w+, no time: .*posted_at="),
    ],
)
def test_what_is_not_there_or_something_else_is_named_in_one_line(store, changes, line):
    put(store, ticket(1))

    with pytest.raises(SourceFailed, match=rf"(?i)^tickets: {line}"):
        extract(store, but(**changes))


def test_a_view_is_read_like_a_table(store):
    put(store, ticket(1), ticket(2, "spam"))
    store.transact(["create or replace view helpdesk.good as select * from helpdesk.tickets where body <> 'spam'"])

    extract(store, but(table="helpdesk.good", posted_at="moved"))

    assert alive(store) == {"1": "It crashes"}
    assert store.rows("select created_at from raw.texts") == [{"created_at": NOON}]
