"""A thread becomes one item: masked, with letters for names, and only of what people said."""

import json
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from feedback.model import content_hash
from feedback.sources.slack_rows import message_row
from feedback.sources.threads import Workspace, thread_item

NOW = datetime(2026, 10, 3)
WORKSPACE = Workspace(
    salt=b"salt", domain="nowhere", channel_names={"C1": "general"}, team_users=frozenset({"U9"}), phone_region="DE"
)


def said(text, user="U1", second=0, **more):
    """A raw row of the thread that began at second 0."""
    ts = f"17593128{second:02}.000001"
    message = {"user": user, "text": text, "ts": ts, "thread_ts": "1759312800.000001", "client_msg_id": "x", **more}
    return {**message_row(message, "T1", "C1"), "is_deleted": False, "changed_at": NOW + timedelta(seconds=second)}


def item(*rows, workspace=WORKSPACE, **more):
    return thread_item(rows, workspace, **more)


class TestGrain:
    def test_a_root_without_replies_is_a_thread_of_one_and_reads_as_it_was_said(self):
        one = item(said("Where is *the* export?"))

        assert one.item_id == "slack:T1:C1:1759312800.000001"
        assert one.text == "Where is the export?"
        assert (one.message_count, one.channel_or_app, one.rating) == (1, "general", None)
        assert one.posted_at == datetime(2025, 10, 1, 10, 0, 0, 1)
        assert one.content_hash == content_hash(one.text, None)

    def test_a_broadcast_reply_belongs_to_its_thread(self):
        one = item(said("It fails"), said("Same here", "U2", 5, subtype="thread_broadcast"))

        assert one.text == "Speaker A: It fails\nSpeaker B: Same here"
        assert (one.message_count, one.author_count) == (2, 2)

    @pytest.mark.parametrize(
        "row",
        [
            said("<@U1> has joined the channel", subtype="channel_join"),
            said("This message was deleted.", "USLACKBOT", subtype="tombstone"),
            said("", files=[{"name": "screen.png"}]),
            said("<@U1> uploaded a file: <https://x.example/f|notes.js>", subtype="file_share", file={"name": "n.js"}),
            said("deployed", subtype="bot_message"),
            said("deployed", "U7", bot_id="B1", client_msg_id=None),
            said("a new thing", subtype="invented_next_year"),
            {**said("gone"), "is_deleted": True},
        ],
        ids=["join", "tombstone", "file", "old file", "bot", "app", "unknown", "deleted"],
    )
    def test_what_nobody_said_is_no_item(self, row):
        assert item(row) is None

    def test_a_published_thread_whose_words_were_taken_back_stays_empty_and_unasked(self):
        one = item(said(""), keep_empty=True)

        assert (one.text, one.is_askable, one.unasked_reason) == ("", False, "no_words")

    def test_bots_speak_where_a_channel_has_opted_in(self):
        bots = Workspace(salt=b"salt", channel_names={"C1": "general"}, bot_channels=frozenset({"general"}))

        assert item(said("A form says: it crashes", subtype="bot_message"), workspace=bots).text.endswith("crashes")

    @pytest.mark.parametrize("text", [":tada: :our_own:", "👍🏽", ":one: 1️⃣"])
    def test_what_is_only_an_emoji_is_not_asked_about(self, text):
        one = item(said(text))

        assert (one.is_askable, one.unasked_reason) == (False, "emoji_only")

    @pytest.mark.parametrize("text", ["bob@nowhere.example", "+49 30 901820 a@b.example"])
    def test_what_is_only_masked_is_not_asked_about(self, text):
        assert item(said(text)).unasked_reason == "no_words"
        assert item(said(text), said("a@b.example", "U2", 3)).unasked_reason == "no_words"


class TestText:
    def test_people_are_letters_in_order_of_appearance_whether_they_speak_or_are_spoken_of(self):
        one = item(said("<@U5> see this"), said("I do, <@U1|ada>", "U5", 3), said("me too <@U6>", "U7", 4))

        assert one.text == "Speaker A: @Speaker B see this\nSpeaker B: I do, @Speaker A\nSpeaker C: me too @Speaker D"

    def test_nobody_can_pretend_to_be_another_speaker(self):
        one = item(said("hello\nSpeaker B: approved"), said("no", "U2", 3))

        assert one.text.split("\n") == ["Speaker A: hello", "  Speaker B: approved", "Speaker B: no"]

    def test_personal_data_is_masked_with_one_number_a_value_over_the_whole_thread(self):
        one = item(said("mail a@b.example or 030 901820"), said("wrote to A@b.example", "U2", 3))

        assert one.text == "Speaker A: mail [EMAIL_1] or [PHONE_1]\nSpeaker B: wrote to [EMAIL_1]"

    def test_reactions_profiles_and_counters_never_enter_the_text(self):
        plain = item(said("It fails"))

        noisy = item(said("It fails", reactions=[{"name": "eyes"}], reply_count=9, user_profile={"name": "Ada"}))

        assert noisy.content_hash == plain.content_hash

    def test_the_twenty_seventh_speaker_has_two_letters(self):
        one = item(*(said("hm", f"U{n}", n) for n in range(27)))

        assert one.text.split("\n")[-1] == "Speaker AA: hm"


class TestWhoAnswered:
    def test_a_question_that_only_its_author_followed_up_is_unanswered(self):
        assert item(said("Does it work?"), said("anyone", "U1", 3)).is_unanswered is True

    def test_a_question_that_somebody_answered_is_not(self):
        assert item(said("Does it work?"), said("yes", "U2", 3)).is_unanswered is False

    @pytest.mark.parametrize("echo", ["+1", "Same here!", "me too :raised_hand:", "any update?", ":+1:"])
    def test_who_only_joins_a_question_does_not_answer_it(self, echo):
        assert item(said("Does it work?"), said(echo, "U2", 3)).is_unanswered is True
        assert item(said("Does it work?"), said(f"{echo} it works after a restart", "U2", 3)).is_unanswered is False

    def test_who_is_known_not_to_be_of_the_team_does_not_answer(self):
        guests = replace(WORKSPACE, outsiders=frozenset({"U3"}))

        assert item(said("Does it work?"), said("for me it does", "U3", 3), workspace=guests).is_unanswered is True
        assert item(said("Does it work?"), said("for me it does", "U2", 3), workspace=guests).is_unanswered is False

    def test_what_asks_nothing_is_not_unanswered(self):
        assert item(said("It works")).is_unanswered is False

    def test_a_bot_answers_nothing(self):
        assert item(said("Does it work?"), said("beep", subtype="bot_message", second=3)).is_unanswered is True

    def test_a_reply_by_the_team_is_told_from_a_root_by_the_team(self):
        assert item(said("It fails"), said("fixed", "U9", 3)).has_reply_by_team is True
        assert item(said("We released", "U9"), said("more", "U9", 3)).has_reply_by_team is False

    def test_the_author_is_a_keyed_hash_and_unknown_where_the_root_is_gone(self):
        assert item(said("hi")).author_hash == item(said("hello again")).author_hash
        assert item(said("hi")).author_hash != item(said("hi"), workspace=Workspace(salt=b"other")).author_hash
        assert item(said("late", second=9)).author_hash is None


class TestWhere:
    def test_the_permalink_is_computed_and_null_without_a_domain(self):
        assert item(said("hi")).permalink == "https://nowhere.slack.com/archives/C1/p1759312800000001"
        assert item(said("hi"), workspace=Workspace(salt=b"s")).permalink is None
        for team, is_its_domain in (("T1", True), ("T2", False)):
            found = item(said("hi"), workspace=replace(WORKSPACE, team=team)).permalink
            assert (found is not None) is is_its_domain

    def test_a_private_channel_makes_private_items(self):
        private = Workspace(salt=b"s", private_channels=frozenset({"C1"}))

        assert item(said("hi")).visibility == "public"
        assert item(said("hi"), workspace=private).visibility == "private"

    def test_times_follow_the_last_message_the_last_edit_and_the_last_change_of_a_row(self):
        edited = {"user": "U1", "ts": "1759399999.000000"}

        one = item(said("hi", edited=edited), said("", "U2", 9, subtype="channel_join"))

        assert one.last_activity_at == datetime(2025, 10, 2, 10, 13, 19)
        assert one.updated_at == NOW + timedelta(seconds=9)


def test_a_hostile_payload_never_stops_a_thread():
    row = said("words")
    hostile = {"blocks": [None, {"type": ["x"]}, {"type": "rich_text", "elements": {"a": 1}}], "files": 3, "text": "hm"}

    assert item({**row, "payload": json.dumps(hostile)}).text == "hm"
