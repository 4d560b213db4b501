"""``make digest``: what each team should read, for today or another day."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from datetime import date

from include import settings
from include.warehouse import warehouse as open_warehouse

HELP = "write the digests of a day anew from the published tables; today's are posted where a channel is set"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--date", type=_day, help="the day, as 2026-11-02 (default: today as the data has it)")
    parser.add_argument("--json", action="store_true", help="machine-readable")
    parser.add_argument("--force", action="store_true", help="write again what is written already")


def main(options: argparse.Namespace) -> int:
    from feedback.digest.clock import as_of, end_of, local_day
    from feedback.digest.outbox import write_digests
    from feedback.model import Run
    from feedback.notifications.digests import post_digests, waiting
    from include.digest import DIGEST

    configured = settings.load()
    warehouse = open_warehouse(configured)
    warehouse.migrate()
    now = as_of(warehouse, DIGEST["as_of"], DIGEST["uses_clock"])
    today = local_day(now, DIGEST["timezone"])
    if options.date:
        now = end_of(options.date, now, DIGEST["timezone"])
    written = write_digests(
        warehouse,
        DIGEST["teams"],
        DIGEST["folder"],
        as_of=now,
        timezone=DIGEST["timezone"],
        run=Run(run_id="command-line", dag_id="cli", task_id="digest"),
        force=options.force,
        hosts=DIGEST["hosts"],
        # Nobody wants old news in a channel; what is there already is corrected there.
        channels=DIGEST["channels"] if options.date in (None, today) else {},
    )
    posted, left = post_digests(warehouse, DIGEST["client"], DIGEST["channels"]), waiting(warehouse)
    if options.json:
        print(json.dumps(asdict(written) | {"posted": posted, "waiting": left}, indent=2, default=str))
        return 0
    for path in written.paths:
        print(path)
    if written.kept:
        print(f"that day's digest is written already for {', '.join(written.kept)}; --force writes it again")
    if written.quiet:
        print(f"nothing to read for {', '.join(written.quiet)}")
    if posted:
        print(f"{posted} posted to Slack")
    for key in left:
        print(f"{key} waits for Slack, see `make doctor`", file=sys.stderr)
    return 0


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a day such as 2026-11-02") from None
