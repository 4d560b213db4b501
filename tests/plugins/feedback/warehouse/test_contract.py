"""The tables and columns that people and tools outside rely on: named here by hand, so that no migration loses one."""

from __future__ import annotations

from pathlib import Path

import pytest

pytestmark = pytest.mark.filterwarnings("ignore:Arrow output on a DB-API result")

SQL = Path(__file__).resolve().parents[4] / "include/sql"
LINEAGE = "content_hash prompt_version model decided_by is_stale call_id run_id engine_version answered_at"
PROMISED = {
    "raw.slack_messages": "team_id channel_id ts thread_ts user_id subtype text payload edited_at is_deleted row_hash"
    " first_seen_at changed_at run_id",
    "raw.slack_messages_history": "team_id channel_id ts valid_from text payload edited_at",
    "raw.slack_channels": "team_id id name payload",
    "raw.slack_users": "team_id id name payload",
    "raw.app_reviews": "store app_id review_id rating title body author language territory app_version created_at"
    " updated_at reply_text replied_at payload is_deleted row_hash first_seen_at changed_at run_id",
    "raw.app_reviews_history": "store app_id review_id valid_from rating title body",
    "feedback.items": "item_id source source_key permalink author_hash channel_or_app text rating language territory"
    " app_version visibility posted_at last_activity_at message_count author_count has_reply_by_team is_unanswered"
    " content_hash is_askable unasked_reason first_run_id updated_at",
    "feedback.sentiment": f"item_id label score quote confidence {LINEAGE}",
    "feedback.intent": f"item_id label quote confidence {LINEAGE}",
    "feedback.area": f"item_id label quote confidence {LINEAGE}",
    "feedback.mentions": f"mention_id item_id kind surface norm quote {LINEAGE}",
    "feedback.entity_names": "kind norm entity_id score decision_id",
    "feedback.entities": "entity_id kind canonical_name is_competitor status merged_into created_at",
    "feedback.entities_current": "entity_id",
    "feedback.mentions_resolved": "mention_id",
    "feedback.entity_reasons": "kind norm entity_id canonical_name reason candidate verdict decided_by score model"
    " prompt_version call_id evidence decided_at decision_id",
    "feedback.answers_history": "item_id enrichment answered_at",
    "ops.answers": "item_id enrichment status content_hash prompt_version model rows_out reason run_id",
    "ops.llm_answers": "answer_key enrichment answer co_asked call_id answered_at",
    "ops.llm_calls": "call_id purpose dag_id task_id run_id attempt model mode batch_id prompt_versions row_count"
    " status reserved_usd cost_usd input_tokens cached_tokens cache_write_tokens output_tokens reasoning_tokens"
    " http_status started_at finished_at",
    "ops.entity_decisions": "decision_id kind norm candidate verdict decided_by score model prompt_version call_id"
    " evidence run_id decided_at",
    "ops.entity_events": "event_id entity_id event norm other_entity_id decision_id run_id created_at",
    "ops.entity_overrides": "override_id kind norm other_norm verdict author created_at",
    "ops.case_names": "case_id kind norm",
    "ops.quarantine": "subject row_key rule content_hash prompt_version item_id severity reason status first_run_id"
    " last_run_id",
    "ops.validations": "run_id subject rule slice severity outcome failed total measured bound decision",
    "ops.cases": "case_id subject run_id rules state author decided_at",
    "ops.incidents": "incident_id key state first_run_id last_run_id count channel message_ts",
    "ops.posts": "post_key kind channel status ts body_sha",
    "ops.source_state": "",
    "ops.slack_threads": "",
    "ops.coverage": "",
    "ops.tombstones": "",
    "ops.loads": "",
    "ops.golden": "",
    "ops.reports": "",
    "ops.schema_version": "",
    "marts.feedback_wide": "item_id is_stale",
}
STAGED = ("items", "sentiment", "intent", "area", "mentions", "entity_names", "entities")


@pytest.fixture
def columns(store):
    """Every column of ours as the engine knows it, by table."""
    found: dict[str, set[str]] = {}
    for row in store.rows(
        "select lower(table_schema) as s, lower(table_name) as t, lower(column_name) as c"
        " from information_schema.columns"
    ):
        found.setdefault(f"{row['s']}.{row['t']}", set()).add(row["c"])
    return found


def test_has_every_table_and_column_of_the_contract(columns):
    missing = {
        f"{table}.{column}"
        for table, names in PROMISED.items()
        for column in names.split()
        if column not in columns.get(table, ())
    }

    assert missing == set()
    assert set(PROMISED) - set(columns) == set()


@pytest.mark.parametrize("table", STAGED)
def test_has_a_staged_twin_of_each_published_table_with_all_its_columns(columns, table):
    assert columns[f"feedback.{table}"] <= columns[f"staging.{table}"]


def test_names_no_column_with_a_reserved_word_of_snowflake(columns):
    from include.cli.check_sql import reserved_words

    reserved = reserved_words(SQL)
    ours = {name for table, names in columns.items() if table.split(".")[0] != "information_schema" for name in names}

    assert len(reserved) > 80
    assert ours & reserved == set()


def test_can_repeat_every_ddl_statement(store):
    from feedback.warehouse.sql_text import statements

    before = store.rows("select count(*) as n from information_schema.columns")
    files = [*sorted((SQL / "ddl").glob("*.sql")), *sorted((SQL / "views").glob("*.sql"))]
    store.transact([step for file in files for step in statements(file.read_text("utf-8"))])

    assert store.rows("select count(*) as n from information_schema.columns") == before
