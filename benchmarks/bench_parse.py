"""What a Dag file costs the Dag processor, beyond Airflow itself. Goal: under 0.5 s each, nothing heavy imported.

It takes half a minute.
"""

from __future__ import annotations

import sys
import tempfile

from measure import ROOT, parser, run, table

HEAVY = ("great_expectations", "pandas", "duckdb", "snowflake", "openai", "sklearn", "pyarrow", "numpy")
PARSE = """
import sys, time
sys.path[:0] = [{root!r}]
sys.path.append({plugins!r})
import airflow.sdk
before, started = set(sys.modules), time.perf_counter()
import runpy
runpy.run_path({file!r})
seconds = time.perf_counter() - started
heavy = [name for name in {heavy!r} if name in sys.modules and name not in before]
print("RESULT", round(seconds, 4), ",".join(heavy) or "none")
"""


def main() -> None:
    parser(__doc__).parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as home:
        for file in sorted((ROOT / "dags").glob("*.py")):
            code = PARSE.format(root=str(ROOT), plugins=str(ROOT / "plugins"), file=str(file), heavy=HEAVY)
            best = min((_parse(code, home) for _ in range(3)), key=lambda result: result[0])
            rows.append((file.name, best[0], best[1]))
    table("Dag files, seconds beyond importing Airflow (best of 3; goal 0.50)", ("file", "s", "heavy imports"), rows)


def _parse(code: str, home: str) -> tuple[float, str]:
    result = run("-c", code, FEEDBACK_HOME=home, AIRFLOW_HOME=home, FEEDBACK_EXAMPLE_WAREHOUSE="on")
    line = next((line for line in result.output.splitlines() if line.startswith("RESULT")), None)
    if line is None:
        sys.exit(result.output)
    _, seconds, heavy = line.split()
    return float(seconds), heavy


if __name__ == "__main__":
    main()
