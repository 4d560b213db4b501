"""A Slack export of 1,000,000 messages into raw and items, no questions, by the real extract_feedback Dag.

Goals: 12 minutes on 2 cores, 2 GB resident, memory flat in the number of messages. Beside it, in the same run,
what nobody could do with less: each day file through ``json.load`` into one table, without merge, text, masking,
gate or items. The words are put together at random from a seed: this measures speed and memory alone.

It takes an hour; half a minute for 20,000 messages.
"""

from __future__ import annotations

import json
import os
import random
import sys
import tempfile
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench_large import sentence
from measure import ROOT, Measured, loop, parser, run, table

CHANNELS, DAYS, PEOPLE = 40, 365, 400
THREAD = 5
"""Messages of a thread; half of all messages stand in threads, half alone."""
SIZES = (1_000_000, 250_000)
"""The second to hold the memory of the first against."""
START = datetime(2025, 11, 1, tzinfo=UTC)
COLUMNS = ("team_id", "channel_id", "ts", "thread_ts", "user_id", "text", "payload")
TASKS = "select task_id, epoch(finished_at - started_at) from ops.task_runs order by started_at"


def made(message_count: int, chance: random.Random) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yield the day files, channel after channel; replies come minutes to days after their root."""
    for channel in range(CHANNELS):
        days: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for number in range(message_count // CHANNELS * (THREAD + 1) // (2 * THREAD)):
            began = START + timedelta(seconds=chance.randrange(DAYS * 86_400), microseconds=number)
            size = THREAD if number % (THREAD + 1) == 0 else 1
            when = began
            for _ in range(size):
                days[f"{when:%Y-%m-%d}"].append(message(when, began if size > 1 else None, chance))
                when += timedelta(minutes=chance.randrange(1, 900))
        for day, messages in days.items():
            yield f"channel-{channel}/{day}.json", messages


def message(when: datetime, root: datetime | None, chance: random.Random) -> dict[str, Any]:
    """Return a message as Slack exports it: its words twice, once as blocks."""
    text = said(chance)
    one: dict[str, Any] = {
        "client_msg_id": f"{chance.getrandbits(128):032x}",
        "type": "message",
        "text": text,
        "user": f"U{chance.randrange(PEOPLE):05d}",
        "ts": f"{when.timestamp():.6f}",
        "team": "T0BENCH",
        "blocks": [{
            "type": "rich_text",
            "block_id": f"{chance.getrandbits(20):x}",
            "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}],
        }],
    }  # fmt: skip
    if root:
        one["thread_ts"] = f"{root.timestamp():.6f}"
    if chance.random() < 0.1:
        one["reactions"] = [{"name": "eyes", "users": ["U00001"], "count": 1}]
    return one


def said(chance: random.Random) -> str:
    """Return a sentence; one of fifty holds something to mask."""
    text = sentence(chance)
    if chance.random() < 0.02:
        text += chance.choice((" Write to jo.bloggs@example.org", " Call +44 20 7946 0958", " Order 4711-0815-2342"))
    return text


def make(file: Path, message_count: int) -> None:
    """Write the export."""
    chance = random.Random(20261121)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        channels = [{"id": f"C{n:05d}", "name": f"channel-{n}", "created": 1, "members": []} for n in range(CHANNELS)]
        archive.writestr("channels.json", json.dumps(channels))
        archive.writestr("users.json", json.dumps([{"id": f"U{n:05d}", "name": f"user{n}"} for n in range(PEOPLE)]))
        for name, messages in made(message_count, chance):
            archive.writestr(name, json.dumps(messages))


def load() -> None:
    """Run extract_feedback through Airflow, in this process, on what the variables name."""
    sys.path[:0] = [str(ROOT)]
    from include.cli import environment

    airflow_home = Path(os.environ["FEEDBACK_HOME"]) / "airflow-run"
    environment.enter(airflow_home)
    from include.cli import chain

    state = chain.run_dag(chain.prepare(airflow_home)["extract_feedback"]).state
    sys.exit(0 if state == "success" else f"extract_feedback: {state}")


def load_naively(file: Path, to: Path) -> None:
    """Insert every message as it is read, all at once: no MERGE, no masking, no gate, no items."""
    import duckdb
    import pyarrow as pa

    with zipfile.ZipFile(file) as archive, duckdb.connect(str(to)) as connection:
        rows = [
            (one["team"], day.split("/")[0], *map(one.get, COLUMNS[2:-1]), json.dumps(one))
            for day in archive.namelist()
            if "/" in day
            for one in json.load(archive.open(day))
        ]
        connection.register("incoming", pa.table(dict(zip(COLUMNS, zip(*rows, strict=True), strict=True))))
        connection.execute("create table messages as select * replace (payload::json as payload) from incoming")


def measured(message_count: int) -> list[tuple[object, ...]]:
    """Load so many messages, ours and the naive way, each in a process of its own; print where the time went."""
    with tempfile.TemporaryDirectory() as folder:
        home, export, naive_file = (Path(folder) / name for name in ("home", "export.zip", "naive.duckdb"))
        _step("make", str(export), str(message_count))
        ours = _step("load", FEEDBACK_HOME=str(home), FEEDBACK_SLACK_EXPORT=str(export))
        naive = _step("naive", str(export), str(naive_file))
        (messages,), (items,) = _counts(home / "warehouse.duckdb", "raw.slack_messages", "feedback.items")
        if _counts(naive_file, "messages") != [(messages,)]:
            sys.exit(f"{messages:,} rows are in raw.slack_messages, not as many as the export has")
        seconds = _rows(home / "warehouse.duckdb", TASKS)
        print(f"{messages:,}: " + ", ".join(f"{task} {seconds:.1f} s" for task, seconds in seconds), flush=True)
    return [
        (f"{messages:,}", f"{items:,}", *_figures(ours, messages), ours.cpu_seconds / naive.cpu_seconds),
        (f"{messages:,}, naive", "", *_figures(naive, messages), 1.0),
    ]


def _step(*arguments: str, **variables: str) -> Measured:
    done = run(str(Path(__file__).resolve()), *arguments, **variables)
    if done.status:
        sys.exit(done.output[-4000:])
    return done


def _figures(done: Measured, messages: int) -> tuple[object, ...]:
    return done.seconds, done.cpu_seconds, done.megabytes, f"{messages / done.seconds:,.0f}"


def _counts(file: Path, *tables: str) -> list[tuple[Any, ...]]:
    return [_rows(file, f"select count(*) from {name}")[0] for name in tables]


def _rows(file: Path, sql: str) -> list[tuple[Any, ...]]:
    import duckdb

    with duckdb.connect(str(file), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def main() -> None:
    options = parser(__doc__)
    options.add_argument("messages", type=int, nargs="*", default=SIZES, help="sizes of exports, each loaded afresh")
    rows = [row for size in options.parse_args().messages for row in measured(size)]
    header = ("messages", "items", "s", "CPU s", "peak MB", "messages/s", "x naive CPU")
    table(f"A Slack export into raw and items, {loop()} (goals for 1,000,000: 720 s, 2,048 MB)", header, rows)


if __name__ == "__main__":
    match sys.argv[1:2]:
        case ["make"]:
            make(Path(sys.argv[2]), int(sys.argv[3]))
        case ["load"]:
            load()
        case ["naive"]:
            load_naively(Path(sys.argv[2]), Path(sys.argv[3]))
        case _:
            main()
