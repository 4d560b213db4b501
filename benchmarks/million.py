"""A million short names: blocked among themselves, or settled while 10,000 more arrive. A process of its own each,
so that its memory is its own: ``python benchmarks/million.py block|batch``.

It takes a minute each where nothing else runs.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections import defaultdict

import short_names
from measure import ROOT, parser

sys.path.append(str(ROOT / "plugins"))
import arrival

from feedback.model import utc_now
from feedback.resolution.block import by_keys
from feedback.resolution.normalise import norm
from feedback.resolution.register import mint
from feedback.warehouse.duckdb import DuckDBWarehouse
from feedback.warehouse.merge import append

COUNT, NEW = 1_000_000, 10_000
SLICE = 100_000


def warehouse_in(folder: str, memory: str) -> DuckDBWarehouse:
    from pathlib import Path

    warehouse = DuckDBWarehouse(Path(folder) / "bench.duckdb", ROOT / "include/sql/ddl", memory=memory)
    warehouse.migrate()
    return warehouse


def told(what: str, started: tuple[float, float], more: str) -> None:
    seconds, cpu = time.monotonic() - started[0], time.process_time() - started[1]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{what}: {seconds:.1f} s, {cpu:.1f} CPU-s, peak of the process {peak:,.0f} MB{more}")


def block(count: int) -> None:
    """Print what it takes to find the candidates of every name among all, and how many of the right ones are there."""
    named = short_names.generated(count)
    truth = {norm(name): group for name, group in named}
    names = sorted(truth)
    with tempfile.TemporaryDirectory() as folder:
        warehouse = warehouse_in(folder, "2GB")
        started = time.monotonic(), time.process_time()
        found = by_keys(warehouse, "company", names)
        told(f"{count:,} names blocked", started, f", {found.num_rows / len(named):.1f} candidates a mention")
    members = defaultdict(list)
    for name, group in truth.items():
        members[group].append(name)
    right = {(a, b) for group in members.values() for a in group for b in group if a < b}
    met = set()
    for batch in found.to_batches():
        for name, other in zip(batch["norm"].to_pylist(), batch["other"].to_pylist(), strict=True):
            pair = (name, other) if name < other else (other, name)
            if truth[name] == truth[other]:
                met.add(pair)
    print(f"completeness {len(met & right) / len(right):.3f} of {len(right):,} pairs")


def batch(count: int) -> None:
    """Print what a batch takes against settled names."""
    named = short_names.generated(count + NEW)
    settled = sorted({norm(name) for name, _ in named[:count]})
    now = utc_now()
    with tempfile.TemporaryDirectory() as folder:
        warehouse = warehouse_in(folder, "512MB")
        for start in range(0, len(settled), SLICE):
            part = settled[start : start + SLICE]
            shared = {"kind": "company", "run_id": "r"}
            ids = [mint("company", name) for name in part]
            name_rows = [
                shared | {"norm": name, "entity_id": entity_id, "decision_id": "d"}
                for name, entity_id in zip(part, ids, strict=True)
            ]
            append(warehouse, "feedback.entity_names", name_rows)
            plain = shared | {"is_competitor": False, "status": "active", "created_at": now}
            entity_rows = [
                plain | {"entity_id": entity_id, "canonical_name": name}
                for name, entity_id in zip(part, ids, strict=True)
            ]
            append(warehouse, "feedback.entities", entity_rows)
            append(warehouse, "feedback.mentions", arrival.mentions(part, start))
        del settled, part, ids, name_rows, entity_rows
        append(warehouse, "feedback.mentions", arrival.mentions([name for name, _ in named[count:]], count))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        pid = _in_a_process_of_its_own(warehouse, count)
        print(pid, f"(building it took {before:,.0f} MB in another process)")


def _in_a_process_of_its_own(warehouse: DuckDBWarehouse, count: int) -> str:
    import subprocess

    command = [sys.executable, __file__, "resolve", str(warehouse.path), str(count)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def resolve(path: str, count: int) -> None:
    """Resolve what is new in a warehouse, with nobody to ask, and print what that took."""
    from pathlib import Path

    warehouse = DuckDBWarehouse(Path(path), ROOT / "include/sql/ddl")
    started = time.monotonic(), time.process_time()
    changed = arrival.House(warehouse, dict.fromkeys).resolve()
    told(f"a batch of {NEW:,} against {count:,} settled names", started, f", {changed:,} rows")


if __name__ == "__main__":
    if sys.argv[1:2] == ["resolve"]:
        resolve(sys.argv[2], int(sys.argv[3]))
    else:
        options = parser(__doc__)
        options.add_argument("part", choices=("block", "batch"))
        options.add_argument("names", type=int, nargs="?", default=COUNT, help="how many (%(default)s)")
        chosen = options.parse_args()
        {"block": block, "batch": batch}[chosen.part](chosen.names)
