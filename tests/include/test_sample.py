"""The bundled sample holds what a newcomer, and every other test, is promised to find there."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

import pytest

from include.enrichments import ENRICHMENTS
from include.enrichments.mentions import Mention

SAMPLE = Path(__file__).resolve().parents[2] / "include" / "sample"
EXPORT = SAMPLE / "slack_export"
STORE_HOSTS = {"itunes.apple.com", "apps.apple.com", "www.apple.com", "play.google.com"}
"""Where the feed and the reports link to by their nature."""
RESERVED = re.compile(r"(?:^|\.)(?:example\.(?:com|org)|invalid)$")
HEADER = (
    "Package Name,App Version Code,App Version Name,Reviewer Language,Device,Review Submit Date and Time,"
    "Review Submit Millis Since Epoch,Review Last Update Date and Time,Review Last Update Millis Since Epoch,"
    "Star Rating,Review Title,Review Text,Developer Reply Date and Time,Developer Reply Millis Since Epoch,"
    "Developer Reply Text,Review Link"
)


def read(path: Path):
    return json.loads(path.read_text(encoding="utf-8"))


def play_id(row: dict[str, str]) -> str | None:
    found = re.search(r"reviewId=([^&]+)", row["Review Link"])
    return found[1] if found else None


@pytest.fixture(scope="module")
def channels():
    return {channel["name"]: channel for channel in read(EXPORT / "channels.json")}


@pytest.fixture(scope="module")
def days():
    return {path: read(path) for path in sorted(EXPORT.glob("*/*.json"))}


@pytest.fixture(scope="module")
def messages(days):
    return [message | {"channel": path.parent.name} for path, day in days.items() for message in day]


@pytest.fixture(scope="module")
def threads(messages):
    """The messages of every thread that has replies, the first one first."""
    roots = {root["ts"]: [root] for root in messages if root.get("reply_count")}
    for message in messages:
        if message.get("thread_ts", message["ts"]) != message["ts"]:
            roots[message["thread_ts"]].append(message)
    return roots


@pytest.fixture(scope="module")
def months():
    found = {}
    for path in sorted((SAMPLE / "google_play").glob("*.csv")):
        content = path.read_bytes()
        assert content.startswith(b"\xff\xfe")
        found[path.stem[-6:]] = list(csv.DictReader(io.StringIO(content.decode("utf-16"), newline="")))
    return found


@pytest.fixture(scope="module")
def play(months):
    """The last version of each Play review that has words."""
    rows = sorted((row for rows in months.values() for row in rows), key=last_update)
    return {play_id(row): row for row in rows if play_id(row)}


def last_update(row: dict[str, str]) -> int:
    return int(row["Review Last Update Millis Since Epoch"])


@pytest.fixture(scope="module")
def pages():
    return {path.stem: read(path)["feed"] for path in sorted((SAMPLE / "itunes").glob("*.json"))}


@pytest.fixture(scope="module")
def entries(pages):
    found = []
    for feed in pages.values():
        entry = feed.get("entry", [])
        found += [one for one in (entry if isinstance(entry, list) else [entry]) if "im:rating" in one]
    return found


@pytest.fixture(scope="module")
def golden():
    return [json.loads(line) for line in (SAMPLE / "golden.jsonl").read_text(encoding="utf-8").splitlines()]


def test_slack_has_250_messages_and_70_threads_over_six_weeks(messages, threads):
    assert len(messages) >= 250
    assert len(threads) >= 70
    weeks = Counter(datetime.fromtimestamp(int(message["ts"].split(".")[0]), UTC).isocalendar() for message in messages)
    assert {day.week for day in weeks} == {41, 42, 43, 44, 45, 46}
    assert {day.year for day in weeks} == {2026}


def test_every_timestamp_is_unique_and_lies_in_the_file_of_its_day(days):
    seen = Counter(message["ts"] for day in days.values() for message in day)
    assert max(seen.values()) == 1
    for path, day in days.items():
        assert {datetime.fromtimestamp(int(m["ts"].split(".")[0]), UTC).date().isoformat() for m in day} == {path.stem}
        assert [m["ts"] for m in day] == sorted(m["ts"] for m in day)


def test_ids_are_unique_and_everybody_who_writes_is_listed(channels, messages):
    users = [user["id"] for user in read(EXPORT / "users.json")]
    assert len(set(users)) == len(users) <= 20
    assert len({channel["id"] for channel in channels.values()}) == len(channels)
    assert {message["channel"] for message in messages} == set(channels)
    assert {message["user"] for message in messages if "user" in message} <= {*users, "USLACKBOT"}


def test_roots_count_their_replies(threads):
    for ts, (root, *replies) in threads.items():
        assert root["thread_ts"] == ts
        assert root["reply_count"] == len(replies)
        assert [reply["ts"] for reply in root["replies"]] == sorted(reply["ts"] for reply in replies)
        assert root["latest_reply"] == root["replies"][-1]["ts"]


def test_replies_come_days_later_and_in_files_of_their_own(threads):
    lags = [float(reply["ts"]) - float(root["ts"]) for root, *replies in threads.values() for reply in replies]
    assert sum(lag > timedelta(days=1).total_seconds() for lag in lags) >= 30
    assert sum(lag > timedelta(days=7).total_seconds() for lag in lags) >= 5


def test_slack_holds_what_real_exports_hold(messages):
    kinds = {message.get("subtype") for message in messages}
    assert kinds >= {"channel_join", "bot_message", "thread_broadcast", "tombstone", "file_share", "me_message"}
    assert sum("edited" in message for message in messages) >= 8
    assert sum("blocks" in message for message in messages) >= 100
    assert any(message["text"] == "" and "blocks" in message for message in messages)
    assert any(message["text"] == "" and "files" in message for message in messages)
    assert any("attachments" in message for message in messages)
    assert any("reactions" in message for message in messages)
    written = "\n".join(message["text"] for message in messages)
    for part in ("```", "<@U", "<#C", "<!here>", "<!subteam^", "<https://", "&amp;", "&gt;", ":bee:"):
        assert part in written


def test_nobody_answered_several_questions_of_the_last_two_weeks(messages):
    open_questions = [
        message
        for message in messages
        if message["channel"] == "support-questions" and "thread_ts" not in message and message["ts"] >= "1793577600"
    ]
    assert sum("?" in message["text"] for message in open_questions) >= 6


def test_many_languages_are_spoken(messages, months, pages):
    slack = "\n".join(message["text"] for message in messages)
    for word in (" nicht ", " una ", " mais ", " não ", "ました"):
        assert word in slack
    spoken = {row["Reviewer Language"].split("-")[0] for rows in months.values() for row in rows}
    assert spoken >= {"en", "de", "es", "fr", "pt", "ja", "it", "nl", "pl"}
    assert {name.split("-")[0] for name in pages} >= {"us", "gb", "de", "fr", "jp", "es"}


@pytest.mark.parametrize("secret", ["4111 1111 1111 1111", "DE89 3704 0044 0532 0130 00", "555-01", "@example.org"])
def test_slack_holds_personal_data_to_mask(messages, secret):
    assert any(secret in message["text"] for message in messages)


def test_every_source_holds_an_injection_attempt(messages, play, entries):
    slack = [message["text"] for message in messages]
    feed = [entry["content"]["label"] for entry in entries]
    for texts in (slack, [row["Review Text"] for row in play.values()], feed):
        assert any(re.search(r"(ignore|disregard) (all|the)", text, re.IGNORECASE) for text in texts)


def test_play_has_200_reviews_as_play_console_writes_them(months, play):
    assert list(months) == ["202610", "202611"]
    assert all(",".join(rows[0]) == HEADER for rows in months.values())
    assert len(play) >= 200
    assert len({(row["Review Title"], row["Review Text"]) for row in play.values()}) == len(play)
    assert sum("\n" in row["Review Text"] for row in play.values()) >= 5
    assert sum(bool(row["Developer Reply Text"]) for row in play.values()) >= 10


def test_play_has_ratings_without_words(months):
    silent = [row for rows in months.values() for row in rows if not row["Review Link"]]
    assert len(silent) >= 10
    assert not any(row["Review Text"] or row["Review Title"] for row in silent)


def test_edited_play_reviews_come_again_in_the_later_month(months):
    before, after = ({play_id(row): row for row in months[month] if play_id(row)} for month in ("202610", "202611"))
    again = before.keys() & after.keys()
    assert sum(last_update(after[one]) > last_update(before[one]) for one in again) >= 5
    assert any(before[one] == after[one] for one in again)


def test_the_feed_has_200_reviews_over_several_countries(pages, entries):
    assert len({entry["id"]["label"] for entry in entries}) >= 200
    assert max(len(feed["entry"]) for feed in pages.values() if isinstance(feed.get("entry"), list)) >= 50
    texts = {(entry["id"]["label"], entry["content"]["label"]) for entry in entries}
    assert len({text for _, text in texts}) == len(texts)
    assert len(texts) > len({entry["id"]["label"] for entry in entries}), "an edited review is met twice"


def test_the_feed_has_pages_of_every_shape(pages):
    assert "entry" not in pages["it-page-1"]
    assert isinstance(pages["br-page-1"]["entry"], dict)
    assert "im:rating" not in pages["de-page-1"]["entry"][0]


def test_the_stores_tell_the_story_of_the_release(months):
    stars = {"before": [], "broken": []}
    for rows in months.values():
        for row in rows:
            day = row["Review Last Update Date and Time"][:10]
            if day < "2026-10-14":
                stars["before"].append(int(row["Star Rating"]))
            elif "2026-10-28" <= day < "2026-11-12":
                stars["broken"].append(int(row["Star Rating"]))
    average = {period: sum(given) / len(given) for period, given in stars.items()}
    assert average["before"] > 4 > 2.5 > average["broken"]


def test_golden_answers_name_items_that_exist(golden, channels, messages, play, entries):
    slack = {(channels[message["channel"]]["id"], message["ts"]): message for message in messages}
    known = {f"slack:{message['team']}:{channel}:{ts}" for (channel, ts), message in slack.items() if "team" in message}
    known |= {f"google_play:{row['Package Name']}:{one}" for one, row in play.items()}
    known |= {f"itunes:9990041726:{entry['id']['label']}" for entry in entries}
    ids = [line["item_id"] for line in golden]
    assert len(ids) >= 120
    assert len(set(ids)) == len(ids)
    assert set(ids) <= known
    assert {one.split(":")[0] for one in ids} == {"slack", "google_play", "itunes"}


GOLDEN = ("sentiment", "intent", "area", "mentions")


def test_golden_answers_use_the_labels_of_the_enrichments(golden):
    labels = {enrichment.name: set(enrichment.labels) for enrichment in ENRICHMENTS}
    kinds = set(get_args(Mention.model_fields["kind"].annotation))
    for line in golden:
        assert {"item_id", "author", *GOLDEN} <= set(line) <= {"item_id", "author", *labels}
        assert line["sentiment"] in labels["sentiment"]
        assert line["intent"] in labels["intent"]
        assert set(line["area"]) <= labels["area"]
        assert len(set(line["area"])) == len(line["area"]) <= 3
        assert {mention["kind"] for mention in line["mentions"]} <= kinds
    for name in ("sentiment", "intent"):
        assert {line[name] for line in golden} == labels[name]


def test_golden_mentions_occur_in_the_reviews(golden, play, entries):
    texts = {row_id: f"{row['Review Title']}\n{row['Review Text']}" for row_id, row in play.items()}
    for entry in sorted(entries, key=lambda entry: entry["updated"]["label"]):
        texts[entry["id"]["label"]] = f"{entry['title']['label']}\n{entry['content']['label']}"
    for line in golden:
        if (one := line["item_id"].rsplit(":", 1)[1]) in texts:
            assert all(mention["surface"] in texts[one] for mention in line["mentions"]), line


def test_no_address_of_the_sample_exists_in_the_world():
    written = [path.read_text(encoding="utf-8") for path in SAMPLE.rglob("*.json*")]
    written += [path.read_bytes().decode("utf-16") for path in SAMPLE.rglob("*.csv")]
    text = "\n".join(written)
    mails = set(re.findall(r"[\w.+-]+@([\w-]+(?:\.[\w-]+)+)", text))
    hosts = set(re.findall(r"https?://([\w.-]+)", text)) - STORE_HOSTS
    assert mails
    assert [host for host in mails | hosts if not RESERVED.search(host)] == []
