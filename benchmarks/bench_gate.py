"""The gate: every rule of one question over 10,000, 100,000 and a million staged answers, one in a thousand bad.

``gate`` is the first batch of a warehouse. ``history`` is the same batch after four weeks of a run a day, as large each
(at most 100,000): what was answered, paid, judged and checked then, and 500 golden items in two wordings, so that every
rule that looks back has something to look at and none is too new. ``items`` is the gate of items after the same four
weeks. ``sql`` is the rules of ``gate`` as plain queries of the warehouse.

Each is a process of its own, filled by another; the import of Great Expectations is measured apart, because a task
pays it once.

It takes five to ten minutes; a minute and a half for 10,000 rows.
"""

from __future__ import annotations

import sys
import tempfile

from measure import loop, parser, run, table

SIZES = (10_000, 100_000, 1_000_000)
GOALS = {10_000: (4, None), 100_000: (15, None), 1_000_000: (120, 1_500)}
WHATS = ("gate", "history", "items", "sql")
DAYS, MOST_A_DAY = 28, 100_000
WORK = """
import sys, time
from pathlib import Path
sys.path[:0] = ["plugins", "."]
from feedback.model import Run
from feedback.operators.validate_operator import ValidateOperator
from feedback.validation.checks import row_checks, run_measures
from feedback.warehouse.duckdb import DuckDBWarehouse
from include import settings
from include.expectations import ANSWER_SUBJECTS, limits
from include.expectations.items import ITEMS_SUBJECT

warehouse, what = DuckDBWarehouse(Path(sys.argv[1]), Path("include/sql/ddl")), sys.argv[2]
started = time.monotonic()
import logging
logging.getLogger("great_expectations").setLevel(logging.WARNING)
import great_expectations
imported = time.monotonic() - started
subject = ITEMS_SUBJECT if what == "items" else ANSWER_SUBJECTS["sentiment"]
bounds = () if what == "items" else limits(settings.load({}))
gate = ValidateOperator(task_id="validate", subject=subject, limits=bounds, warehouse=warehouse)
run = Run("run_1", "d", "t")
started = time.monotonic()
set_aside = 0
if what == "sql":
    row_checks(warehouse, subject, gate.rules, "run_1")
    run_measures(warehouse, subject, gate.rules, "run_1")
else:
    set_aside = gate.work(run, {}).numbers["set_aside"]
seconds = time.monotonic() - started
young = warehouse.rows("select count(distinct rule) as n from ops.validations where outcome = 'not_enough_history'")
print("", len(gate.rules), young[0]["n"], set_aside, imported, seconds)
"""


def main() -> None:
    options = parser(__doc__)
    options.add_argument("rows", type=int, nargs="*", default=SIZES, help="sizes of batches, each gated afresh")
    rows: list[tuple[object, ...]] = []
    for size in options.parse_args().rows:
        for what in WHATS:
            with tempfile.TemporaryDirectory() as home:
                file = f"{home}/warehouse.duckdb"
                filled = run("benchmarks/gate_world.py", file, str(size), what, str(DAYS), str(MOST_A_DAY))
                measured = run("-c", WORK, file, what)
            if filled.status or measured.status:
                sys.exit(filled.output + measured.output)
            _, rules, young, set_aside, imported, seconds = measured.output.splitlines()[-1].rsplit(" ", 5)
            goal, megabytes = GOALS.get(size, ("", ""))
            row = (what, f"{size:,}", rules, young, set_aside, float(imported), float(seconds), goal)
            rows.append((*row, measured.megabytes, megabytes or ""))
    header = ("what", "rows", "rules", "too new", "set aside", "import s", "s", "goal s", "peak MB", "goal MB")
    table(f"The gate of one question, and of items ({loop()})", header, rows)


if __name__ == "__main__":
    main()
