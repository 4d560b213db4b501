"""``make report``: the report, from what the warehouse holds now."""

from __future__ import annotations

import argparse

from include import settings
from include.warehouse import warehouse as open_warehouse

HELP = "write the report anew from what the warehouse holds now, and print its path"


def arguments(parser: argparse.ArgumentParser) -> None:
    """It takes no options."""


def main(options: argparse.Namespace) -> int:
    from feedback.digest.clock import as_of
    from feedback.digest.report import About, write_report
    from feedback.model import Run
    from include.digest import REPORT

    warehouse = open_warehouse(settings.load())
    warehouse.migrate()
    about = About(
        as_of=as_of(warehouse, REPORT["as_of"], REPORT["uses_clock"]),
        is_sample=REPORT["is_sample"],
        budget_usd=REPORT["budget_usd"],
        budget_usd_day=REPORT["budget_usd_day"],
        agreement=REPORT["agreement"](warehouse),
        hosts=REPORT["hosts"],
    )
    run = Run(run_id="command-line", dag_id="cli", task_id="report")
    print(write_report(warehouse, REPORT["folder"], REPORT["digest_folder"], about, run))
    return 0
