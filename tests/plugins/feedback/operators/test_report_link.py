"""The button that leads from a task to the report."""

from __future__ import annotations

import pytest

from feedback.operators.report_link import ReportLink
from feedback_plugin import FeedbackPlugin


@pytest.mark.parametrize(
    ("base_url", "prefix"), [("", ""), ("http://127.0.0.1:8080", ""), ("https://acme.example/airflow/", "/airflow")]
)
def test_leads_to_the_page_of_the_plugin_wherever_airflow_is_reached(monkeypatch, base_url, prefix):
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", base_url)
    [page] = FeedbackPlugin.external_views

    assert ReportLink().get_link(None, ti_key=None) == f"{prefix}/plugin/{page['url_route']}"


def test_the_plugin_registers_it_as_the_ui_demands():
    assert [type(link) for link in FeedbackPlugin.operator_extra_links] == [ReportLink]
