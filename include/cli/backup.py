"""``make backup``: copy the warehouse file under its lock."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path

from include import settings
from include.warehouse import warehouse as open_warehouse

HELP = "copy the DuckDB warehouse under its lock, so that the copy is whole"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--to", type=Path, help="the copy (default: backups/ beside the warehouse)")


def main(options: argparse.Namespace) -> int:
    configured = settings.load()
    name = f"warehouse-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.duckdb"
    print(open_warehouse(configured).backup(options.to or configured.data_home / "backups" / name))
    return 0
