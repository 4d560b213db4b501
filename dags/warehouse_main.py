"""
### Warehouse main

An example of the company's own warehouse Dag: what matters is its last task, which updates the asset
that starts us. Yours needs one line, `outlets=[Asset("warehouse_main")]`, on its last task.

**Starts when** a person triggers it. **Updates** the asset named by `FEEDBACK_WAREHOUSE_ASSET`.

**If it fails**: nothing of the feedback pipeline has started. This example is read only under
`make run`, `make ui` and tests; in production your own Dag takes its place.
"""

from __future__ import annotations

from datetime import timedelta

import pendulum
from airflow.sdk import dag, task

from include import settings
from include.assets import WAREHOUSE


@dag(
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    default_args={
        "owner": "warehouse",
        "retries": 0,
        "execution_timeout": timedelta(minutes=5),
        "pool": "default_pool",
    },
    tags=["warehouse", "example"],
    doc_md=__doc__,
)
def warehouse_main() -> None:
    @task
    def build_tables() -> None:
        """Stand for the company's own work."""

    @task(outlets=[WAREHOUSE])
    def publish() -> None:
        """Say that the warehouse is ready for the day."""

    build_tables() >> publish()


if settings.load().example_warehouse:
    warehouse_main()
