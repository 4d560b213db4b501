"""The chain of Dags in this one process, through Airflow itself: no daemon, no port, no child.

Callers have entered the environment of an Airflow of our own (``environment.enter``) before.
"""

from __future__ import annotations

import signal
from pathlib import Path
from typing import TYPE_CHECKING

from feedback.errors import FeedbackError
from include.cli import environment
from include.cli.environment import POOLS

if TYPE_CHECKING:
    from airflow.models.dagrun import DagRun
    from airflow.sdk import DAG

CHAIN = ("warehouse_main", "extract_feedback", "enrich_feedback", "resolve_entities", "triage_digest")


def prepare(airflow_home: Path) -> dict[str, DAG]:
    """Migrate the metadata database unless this Airflow has, make the pools, read the Dags; return them by id."""
    from airflow.sdk.listener import get_listener_manager

    from include.cli import stopping

    if not environment.is_migrated(airflow_home):
        from airflow.utils.db import initdb

        initdb()
        environment.note_migrated(airflow_home)
    make_pools()
    get_listener_manager().add_listener(stopping)
    return _dags()


def make_pools() -> None:
    """Create or resize our pools in Airflow's metadata database."""
    from airflow.models.pool import Pool

    for name, (slots, description) in POOLS.items():
        Pool.create_or_update_pool(name=name, slots=slots, description=description, include_deferred=False)


def _dags() -> dict[str, DAG]:
    from airflow.dag_processing.bundles.manager import DagBundlesManager
    from airflow.dag_processing.dagbag import BundleDagBag, sync_bag_to_db

    manager = DagBundlesManager()
    manager.sync_bundles_to_db()
    (bundle,) = (bundle for bundle in manager.get_all_dag_bundles() if bundle.name == "feedback")
    bag = BundleDagBag(dag_folder=bundle.path, bundle_path=bundle.path, bundle_name=bundle.name)
    if bag.import_errors:
        file, error = next(iter(bag.import_errors.items()))
        raise FeedbackError(f"{file} does not parse: {error.strip().splitlines()[-1]}")
    # Without this Airflow knows neither the Dags nor their assets, and records no asset event.
    sync_bag_to_db(bag, bundle.name, bundle_version=None)
    return dict(bag.dags)


def run_dag(dag: DAG) -> DagRun:
    """Run one Dag to its end and return its run.

    The default logical date is kept: asking for none deletes the Dag's earlier run without one.
    """
    # Each task leaves a handler behind that passes SIGTERM to that task alone.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    return dag.test()


def forget_asset_queue() -> None:
    """Forget which Dags Airflow would start next: this process has just run them."""
    from airflow.models.asset import AssetDagRunQueue
    from airflow.utils.session import create_session
    from sqlalchemy import delete

    with create_session() as session:
        session.execute(delete(AssetDagRunQueue))
