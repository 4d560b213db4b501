"""The gate: every rule of one question over 10,000, 100,000 and a million staged answers, one in a thousand bad.

Each size is a process of its own; the import of Great Expectations is measured apart, because a task pays it once.
Beside it the same rules as one plain query of the warehouse.
"""

from __future__ import annotations

import sys
import tempfile

from measure import loop, run, table

SIZES = (10_000, 100_000, 1_000_000)
GOALS = {10_000: (4, None), 100_000: (15, None), 1_000_000: (120, 1_500)}
WORK = """
import sys, time
from pathlib import Path
sys.path[:0] = ["plugins", "."]
from feedback.model import Run, utc_now
from feedback.operators.validate_operator import ValidateOperator
from feedback.validation.checks import row_checks, run_measures
from feedback.warehouse.duckdb import DuckDBWarehouse
from include import settings
from include.approved import PROMPTS
from include.expectations import ANSWER_SUBJECTS, limits

rows = int(sys.argv[2])
warehouse = DuckDBWarehouse(Path(sys.argv[1]) / f"{rows}-{sys.argv[3]}.duckdb", Path("include/sql/ddl"))
warehouse.migrate()
item = "'slack:T:C:' || range"
version = PROMPTS["sentiment"]
warehouse.transact([
    f'''insert into feedback.items (item_id, source, source_key, channel_or_app, text, rating, visibility, posted_at,
        last_activity_at, message_count, author_count, has_reply_by_team, content_hash, is_askable, first_run_id,
        run_id, updated_at)
        select {item}, 'slack', 'T:C:' || range, 'general', repeat('Sync fails since 4.2. ', 10), 1 + range % 5,
        'public', now()::timestamp, now()::timestamp, 1, 1, false, md5(range::varchar), true, 'r', 'r',
        now()::timestamp from range({rows})''',
    f'''insert into staging.sentiment (item_id, label, score, quote, confidence, content_hash, prompt_version, model,
        decided_by, is_stale, run_id, engine_version, answered_at, shard, is_grounded, has_personal_data)
        select {item}, case when range % 1000 = 0 then 'furious' when range % 3 = 0 then 'mixed' else 'negative' end,
        -0.5, 'Sync fails since 4.2.', 0.9, md5(range::varchar), '{version}', 'offline', 'llm', false, 'run_1', '1',
        now()::timestamp, 'all', true, false from range({rows})''',
    f'''insert into staging.asked (run_id, shard, enrichment, item_id, content_hash, prompt_version, outcome, rows_out,
        model, asked_at) select 'run_1', 'all', 'sentiment', {item}, md5(range::varchar), '{version}', 'staged', 1,
        'offline', now()::timestamp from range({rows})''',
])
started = time.monotonic()
import logging
logging.getLogger("great_expectations").setLevel(logging.WARNING)
import great_expectations
imported = time.monotonic() - started
subject = ANSWER_SUBJECTS["sentiment"]
gate = ValidateOperator(
    task_id="validate", subject=subject, limits=limits(settings.load({})), warehouse=warehouse
)
run = Run("run_1", "d", "t")
started = time.monotonic()
if sys.argv[3] == "gate":
    set_aside = gate.work(run, {}).numbers["set_aside"]
else:
    row_checks(warehouse, subject, gate.rules, "run_1")
    run_measures(warehouse, subject, gate.rules, "run_1")
    set_aside = 0
print("", len(gate.rules), set_aside, imported, time.monotonic() - started)
"""


def main() -> None:
    sizes = [int(size) for size in sys.argv[1:]] or SIZES
    rows: list[tuple[object, ...]] = []
    with tempfile.TemporaryDirectory() as home:
        for size in sizes:
            for what in ("gate", "sql"):
                measured = run("-c", WORK, f"{home}/", str(size), what)
                _, rules, set_aside, imported, seconds = measured.output.splitlines()[-1].rsplit(" ", 4)
                goal, megabytes = GOALS.get(size, ("", ""))
                row = (what, f"{size:,}", rules, set_aside, float(imported), float(seconds), goal)
                rows.append((*row, measured.megabytes, megabytes or ""))
    header = ("what", "rows", "rules", "set aside", "import s", "s", "goal s", "peak MB", "goal MB")
    table(f"The gate of one question ({loop()})", header, rows)


if __name__ == "__main__":
    main()
