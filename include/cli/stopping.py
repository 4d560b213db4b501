"""An Airflow listener: who stops a task means the run. Airflow alone takes Ctrl-C for a failure and tries again."""

from __future__ import annotations

from typing import Any

from airflow.listeners import hookimpl


@hookimpl
def on_task_instance_failed(previous_state: Any, task_instance: Any, error: Any) -> None:
    """Let Ctrl-C out of the task that it fell into."""
    if isinstance(error, KeyboardInterrupt):
        raise KeyboardInterrupt
