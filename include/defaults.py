"""What every task of ours has: an owner, a pool of our own, a time limit, retries and the failure notifier."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from include import settings
from include.alerts import notifier

_SETTINGS = settings.load()

LONGEST = timedelta(minutes=30)
"""How long a task may take; one that reads an API may take its minutes of calls beside."""

DAG_DEFAULTS: dict[str, Any] = {
    # No start date: with one, a fresh scheduler would at once make up for the digest hour that has just passed.
    "catchup": False,
    # Two runs at once would ask for the same owed rows.
    "max_active_runs": 1,
    "default_args": {
        "owner": "feedback",
        "pool": "feedback",
        # The company's own Dags come first.
        "priority_weight": 1,
        "weight_rule": "absolute",
        "retries": 2,
        "retry_delay": timedelta(seconds=_SETTINGS.retry_seconds),
        "execution_timeout": LONGEST,
        "on_failure_callback": notifier(_SETTINGS),
    },
}
