"""What every warehouse promises beneath the merges: queries, transactions, migrations, views."""

from __future__ import annotations

import json
from datetime import datetime

import pytest

from feedback.errors import WarehouseError
from feedback.warehouse.merge import append, incoming

pytestmark = pytest.mark.filterwarnings("ignore:Arrow output on a DB-API result")

NOON = datetime(2026, 11, 2, 12)
LINEAGE = {"content_hash": "c", "prompt_version": "p", "decided_by": "llm", "run_id": "r", "engine_version": "1"}


def item(item_id, **more):
    row = {"item_id": item_id, "source": "slack", "source_key": item_id, "channel_or_app": "help", "text": "t"}
    row |= {"visibility": "public", "posted_at": NOON, "last_activity_at": NOON, "message_count": 1, "author_count": 1}
    row |= {"has_reply_by_team": False, "content_hash": "c", "is_askable": True, "first_run_id": "r", "run_id": "r"}
    return row | {"updated_at": NOON} | more


def answer(item_id, **more):
    return {"item_id": item_id, "is_stale": False, "answered_at": NOON, **LINEAGE, **more}


def entity(entity_id, name, merged_into=None):
    row = {"entity_id": entity_id, "kind": "product", "canonical_name": name, "is_competitor": False}
    return row | {
        "status": "merged" if merged_into else "active",
        "merged_into": merged_into,
        "created_at": NOON,
        "run_id": "r",
    }


class TestReading:
    def test_gives_plain_values_under_lower_case_names(self, store):
        sql = "select 1 as A, 'x' as b, true as c, cast(null as timestamp_ntz) as d, cast(? as varchar) as e"

        assert store.rows(sql, ("y",)) == [{"a": 1, "b": "x", "c": True, "d": None, "e": "y"}]

    def test_gives_arrow_in_the_same_types(self, store):
        append(store, "ops.source_state", [{"source": "s", "state": {"a": 1}, "run_id": "r", "updated_at": NOON}])

        found = store.arrow("select source, state, updated_at, 1.5 / 3 as half from ops.source_state")
        assert [str(kind) for kind in found.schema.types] == ["string", "string", "timestamp[us]", "double"]
        assert json.loads(found.to_pylist()[0]["state"]) == {"a": 1}

    def test_gives_typed_columns_without_rows(self, store):
        found = store.arrow("select source, updated_at from ops.source_state where source = ?", ("none",))

        assert (found.num_rows, found.column_names) == (0, ["source", "updated_at"])

    def test_joins_rows_of_ours(self, store):
        append(store, "ops.source_state", [{"source": "s", "state": None, "run_id": "r", "updated_at": NOON}])
        wanted = incoming(store, "ops.source_state", [{"source": "s"}, {"source": "t"}])

        found = store.arrow(
            "select state.source from ops.source_state as state"
            " join incoming.wanted as wanted on wanted.source = state.source where state.run_id = ?",
            ("r",),
            {"wanted": wanted},
        )

        assert found.to_pylist() == [{"source": "s"}]

    def test_names_a_table_that_is_not_there_or_where_to_look(self, store):
        with pytest.raises(WarehouseError, match=r"refused"):
            store.rows("select * from ops.nothing")


class TestTransact:
    def test_does_all_or_nothing(self, store, refused):
        kept = "insert into ops.tombstones select 'review', 'a', 'deleted', 'r', cast(? as timestamp_ntz)"
        bad = "insert into ops.tombstones select 'review', null, 'deleted', 'r', cast(? as timestamp_ntz)"

        with pytest.raises(refused):
            store.transact([(kept, (NOON,)), (bad, (NOON,))])
        assert store.rows("select * from ops.tombstones") == []

        store.transact([(kept, (NOON,)), (kept, (NOON,))])
        assert store.rows("select count(*) as n from ops.tombstones") == [{"n": 2}]

    def test_takes_relations_from_before_it_began(self, store):
        state = {"source": "a", "state": None, "run_id": "r", "updated_at": NOON}
        append(store, "ops.source_state", [state])
        new = incoming(store, "ops.source_state", [state | {"source": "b"}])

        store.transact(
            [
                "delete from ops.source_state",
                "insert into ops.source_state (source, run_id, updated_at)"
                " select source, run_id, updated_at from incoming.both_of_them",
            ],
            {
                "new": new,
                "both_of_them": (
                    "select source, run_id, updated_at from ops.source_state where source = ?"
                    " union all select source, run_id, updated_at from incoming.new",
                    ("a",),
                ),
            },
        )

        assert [row["source"] for row in store.rows("select source from ops.source_state order by source")] == [
            "a",
            "b",
        ]

    def test_leaves_no_table_of_its_own_behind(self, store):
        with pytest.raises(WarehouseError):
            store.transact(["select no_such_column from incoming.x"], {"x": "select 1 as a"})

        names = store.rows(
            "select table_name as n from information_schema.tables where lower(table_name) like '%incoming%'"
        )
        assert names == []


class TestMigrate:
    def test_does_nothing_the_second_time(self, store):
        assert store.migrate() == []

    def test_remembers_what_was_applied(self, store):
        names = [row["name"] for row in store.rows("select name from ops.schema_version order by version, name")]

        assert names[:2] == ["0000_schema_version.sql", "views"]
        assert "0001_raw.sql" in names


class TestViews:
    def test_follow_an_entity_to_what_it_is_today(self, store):
        chain = [entity("e1", "Acme", "e2"), entity("e2", "ACME", "e3"), entity("e3", "ACME Inc")]
        append(store, "feedback.entities", [*chain, entity("e4", "Other")])

        found = store.rows(
            "select entity_id, current_entity_id, canonical_name from feedback.entities_current order by 1"
        )
        assert [tuple(row.values()) for row in found] == [
            ("e1", "e3", "ACME Inc"),
            ("e2", "e3", "ACME Inc"),
            ("e3", "e3", "ACME Inc"),
            ("e4", "e4", "Other"),
        ]

    def test_end_where_entities_were_merged_in_a_circle(self, store):
        append(store, "feedback.entities", [entity("e1", "A", "e2"), entity("e2", "B", "e1")])

        found = store.rows("select entity_id from feedback.entities_current order by 1")
        assert [row["entity_id"] for row in found] == ["e1", "e2"]

    def test_show_one_row_for_an_item_with_everything_published_about_it(self, store):
        append(store, "feedback.items", [item("full", rating=2), item("bare")])
        append(store, "feedback.sentiment", [answer("full", label="negative", score=-0.5)])
        append(store, "feedback.intent", [answer("full", label="question", is_stale=True)])
        append(store, "feedback.area", [answer("full", label=label) for label in ("search", "billing")])
        mention = {"mention_id": "m1", "kind": "product", "surface": "acme", "norm": "acme"}
        unresolved = mention | {"mention_id": "m2", "surface": 'a "quoted" \\ name', "norm": "x"}
        append(store, "feedback.mentions", [answer("full", **mention), answer("full", **unresolved)])
        append(store, "feedback.entities", [entity("e1", "Acme", "e2"), entity("e2", "ACME Inc")])
        name = {"kind": "product", "norm": "acme", "entity_id": "e1", "score": 1.0, "decision_id": "d", "run_id": "r"}
        append(store, "feedback.entity_names", [name])

        bare, full = store.rows("select * from marts.feedback_wide order by item_id")
        assert (full["sentiment"], full["sentiment_score"], full["intent"], full["is_stale"]) == (
            "negative",
            -0.5,
            "question",
            True,
        )
        assert json.loads(full["areas"]) == ["billing", "search"]
        assert json.loads(full["entities"]) == ["ACME Inc", 'a "quoted" \\ name']
        assert (bare["sentiment"], bare["areas"], bare["entities"], bare["is_stale"]) == (None, "[]", "[]", False)
