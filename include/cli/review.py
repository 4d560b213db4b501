"""``make review``: the batches that a gate stopped, and a person's word on them."""

from __future__ import annotations

import argparse
import getpass

from feedback.errors import SettingError
from include import settings
from include.warehouse import warehouse as open_warehouse

HELP = "list the blocked batches that wait; accept one, drop it, or have it asked again"

OPEN = "select case_id, subject, run_id, rules, opened_at from ops.cases where state = 'open' order by opened_at"
DECISIONS = {"accept": "accepted", "drop": "dropped", "re_ask": "re_asked"}
NEXT = {
    "accept": "the next run of its Dag publishes it",
    "drop": "it stays set aside until its text or prompt moves",
    "re_ask": "the next run does it again",
}


def arguments(parser: argparse.ArgumentParser) -> None:
    choice = parser.add_mutually_exclusive_group()
    for decision in DECISIONS:
        choice.add_argument(f"--{decision.replace('_', '-')}", metavar="CASE", help=NEXT[decision])
    parser.add_argument("--author", help="who decides (default: your login)")


def main(options: argparse.Namespace) -> int:
    from feedback.validation.cases import decide

    warehouse = open_warehouse(settings.load())
    warehouse.migrate()
    for decision, state in DECISIONS.items():
        if case := getattr(options, decision):
            decide(warehouse, case, state, options.author or _login())
            print(f"{case} is {state}: {NEXT[decision]}")
            return 0
    waiting = warehouse.rows(OPEN)
    for row in waiting:
        print(
            f"{row['case_id']}  {row['subject']} of {row['run_id']}, {row['opened_at']:%Y-%m-%d %H:%M}: {row['rules']}"
        )
    if not waiting:
        print("no batch waits for a decision")
    return 0


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        raise SettingError("--author: this process has no login, so say who decides") from None
