"""``python -m include.cli setup``: what a deployment needs once, and after each upgrade."""

from __future__ import annotations

import argparse

from feedback.errors import FeedbackError
from include import settings
from include.warehouse import warehouse as open_warehouse

HELP = "create our pools in the Airflow this is called in, and move the warehouse's schema forward"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--pools-only", action="store_true", help="leave the warehouse alone")


def main(options: argparse.Namespace) -> int:
    from sqlalchemy.exc import DBAPIError

    from include.cli.chain import make_pools
    from include.cli.environment import POOLS

    try:
        make_pools()
    except DBAPIError as error:
        raise FeedbackError(
            f"Airflow's metadata database cannot be used ({type(error).__name__}): run `airflow db migrate`, then this"
        ) from None
    print("pools: " + ", ".join(f"{name} ({slots})" for name, (slots, _) in POOLS.items()))
    if not options.pools_only:
        applied = open_warehouse(settings.load()).migrate()
        print("warehouse: " + (", ".join(applied) if applied else "up to date"))
    return 0
