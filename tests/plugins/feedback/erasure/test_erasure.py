"""An author's words leave every table and every file, and no load brings them back; what others said stays."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from feedback.erasure.plan import carry_out
from feedback.erasure.scope import Author, author_of, of_author, of_item
from feedback.errors import InputRefused, SettingError
from feedback.llm.ledger import answer_key
from feedback.llm.prices import Model
from feedback.model import Batch, content_hash
from feedback.notifications import posting
from feedback.notifications.digests import post_digests
from feedback.operators.extract_operator import ExtractOperator
from feedback.sources.itunes_pages import ItunesPages
from feedback.sources.slack_export import SlackExport
from feedback.sources.slack_rows import message_row
from feedback.warehouse.duckdb import DuckDBWarehouse
from include.enrichments import ENRICHMENTS
from tests.plugins.feedback.erasure.world import ADA, BO, MARK, OTHER, SALT, SLACK, STORE, World, messages, review, said
from tests.plugins.feedback.notifications.slack_channel import served

TABLES = {
    *("raw.slack_messages", "raw.slack_messages_history", "raw.slack_users", "raw.slack_channels", "raw.app_reviews"),
    *("feedback.items", "feedback.sentiment", "feedback.intent", "feedback.area", "feedback.mentions"),
    *("feedback.answers_history", "feedback.entities", "feedback.entity_names", "feedback.entities_current"),
    *("feedback.mentions_resolved", "feedback.entity_reasons", "marts.feedback_wide"),
    *("ops.entity_decisions", "ops.entity_events"),
    *(
        "ops.llm_answers",
        "ops.golden",
        "ops.golden_answers",
        "ops.posts",
        "ops.reports",
        "staging.items",
        "staging.mentions",
        "staging.sentiment",
    ),
    *("staging.intent", "staging.area"),
}
FILES = {
    *("warehouse.duckdb", "backups/warehouse-1.duckdb", "warehouse.duckdb.before-0009-x"),
    *("report/index.html", "digest"),
}


class Dying(DuckDBWarehouse):
    """Ends where the file would be written anew."""

    def compact(self):
        raise KeyboardInterrupt


def count(world, table, condition="1 = 1"):
    return world.warehouse.rows(f"select count(*) as n from {table} where {condition}")[0]["n"]


def test_a_plan_touches_nothing(world):
    found = world.plan(of_author(SLACK))

    files = {file.partition("/")[0] if file.startswith("digest") else file for file in world.files_with(MARK)}
    assert world.tables_with(MARK) == TABLES
    assert files == FILES
    assert found.counts["raw.slack_messages"] == 3 + 2
    assert {path.name for path in found.files} >= {"index.html", "warehouse-1.duckdb", "warehouse.duckdb.before-0009-x"}


def test_a_digest_in_slack_of_which_nothing_could_be_left_is_listed_for_a_person(world):
    strange = json.dumps({"text": f"{MARK} rises", "lines": "none"})
    told = ("update ops.posts set status = 'posted', ts = '1.2', body = parse_json(?)", (strange,))
    world.warehouse.transact([told])
    found = world.plan(of_author(STORE))
    (posted,) = found.posted
    assert posted.startswith("digest:all:")
    assert posted.endswith(" in channel C1, 1.2")
    assert (found.counts["ops.posts"], found.owed) == (1, ())
    carry_out(world.warehouse, found, world.run, SALT)
    assert world.warehouse.rows("select status, ts, body from ops.posts") == [
        {"status": "posted", "ts": "1.2", "body": None}
    ]


@pytest.mark.parametrize("fault", ["", "drop"])
def test_a_digest_that_is_in_slack_is_changed_there_to_what_is_left(world, monkeypatch, fault):
    monkeypatch.setattr(posting, "AT_WORK", timedelta(0))
    with served() as channel:
        channel.faults = [fault]
        post_digests(world.warehouse, channel.client, {"all": "C1"})
        assert MARK in str(channel.messages).casefold()
        (before,) = channel.messages

        (owed,) = world.plan(of_author(STORE)).owed
        assert owed.startswith("digest:all:")
        world.erase(of_author(SLACK), of_author(STORE))
        assert MARK not in str(world.warehouse.rows("select body from ops.posts")).casefold()
        assert post_digests(world.warehouse, channel.client, {"all": "C1"}) == 1

        (after,) = channel.messages
        assert MARK not in str(after).casefold()
        assert OTHER in str(after).casefold()
        assert after["ts"] == before["ts"]
        assert post_digests(world.warehouse, channel.client, {"all": "C1"}) == 0


def test_a_digest_that_waits_for_slack_is_written_anew(erased):
    assert count(erased, "ops.posts") == 0


def test_what_a_killed_task_has_paid_for_is_found_in_the_ledger(world):
    assert "journal/1.jsonl" in world.files_with(MARK)

    found = world.plan(of_author(SLACK))

    assert "journal/1.jsonl" not in world.files_with(MARK)
    assert count(world, "ops.llm_answers", "model = 'another'") == 1
    carry_out(world.warehouse, found, world.run, SALT)
    assert count(world, "ops.llm_answers", "model = 'another'") == 0


def test_nothing_is_left_in_any_table_or_file(erased):
    assert erased.tables_with(MARK) == set()
    assert erased.files_with(MARK) == set()
    assert count(erased, "staging.erasing") == 0


def test_paid_answers_about_other_texts_are_kept(erased):
    texts = [f"{OTHER} is great. Nothing else.", f"{OTHER} is fine"]

    kept = {row["answer_key"] for row in erased.warehouse.rows("select answer_key from ops.llm_answers")}

    ratings = {texts[0]: None, texts[1]: 1}
    assert kept == {
        answer_key(content_hash(text, ratings[text]), enrichment, Model("m"))
        for text in texts
        for enrichment in ENRICHMENTS
    }


def test_what_others_said_is_published_again(erased):
    erased.items()
    erased.enrich()

    texts = [row["text"] for row in erased.warehouse.rows("select text from feedback.items order by item_id")]
    assert [OTHER in text for text in texts] == [True] * 4
    assert erased.tables_with(MARK) == set()
    assert count(erased, "ops.answers", "status <> 'answered'") == 0


def test_no_load_brings_the_words_back(erased):
    old = [*messages(), said(ADA, f"{MARK} said before", "1659313100.000001")]
    live = [message_row(message, "T1", "C1") for message in [*messages(edit=" live"), said(ADA, MARK, "1.0")]]

    class Api:
        name = "slack_api"

        def extract(self, past):
            yield Batch("slack_api", "C1", "raw.slack_messages", live, "a load", is_live=True)

    erased.extract(SlackExport(erased.export(old)), Api())
    erased.extract(ItunesPages(erased.pages(review(1, "Ada L.", f"{MARK} lost more"), review(9, "Ada L.", MARK))))

    assert erased.tables_with(MARK) == set()
    assert "Look here." in str(erased.warehouse.rows("select text from feedback.items"))


def test_who_cannot_recognise_an_erased_author_loads_nothing(erased):
    with pytest.raises(SettingError, match="salt"):
        erased.work(ExtractOperator, source=SlackExport(erased.export(messages())))


def test_with_another_salt_an_erased_author_is_a_stranger_so_nothing_is_loaded(erased):
    source = SlackExport(erased.export([said(ADA, f"{MARK} again", "1759400000.000001")]))

    with pytest.raises(SettingError, match="another salt"):
        erased.work(ExtractOperator, source=source, salt=lambda: b"another")

    assert erased.tables_with(MARK) == set()


def test_the_tombstones_do_not_say_who_it_was(erased):
    tombstones = erased.warehouse.rows("select * from ops.tombstones")

    assert {(row["subject"], row["reason"]) for row in tombstones} == {
        ("author", "erased"),
        ("salt", "erased"),
        ("slack_message", "erased"),
        ("review", "erased"),
    }
    assert ADA not in str(tombstones)


def test_doing_it_again_does_nothing(erased):
    assert erased.plan(of_author(SLACK)).counts == {}

    erased.erase(of_author(SLACK))

    assert count(erased, "ops.tombstones", "subject = 'author'") == 2


def test_who_is_killed_before_the_file_is_clean_starts_again(world):
    killed = World(world.home, Dying(world.warehouse.path, world.warehouse.ddl), None)
    with pytest.raises(KeyboardInterrupt):
        killed.erase(of_author(SLACK), of_author(STORE))

    world.erase(of_author(SLACK), of_author(STORE))

    assert world.files_with(MARK) == set()


def test_erasing_somebody_unknown_keeps_him_out(erased):
    erased.erase(of_author(Author("slack", "U0NEW")))

    erased.extract(SlackExport(erased.export([said("U0NEW", "a first word", "1759319999.000001")])))

    assert "a first word" not in str(erased.warehouse.rows("select text from raw.slack_messages"))


def test_an_author_is_found_by_the_hash_that_is_published(world):
    (row,) = world.warehouse.rows("select author_hash from feedback.items where text like 'Where is%'")

    assert author_of(world.warehouse, SALT, row["author_hash"]) == SLACK
    with pytest.raises(InputRefused, match="author_hash"):
        author_of(world.warehouse, SALT, "0" * 64)


def test_one_item_goes_alone_and_for_good(world):
    (item,) = world.warehouse.rows("select item_id from feedback.items where source = 'itunes' and text like 'Zanz%'")

    world.erase(of_item(item["item_id"]))
    world.extract(ItunesPages(world.pages(review(1, "Ada L.", f"{MARK} changed"), review(3, "Ada L.", "a new one"))))

    texts = world.warehouse.rows("select text from feedback.items where source = 'itunes' order by text")
    assert [row["text"] for row in texts] == ["a new one", f"{OTHER} is fine"]


def test_a_name_that_others_use_too_stays(world):
    world.erase(of_author(Author("slack", BO)))

    names = {row["canonical_name"] for row in world.warehouse.rows("select canonical_name from feedback.entities")}
    assert MARK.title() in names
