"""Who is told when a task fails."""

from feedback.notifications.incident_notifier import IncidentNotifier
from include.settings import Settings
from include.warehouse import warehouse


def on_failure(settings: Settings) -> IncidentNotifier:
    """Return what every task calls when it fails for good."""
    return IncidentNotifier(
        warehouse=warehouse(settings),
        folder=settings.data_home / "alerts",
        report=settings.data_home / "report" / "index.html",
    )
