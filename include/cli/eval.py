"""``make eval``: how far the published answers agree with the golden ones."""

from __future__ import annotations

import argparse
import json
from typing import Any

from include import settings
from include.golden import agreement
from include.warehouse import warehouse as open_warehouse

HELP = "agreement of the published answers with ops.golden, with the lower bound one may rely on"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="machine-readable")


def main(options: argparse.Namespace) -> int:
    warehouse = open_warehouse(settings.load())
    warehouse.migrate()
    found = agreement(warehouse)
    if options.json:
        print(json.dumps(found, indent=2))
        return 0
    print("\n".join(map(line, found)) or "no golden answers: put rows into ops.golden, or run the sample first")
    return 0


def line(found: dict[str, Any]) -> str:
    """Return one enrichment's agreement as a person reads it."""
    return (
        f"{found['enrichment']}: {found['right']} of {found['total']} agree "
        f"({found['share']:.0%}; at least {found['lower_bound']:.0%} with 97.5 % confidence)"
    )
