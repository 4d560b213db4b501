"""A Slack export of 20,000 messages (12,000 items) and 10,000 reviews, by the offline model.

Goals: 90 s and 1.2 GB resident; a second run 20 s. The words are put together at random from a seed:
this measures speed and memory, and says nothing about accuracy.

It takes a minute and a half.
"""

from __future__ import annotations

import csv
import io
import json
import random
import tempfile
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from dump import published
from measure import parser, run, table

THREADS, THREAD_MESSAGES, SINGLES, REVIEWS = 2_000, 10_000, 10_000, 10_000
START = datetime(2026, 8, 1, tzinfo=UTC)
WORDS = (
    "the export button freezes when I open a large board and then nothing happens until I restart it "
    "sync offline invoice login password calendar search filter slow crash great love thanks please add dark mode "
    "customer team report dashboard notification email attachment price plan upgrade support answer yesterday"
).split()
COLUMNS = (
    "Package Name,App Version Code,App Version Name,Reviewer Language,Device,Review Submit Date and Time,"
    "Review Submit Millis Since Epoch,Review Last Update Date and Time,Review Last Update Millis Since Epoch,"
    "Star Rating,Review Title,Review Text,Developer Reply Date and Time,Developer Reply Millis Since Epoch,"
    "Developer Reply Text,Review Link"
).split(",")


def sentence(chance: random.Random) -> str:
    """Return words that look like a message and mean nothing."""
    return " ".join(chance.choices(WORDS, k=chance.randint(6, 30))).capitalize() + chance.choice(".?!")


def messages(chance: random.Random) -> dict[str, list[dict[str, object]]]:
    """Return the export's messages by day file."""
    days: dict[str, list[dict[str, object]]] = {}
    sizes = [THREAD_MESSAGES // THREADS] * THREADS + [1] * SINGLES
    for number, size in enumerate(sizes):
        began = START + timedelta(seconds=chance.randrange(90 * 86_400), microseconds=number)
        root = f"{began.timestamp():.6f}"
        for reply in range(size):
            when = began + timedelta(minutes=7 * reply)
            message: dict[str, object] = {
                "type": "message",
                "user": f"U{chance.randrange(400):05d}",
                "text": sentence(chance),
                "ts": f"{when.timestamp():.6f}",
                "team": "T0BENCH",
            }
            if size > 1:
                message["thread_ts"] = root
            days.setdefault(f"general-{number % 5}/{when:%Y-%m-%d}.json", []).append(message)
    return days


def slack_export(file: Path, chance: random.Random) -> None:
    """Write the export."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        channels = [{"id": f"C0000{n}", "name": f"general-{n}", "created": 1, "members": []} for n in range(5)]
        archive.writestr("channels.json", json.dumps(channels))
        archive.writestr("users.json", json.dumps([{"id": f"U{n:05d}", "name": f"user{n}"} for n in range(400)]))
        for name, day in messages(chance).items():
            archive.writestr(name, json.dumps(day))


def play_csv(file: Path, chance: random.Random) -> None:
    """Write a Play Console file."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for number in range(REVIEWS):
        when = START + timedelta(seconds=chance.randrange(90 * 86_400))
        millis, iso = int(when.timestamp() * 1000), f"{when:%Y-%m-%dT%H:%M:%SZ}"
        link = f"http://play.google.com/console/developers/app/reviews?corpus=PUBLIC&reviewId=r{number:08d}"
        writer.writerow(
            (
                *("com.example.bench", "1", "1.0", "en", "device", iso, millis, iso, millis, chance.randint(1, 5)),
                *("", sentence(chance), "", "", "", link),
            )
        )
    file.write_bytes(text.getvalue().encode("utf-16"))


def main() -> None:
    parser(__doc__).parse_args()
    chance = random.Random(20261121)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        slack_export(home / "export.zip", chance)
        play_csv(home / "reviews_com.example.bench_202608.csv", chance)
        variables = {
            "FEEDBACK_HOME": str(home / "home"),
            "FEEDBACK_SLACK_EXPORT": str(home / "export.zip"),
            "FEEDBACK_GOOGLE_PLAY_CSV": str(home / "reviews_com.example.bench_202608.csv"),
        }
        first = run("-m", "include.cli", "run", **variables)
        file = home / "home" / "warehouse.duckdb"
        before = published(file)
        second = run("-m", "include.cli", "run", **variables)
        changed = [name for name, rows in published(file).items() if rows != before.get(name)]
    rows = [
        ("first", first.seconds, 90, first.megabytes, 1200, first.status, len(before["feedback.items"]), "–"),
        ("nothing new", second.seconds, 20, second.megabytes, 1200, second.status, "", ", ".join(changed) or "none"),
    ]
    header = ("run", "s", "goal s", "peak MB", "goal MB", "exit", "items", "tables changed")
    table(f"20,000 messages and {REVIEWS:,} reviews", header, rows)


if __name__ == "__main__":
    main()
