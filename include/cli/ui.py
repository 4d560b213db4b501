"""``make ui``: Airflow with scheduler and UI on this machine, until Ctrl-C."""

from __future__ import annotations

import argparse
import time

from include import settings
from include.cli.components import Components
from include.cli.lock import run_lock
from include.settings import Settings

HELP = "Airflow with scheduler and UI on 127.0.0.1; Ctrl-C ends every process it started"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--port", type=int, choices=range(1, 65536), metavar="PORT", default=8080, help="of the UI (default 8080)"
    )


def main(options: argparse.Namespace) -> int:
    configured = settings.load()
    with run_lock(configured.home):  # its tasks and a run's would pay for the same questions
        return _until_stopped(configured, options.port)


def _until_stopped(configured: Settings, port: int) -> int:
    home = configured.home / "airflow"
    report = configured.data_home / "report" / "index.html"
    print(f"starting Airflow in {home} …", flush=True)
    with Components(home, port, {"AIRFLOW__FEEDBACK__REPORT": str(report)}) as airflow:
        airflow.wait_until_healthy()
        print(f"\n  {airflow.url}\n  user admin, password {airflow.password}\n", flush=True)
        print("  trigger warehouse_main and watch the others follow; Ctrl-C ends everything", flush=True)
        try:
            while True:
                airflow.check()
                time.sleep(2)
        except KeyboardInterrupt:
            print("\nstopping …", flush=True)
    return 0
