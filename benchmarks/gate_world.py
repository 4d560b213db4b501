"""A warehouse that holds a batch for the gate, and what four weeks of a run a day have left there before it.

Called as a process of its own: ``gate_world.py <warehouse file> <rows of the batch> <what> <days> <most rows a day>``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "plugins"), str(ROOT)]

from feedback.warehouse.base import Step  # noqa: E402
from feedback.warehouse.duckdb import DuckDBWarehouse  # noqa: E402
from include.approved import PROMPTS  # noqa: E402

VERSION = PROMPTS["sentiment"]
NOW = "now()::timestamp"
ITEM, LABEL = "'slack:T:C:' || range", "case when range % 3 = 0 then 'mixed' else 'negative' end"
GOLDEN, CHECKS, PACK = 500, 5_000, 20


def batch(rows: int, what: str) -> Iterator[Step]:
    """Yield the statements that stage a batch, one row in a thousand bad."""
    if what == "items":
        yield items("staging.items", 0, rows, "run_1", NOW, {"shard": "'all'", "has_personal_data": "range % 1000 = 0"})
        return
    yield items("feedback.items", 0, rows, "r", NOW)
    flags = {"shard": "'all'", "is_grounded": "true", "has_personal_data": "false"}
    label = f"case when range % 1000 = 0 then 'furious' else {LABEL} end"
    yield answers("staging.sentiment", 0, rows, "run_1", NOW, {"label": label, **flags})
    asked = {"run_id": "'run_1'", "shard": "'all'", "outcome": "'staged'", "asked_at": NOW}
    yield insert("staging.asked", 0, rows, asked | pair() | {"rows_out": "1"})


def history(rows: int, days: int, most: int) -> Iterator[Step]:
    """Yield the statements that put four weeks before it: all that a rule which looks back looks at."""
    a_day = min(rows, most)
    yield paid("run_1", rows, NOW)
    for day in range(days):
        first, run = rows + day * a_day, f"day_{day}"
        at = f"{NOW} - interval '{days - 1 - day} days 1 hour'"
        yield items("feedback.items", first, first + a_day, run, at)
        yield answers("feedback.sentiment", first, first + a_day, run, at, {"prompt_version": "'before'"})
        known = {"status": "'answered'", "run_id": f"'{run}'", "answered_at": at, "rows_out": "1"}
        yield insert("ops.answers", first, first + a_day, pair() | known)
        yield paid(run, a_day, at)
        for subject in ("sentiment", "items"):
            verdict = {"run_id": run, "subject": subject, "rule": "set_aside_share", "slice": "all"}
            verdict |= {"severity": "critical", "outcome": "pass", "decision": "publish"}
            totals = {"failed": "0", "total": str(a_day), "checked_at": at}
            yield insert("ops.validations", 0, 1, quoted(verdict) | totals)
    check = {"enrichment": "sentiment", "prompt_version": VERSION, "model": "offline", "call_id": "c", "run_id": "r"}
    found = {"text_hash": "range::varchar", "pack_rows": str(PACK), "agreement": "1.0", "checked_at": NOW}
    yield insert("ops.pack_checks", 0, CHECKS, quoted(check) | found)
    golden = {"item_id": ITEM, "enrichment": "'sentiment'", "answer": "'\"negative\"'::json"}
    yield insert("ops.golden", rows, rows + GOLDEN, golden | {"author": "'ada'", "added_at": NOW})
    for version in (VERSION, "before"):
        about = {"prompt_version": f"'{version}'", "model": "'offline'", "content_hash": "'h'", "run_id": "'r'"}
        said = golden | about | {"answer": "'[\"negative\"]'::json", "answered_at": NOW}
        yield insert("ops.golden_answers", rows, rows + GOLDEN, said)


def items(table: str, first: int, last: int, run: str, at: str, more: dict[str, str] | None = None) -> str:
    about = quoted({"source": "slack", "channel_or_app": "general", "visibility": "public"})
    about |= quoted({"first_run_id": run, "run_id": run})
    times = dict.fromkeys(("posted_at", "last_activity_at", "updated_at"), at)
    row = {"item_id": ITEM, "source_key": "'T:C:' || range", "text": "repeat('Sync fails since 4.2. ', 10)"}
    row |= {"rating": "1 + range % 5", "message_count": "1", "author_count": "1", "has_reply_by_team": "false"}
    row |= {"content_hash": "md5(range::varchar)", "is_askable": "true"}
    return insert(table, first, last, about | times | row | (more or {}))


def answers(table: str, first: int, last: int, run: str, at: str, more: dict[str, str]) -> str:
    about = quoted({"quote": "Sync fails since 4.2.", "decided_by": "llm", "engine_version": "1", "run_id": run})
    row = {name: value for name, value in pair().items() if name != "enrichment"}
    row |= {"label": LABEL, "score": "-0.5", "confidence": "0.9", "is_stale": "false", "answered_at": at}
    return insert(table, first, last, about | row | more)


def pair() -> dict[str, str]:
    about = quoted({"enrichment": "sentiment", "prompt_version": VERSION, "model": "offline"})
    return about | {"item_id": ITEM, "content_hash": "md5(range::varchar)"}


def paid(run: str, rows: int, at: str) -> str:
    about = {"purpose": "enrich", "dag_id": "d", "task_id": "ask", "run_id": run, "model": "offline", "mode": "online"}
    numbers = dict.fromkeys(("cached_tokens", "cache_write_tokens", "reasoning_tokens"), "0")
    numbers |= {"attempt": "1", "row_count": str(PACK), "reserved_usd": "0.0", "cost_usd": "0.00005"}
    numbers |= {"input_tokens": "2400", "output_tokens": "800", "prompt_versions": "'{}'::json"}
    call = {"call_id": f"'{run}-' || range", "status": "'settled'", "started_at": at}
    return insert("ops.llm_calls", 0, rows // PACK, quoted(about) | numbers | call)


def insert(table: str, first: int, last: int, row: dict[str, str]) -> str:
    """Return the statement that adds a row for each number of a range, its columns given as SQL."""
    return f"insert into {table} ({', '.join(row)}) select {', '.join(row.values())} from range({first}, {last})"


def quoted(row: dict[str, str]) -> dict[str, str]:
    return {name: f"'{value}'" for name, value in row.items()}


def main() -> None:
    path, rows, what, days, most = sys.argv[1:]
    warehouse = DuckDBWarehouse(Path(path), ROOT / "include/sql/ddl")
    warehouse.migrate()
    for step in batch(int(rows), what):
        warehouse.transact([step])
    for step in history(int(rows), int(days), int(most)) if what in ("history", "items") else ():
        warehouse.transact([step])


if __name__ == "__main__":
    main()
