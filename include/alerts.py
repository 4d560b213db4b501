"""Who is told when a task fails or a source falls silent, and how Slack is reached."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, cast

from feedback.hooks.slack_client import slack_client
from feedback.notifications.incident_notifier import IncidentNotifier
from include.settings import Settings
from include.warehouse import warehouse

if TYPE_CHECKING:
    from collections.abc import Callable

    from slack_sdk import WebClient


def notifier(settings: Settings) -> IncidentNotifier:
    """Return what every task calls when it fails for good: a file an incident, and Slack where a channel is set."""
    return IncidentNotifier(
        warehouse=warehouse(settings),
        folder=settings.data_home / "alerts",
        report=settings.data_home / "report" / "index.html",
        channel=settings.alert_channel,
        client=slack(settings),
    )


def slack(settings: Settings) -> Callable[[], WebClient]:
    """Return what makes Slack's client when something is posted."""
    return cast("Callable[[], WebClient]", partial(slack_client, "slack_api_default", settings.allow_http))
