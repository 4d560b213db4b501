"""The asking task in a process of its own: ``python benchmarks/ask.py <warehouse> <base URL> <workload> [options]``.

Prints what it counted, and what the process took after its imports; ``code_mb`` of ``held_mb`` is code of the imported
libraries that was not in memory before it was first run. Options are those of ``Asking``, as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "plugins")]


def main() -> None:
    import duckdb  # noqa: F401  heavy imports come before the measuring begins
    import openai
    import pandas  # noqa: F401  pyarrow imports it as it makes its first array
    import pyarrow  # noqa: F401

    openai.AsyncOpenAI(api_key="key").chat.completions  # noqa: B018  it imports its parts as they are used

    from workloads import WORKLOADS

    from feedback.llm.asking import Asking
    from feedback.llm.cascade import Models
    from feedback.llm.ledger import Ledger
    from feedback.llm.owed import write_down
    from feedback.llm.prices import Model
    from feedback.llm.recovery import recover
    from feedback.llm.service import Endpoint
    from feedback.llm.session import Session
    from feedback.model import Run
    from feedback.warehouse.duckdb import DuckDBWarehouse

    path, url, workload, *more = sys.argv[1:]
    options = json.loads(more[0]) if more else {}
    run = Run(options.pop("run_id", "run"), "enrich_feedback", "ask")
    warehouse = DuckDBWarehouse(Path(path), ROOT / "include/sql/ddl", memory="100MB")
    journal = Path(path).parent / "journal"
    asking = Asking(prices=(), journal=journal, **options)
    held, code = _megabytes("VmHWM"), _megabytes("RssFile")
    started, cpu = time.monotonic(), time.process_time()
    recover(warehouse, run, journal)
    questions = write_down(warehouse, WORKLOADS[workload], run, is_offline=False, as_of=None)
    told: dict[str, Any] = {"questions": questions, "owed_s": time.monotonic() - started}
    if questions:
        model = Model("stand-in", window=1_000_000, max_output=100_000, output_parameter="max_completion_tokens")
        ledger = Ledger(warehouse, run, "online", journal)
        endpoint = Endpoint("loopback", url, "key")
        outcome = Session(ledger, WORKLOADS[workload], asking, endpoint, Models(model), _silent).ask_owed()
        told |= {**outcome.counts, "stopped": outcome.stopped, "calls_for": ledger.calls_for}
    told |= {"seconds": time.monotonic() - started, "cpu_s": time.process_time() - cpu}
    told |= {"held_mb": _megabytes("VmHWM") - held, "code_mb": _megabytes("RssFile") - code}
    print(json.dumps(told))


def _silent(*said: object, **numbers: object) -> None:
    pass


def _megabytes(counter: str) -> float:
    """Return what the kernel counts of this process: ``VmHWM``, the most it has held, where ``getrusage`` would count
    that of who started it; ``RssFile``, what it holds of files, which is the code of libraries."""
    status = Path("/proc/self/status").read_text("ascii")
    return int(status.partition(f"{counter}:")[2].split()[0]) / 1024


if __name__ == "__main__":
    main()
