"""Adding a source is one file and one line: a copy of the bundle gets both, and everything else follows."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from feedback.warehouse.duckdb import DuckDBWarehouse
from tests.plugins.feedback.sources.helpdesk import put, ticket

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.integration

FILE = '''
"""Answers to a survey, a line each."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from feedback.model import Batch, digest
from feedback.sources.base import Past, Source
from feedback.sources.texts import text_row


@dataclass(frozen=True)
class Survey(Source):
    path: Path
    name: str = "survey"

    def extract(self, past: Past) -> Iterator[Batch]:
        lines = self.path.read_text().splitlines()
        rows = [text_row(self.name, str(number), line) for number, line in enumerate(lines, 1)]
        yield Batch(self.name, self.path.name, "raw.texts", rows, digest(self.name, *lines))
'''
LINE = """OWN: tuple[Source, ...] = (
    Survey(Path("survey.txt")),
    TableSource(
        name="support_tickets", table="helpdesk.tickets", key="ticket_id", text="body", posted_at="sent",
        url="secret", hosts=("support.example.com",),
    ),
)
"""
IMPORTS = """from pathlib import Path

from feedback.sources.survey import Survey
from feedback.sources.table import TableSource
"""
RUN = """
import json, sys
sys.path.append("plugins")
from dags.extract_feedback import TABLES, extract_feedback
from feedback.model import Run
from feedback.operators.digest_operator import DigestOperator
from feedback.operators.report_operator import ReportOperator
from feedback.warehouse.merge import append
from include import settings
from include.cli import summary
from include.digest import DIGEST, REPORT

dag = extract_feedback()
for task in dag.topological_sort():
    if task.task_id != "complete":
        task.work(Run("run_1", dag.dag_id, task.task_id), {})
about = "content_hash, 'p' as prompt_version, 'llm' as decided_by, false as is_stale, '1' as engine_version"
about += ", 'run_1' as run_id, updated_at as answered_at"
unhappy = f"select item_id, 'negative' as label, {about} from feedback.items"
append(TABLES, "feedback.sentiment", TABLES.rows(unhappy))
for task in (
    DigestOperator(task_id="digest", warehouse=TABLES, **DIGEST),
    ReportOperator(task_id="report", warehouse=TABLES, **REPORT),
):
    task.work(Run("run_1", "triage_digest", task.task_id), {})
print(summary.render(summary.collect(settings.load(), {"extract_feedback": "run_1"}, 1.0)))
"""


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    """A copy of the bundle with the file and the line."""
    folder = tmp_path_factory.mktemp("bundle")
    for name in ("dags", "include", "plugins"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("sample", "__pycache__"))
    (folder / "plugins/feedback/sources/survey.py").write_text(FILE)
    known = folder / "include/known_sources.py"
    text = known.read_text()
    assert "OWN: tuple[Source, ...] = ()\n" in text
    text = text.replace("import re\n", f"import re\n{IMPORTS}", 1)
    known.write_text(text.replace("OWN: tuple[Source, ...] = ()\n", LINE))
    return folder


@pytest.fixture(scope="module")
def warehouse(bundle):
    """What a run of the copy leaves behind, and what it prints."""
    warehouse = DuckDBWarehouse(bundle / "var/warehouse.duckdb", ROOT / "include/sql/ddl")
    (bundle / "survey.txt").write_text("The export is terrible.\nWrite to ada@example.com about the slow sync\n")
    sent = datetime.now(UTC).replace(tzinfo=None)
    put(warehouse, ticket(1, sent=sent, secret="https://support.example.com/1"), ticket(2, "My SSN leaks", sent=sent))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FEEDBACK_")}
    done = subprocess.run(
        [sys.executable, "-c", RUN], cwd=bundle, env=environment, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr
    (bundle / "printed.txt").write_text(done.stdout)
    return warehouse


def test_its_words_are_published_masked_and_linked_where_they_may_lead(warehouse):
    rows = warehouse.rows("select item_id, text, permalink from marts.feedback_wide order by item_id")

    assert [tuple(row.values()) for row in rows] == [
        ("support_tickets:1", "It crashes", "https://support.example.com/1"),
        ("support_tickets:2", "My SSN leaks", None),
        ("survey:1", "The export is terrible.", None),
        ("survey:2", "Write to [EMAIL_1] about the slow sync", None),
    ]


def test_the_gate_has_judged_them(warehouse):
    judged = warehouse.rows("select total, failed, decision from ops.validations where rule = 'source_known'")

    assert judged == [{"total": 4, "failed": 0, "decision": "publish"}]


def test_digest_report_and_summary_show_it_under_its_name(warehouse, bundle):
    digests = [json.loads(file.read_text()) for file in (bundle / "var/digest").glob("*.json")]
    shown = {(line["item_id"], line["source"], line["link"]) for digest in digests for line in digest["lines"]}

    assert ("support_tickets:1", "Support tickets", "https://support.example.com/1") in shown
    assert ("survey:1", "Survey", None) in shown
    assert ">Support tickets<" in (bundle / "var/report/index.html").read_text()
    printed = [line.split()[:3] for line in (bundle / "printed.txt").read_text().splitlines()]
    assert ["support_tickets", "2", "2"] in printed
    assert ["survey", "2", "2"] in printed


@pytest.mark.parametrize(
    ("own", "line"),
    [
        ('TableSource(name="t", table="a.b", key="id", words="w")', "TypeError: .*'words'"),
        ('TableSource(name="t", table="b", key="id", text="w")', r"source t: 'b' is no schema\.table"),
        ("(", "SyntaxError: "),
        ("survey", "NameError: name 'survey' is not defined"),
    ],
)
def test_what_is_mistyped_in_the_line_is_told_in_one(tmp_path, own, line):
    shutil.copytree(ROOT / "include", tmp_path / "include", ignore=shutil.ignore_patterns("sample", "__pycache__"))
    (tmp_path / "plugins").symlink_to(ROOT / "plugins")
    known = tmp_path / "include/known_sources.py"
    text = known.read_text().replace("import re\n", "import re\nfrom feedback.sources.table import TableSource\n", 1)
    known.write_text(text.replace("OWN: tuple[Source, ...] = ()\n", f"OWN: tuple[Source, ...] = ({own},)\n"))

    done = subprocess.run(
        [sys.executable, "-m", "include.cli", "plan"], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )

    assert done.returncode == 1
    assert re.fullmatch(rf"include/known_sources\.py: {line}.*\n|{line}.*\n", done.stderr), done.stderr


def test_nothing_else_of_the_bundle_was_touched(bundle):
    files = [
        file for name in ("dags", "include", "plugins") for file in (bundle / name).rglob("*") if file.suffix == ".py"
    ]
    originals = {file: ROOT / file.relative_to(bundle) for file in files}

    assert sorted(
        file.name
        for file, original in originals.items()
        if not original.exists() or file.read_bytes() != original.read_bytes()
    ) == ["known_sources.py", "survey.py"]
