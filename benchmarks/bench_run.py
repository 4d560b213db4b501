"""`make run` on the bundled sample, first and again. Goals: 30 s; then 15 s, no call, no row changed.

It takes a minute.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from dump import published
from measure import parser, run, table


def main() -> None:
    parser(__doc__).parse_args()
    with tempfile.TemporaryDirectory() as home:
        file = Path(home) / "sample" / "warehouse.duckdb"
        first = run("-m", "include.cli", "run", FEEDBACK_HOME=home)
        before = published(file)
        second = run("-m", "include.cli", "run", FEEDBACK_HOME=home)
        changed = [name for name, rows in published(file).items() if rows != before.get(name)]
    rows = [
        ("first", first.seconds, 30, first.megabytes, first.status, "–"),
        ("nothing new", second.seconds, 15, second.megabytes, second.status, ", ".join(changed) or "none"),
    ]
    table("make run on the sample", ("run", "s", "goal s", "peak MB", "exit", "tables changed"), rows)


if __name__ == "__main__":
    main()
