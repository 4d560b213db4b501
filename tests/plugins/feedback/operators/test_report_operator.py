from __future__ import annotations

import pytest

from feedback.operators.report_operator import ReportOperator
from tests.plugins.feedback.digest.seeded import seed


@pytest.fixture
def operator(warehouse, tmp_path):
    def operator(**options):
        return ReportOperator(
            task_id="report",
            warehouse=warehouse,
            folder=tmp_path / "report",
            digest_folder=tmp_path / "digest",
            as_of=None,
            uses_clock=False,
            is_sample=True,
            budget_usd=5.0,
            budget_usd_day=20.0,
            **options,
        )

    return operator


def test_it_writes_the_page_of_an_empty_warehouse(operator, run, tmp_path):
    counts = operator().work(run, {}).as_dict()

    page = tmp_path / "report" / "index.html"
    assert counts == {"bytes": page.stat().st_size}
    assert "Nothing has been read yet." in page.read_text()


def test_the_golden_numbers_are_asked_of_the_warehouse(warehouse, operator, run, tmp_path):
    seed(warehouse)
    asked = []

    def agreement(of):
        asked.append(of)
        return [{"enrichment": "sentiment", "right": 3, "total": 4, "lower_bound": 0.3}]

    operator(agreement=agreement).work(run, {})

    assert asked == [warehouse]
    assert "75%" in (tmp_path / "report" / "index.html").read_text()
