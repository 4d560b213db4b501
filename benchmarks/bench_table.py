"""A table of 200,000 tickets as a source: first, nothing new, 1 % changed; beside it, a plain copy in SQL.

It takes a minute.
"""

from __future__ import annotations

import tempfile

from measure import parser, run, table

ROWS = 200_000
RUN = """
import sys, time
from pathlib import Path
sys.path.append("plugins")
from feedback.model import Run
from feedback.operators.extract_operator import ExtractOperator
from feedback.sources.table import TableSource
from feedback.warehouse.duckdb import DuckDBWarehouse

warehouse = DuckDBWarehouse(Path(sys.argv[1]) / "warehouse.duckdb", Path("include/sql/ddl"))
warehouse.migrate()
warehouse.transact([step for step in sys.argv[2].split(";") if step.strip()])
source = TableSource(
    name="tickets", table="helpdesk.tickets", key="id", title="subject", text="body", author="author",
    posted_at="sent", updated_at="moved", is_complete=True,
)
started = time.monotonic()
if sys.argv[3] == "copy":
    warehouse.transact(["create or replace table helpdesk.copied as select * from helpdesk.tickets"])
    rows = sys.argv[4]
else:
    operator = ExtractOperator(task_id="t", source=source, warehouse=warehouse)
    rows = operator.work(Run(sys.argv[3], "d", "t"), {}).numbers["changed"]
print("", rows, time.monotonic() - started)
"""
MAKE = f"""
create schema helpdesk;
create table helpdesk.tickets as select
    range as id, 'Ticket ' || range as subject, repeat('The export crashes when I open it. ', 12) || range as body,
    'user ' || (range % 5000) as author, timestamp '2026-01-01' + to_seconds(range * 60) as sent, sent as moved
from range({ROWS})
"""
CHANGE = """
update helpdesk.tickets set body = 'It works', moved = timestamp '2026-11-02' where id % 100 = 0;
delete from helpdesk.tickets where id % 1000 = 1
"""
STEPS = (
    ("copy in SQL", MAKE, "copy"),
    ("first", "", "run_1"),
    ("nothing new", "", "run_2"),
    ("1 % changed", CHANGE, "run_3"),
)


def main() -> None:
    parser(__doc__).parse_args()
    rows: list[tuple[object, ...]] = []
    with tempfile.TemporaryDirectory() as home:
        for name, before, run_id in STEPS:
            measured = run("-c", RUN, home, before, run_id, str(ROWS))
            _, changed, seconds = measured.output.splitlines()[-1].rsplit(" ", 2)
            rows.append((name, f"{int(changed):,}", float(seconds), measured.megabytes, measured.status))
    table(f"A table of {ROWS:,} rows", ("run", "rows changed", "s", "peak MB", "exit"), rows)


if __name__ == "__main__":
    main()
