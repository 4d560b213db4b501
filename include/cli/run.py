"""``make run``: the main job once, in this process, through Airflow itself."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from feedback.errors import WarehouseFull
from include import settings
from include.cli import environment
from include.cli.lock import run_lock
from include.settings import Settings

if TYPE_CHECKING:
    from include.cli.console import Console

HELP = "read, ask, check and publish what is new, once; without a source configured, on the bundled sample"

STATUSES = "exit status: 0 published, 3 a gate blocked, 4 published but something waits, else failed in one line"
PUBLISHED, FAILED, BLOCKED, WAITING = 0, 1, 3, 4
ROOM_NEEDED = 20 * 2**20
"""Bytes that an empty home takes before anything is read."""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = STATUSES
    parser.add_argument("--json", action="store_true", help="print the summary as JSON")
    parser.add_argument("--yes", action="store_true", help="do not ask before spending; the hard budget still holds")


def main(options: argparse.Namespace) -> int:
    configured = settings.load()
    with run_lock(configured.home):
        return _run(configured, options)


def _run(configured: Settings, options: argparse.Namespace) -> int:
    from include.cli.console import Console

    home = configured.home / "airflow-run"
    environment.drop_half_made(home)
    environment.enter(
        home,
        FEEDBACK_RETRY_SECONDS="1",
        AIRFLOW__LOGGING__JSON_LOGS="True",
        AIRFLOW__LOGGING__LOGGING_LEVEL="INFO",
    )
    started = time.monotonic()
    log = configured.home / "logs" / "run.log"
    with Console(log, is_on_error=options.json) as console:
        for variable in configured.unread:
            console.say(f"{variable} is no variable of ours: nothing reads it")
        if configured.is_sample:
            console.say("no source is configured: this is the bundled sample of an invented product")
        _look_ahead(configured, console)
        run_ids, states = _chain(configured, home, console, asks=not options.yes and sys.stdin.isatty())
    return _summary(configured, run_ids, states, time.monotonic() - started, log, options.json)


def _look_ahead(configured: Settings, console: Console) -> None:
    """Refuse at once, in one line, what would fail task after task: the disk, a variable, the warehouse.

    :raises FeedbackError: what it is and what to do.
    """
    from include.cli import trouble
    from include.sources import SOURCES
    from include.warehouse import warehouse as open_warehouse

    if not trouble.has_room(configured.home, ROOM_NEEDED):
        raise WarehouseFull(
            f"less than {ROOM_NEEDED >> 20} MB are free on the device of {configured.home}: free some,"
            " or let FEEDBACK_HOME name another folder; nothing was done"
        )
    console.say(f"reading {', '.join(source.name for source in SOURCES)}")
    if applied := open_warehouse(configured).migrate():
        console.say(f"warehouse: schema moved forward by {' to '.join(dict.fromkeys((applied[0], applied[-1])))}")


def _chain(
    configured: Settings, airflow_home: Path, console: Console, asks: bool
) -> tuple[dict[str, str], dict[str, str]]:
    """Run every Dag in turn, the later ones also when a gate blocked; return run ids and states by Dag."""
    from include.cli import chain

    dags = chain.prepare(airflow_home)
    run_ids: dict[str, str] = {}
    states: dict[str, str] = {}
    for dag_id in chain.CHAIN:
        if dag_id == "enrich_feedback" and asks and not _agreed(configured, console):
            console.say("nothing is asked; run again when you are ready to pay")
            continue
        console.say(dag_id)
        run = chain.run_dag(dags[dag_id])
        run_ids[dag_id], states[dag_id] = run.run_id, str(run.state)
    chain.forget_asset_queue()
    return run_ids, states


def _agreed(configured: Settings, console: Console) -> bool:
    """Show what is owed and its price; above the plan's bound ask the person who is there."""
    from include.cli.plan import about_names, plan, told

    owed, names = plan(configured), about_names(configured)
    if owed.usd + names.usd <= configured.llm_plan_usd:
        return True
    more = f"; about names that wait {told(names)}" if names.questions else ""
    console.say(f"about to ask {told(owed)}{more}. Go on? [y/N]")
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _summary(
    configured: Settings, run_ids: dict[str, str], states: dict[str, str], seconds: float, log: Path, as_json: bool
) -> int:
    from include.cli import summary

    facts = summary.collect(configured, run_ids, seconds)
    status = exit_status(facts, states)
    if as_json:
        print(json.dumps({**facts, "exit_status": status}, indent=2, default=str))
    else:
        print(summary.render(facts))
    for line in summary.complaints(facts, states):
        print(line, file=sys.stderr)
    if status == FAILED:
        print(f"the run failed; the whole log is {log}", file=sys.stderr)
    return status


def exit_status(facts: dict[str, Any], states: dict[str, str]) -> int:
    """Return the contract's status: 0 published, 3 a gate blocked, 4 something waits, 1 failed.

    Where nobody agreed to pay, ``enrich_feedback`` has no state: its questions wait.
    """
    outcomes = {trouble["outcome"] for trouble in facts["troubles"]}
    if outcomes & {"failed", "incomplete"}:
        return FAILED
    if "blocked" in outcomes:
        return BLOCKED
    if set(states.values()) - {"success"}:
        return FAILED
    is_waiting = any(facts[what] for what in ("pending", "names", "refused", "left", "unposted"))
    return WAITING if is_waiting or "enrich_feedback" not in states else PUBLISHED
