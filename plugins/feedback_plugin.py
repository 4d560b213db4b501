"""The one plugin: a page with the latest report, for whoever may read the Dag that makes it, and the tasks' link to it.

Which file it shows is said at deployment, as AIRFLOW__FEEDBACK__REPORT: ``report/index.html`` under FEEDBACK_HOME.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from airflow.plugins_manager import AirflowPlugin

from feedback.operators.report_link import ReportLink

HEADERS = {
    # The report brings a policy of its own; who may frame it can only be said here.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'",
    "X-Content-Type-Options": "nosniff",
}


async def report_page(scope: Any, receive: Any, send: Any) -> None:
    """Answer with the report. Built at a request: every component imports plugins, only the api-server serves."""
    from airflow.api_fastapi.core_api.security import requires_access_dag
    from airflow.configuration import conf
    from fastapi import Depends, FastAPI
    from fastapi.responses import FileResponse, PlainTextResponse, Response

    may_read = Depends(requires_access_dag("GET", None, "triage_digest"))
    app = FastAPI(dependencies=[may_read], docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/", response_model=None)
    def report() -> Response:
        file = Path(conf.get("feedback", "report", fallback=""))
        if not file.is_file():
            return PlainTextResponse("No report yet: triage_digest writes it at the end of a run.", 404, HEADERS)
        return FileResponse(file, media_type="text/html; charset=utf-8", headers=HEADERS)

    await app(scope, receive, send)


class FeedbackPlugin(AirflowPlugin):
    name = "feedback"
    fastapi_apps = [{"app": report_page, "url_prefix": "/feedback-report", "name": "feedback-report"}]  # noqa: RUF012
    external_views = [  # noqa: RUF012
        {"name": "Feedback report", "href": "/feedback-report/", "destination": "nav", "url_route": "feedback_report"}
    ]
    operator_extra_links = [ReportLink()]  # noqa: RUF012 - without it the UI shows the link of no task
