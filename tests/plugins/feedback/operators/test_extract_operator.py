"""Whatever a source brings is loaded once; what it could not read is listed, and forgotten when it is mended."""

import json
import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from feedback.errors import SourceFailed
from feedback.model import Batch, Gap, Run
from feedback.operators.extract_operator import ExtractOperator
from feedback.sources.slack_export import SlackExport

ROOT = Path(__file__).resolve().parents[4]
FIXTURE = ROOT / "tests/fixtures/slack_export"
REAL = ROOT.parent / "shared/data/slack_export/testarchive.zip"
RAW = ("slack_messages", "slack_messages_history", "slack_channels", "slack_users", "app_reviews")


@pytest.fixture
def extract(warehouse):
    """Run the operator on an export, in a run of its own."""

    def extracted(path, run_id="run_1", **options):
        operator = ExtractOperator(task_id="extract", source=SlackExport(path, **options), warehouse=warehouse)
        return operator.work(Run(run_id, "a_dag", "extract"), {}).as_dict()

    return extracted


def stored(warehouse):
    """Every raw row, in order."""
    return {table: warehouse.rows(f"select * from raw.{table} order by all") for table in RAW}


def test_loads_everything_and_counts_it(extract, warehouse):
    counts = extract(FIXTURE)

    [found] = warehouse.rows("select count(*) as n, count(distinct channel_id || ts) as keys from raw.slack_messages")
    assert found["n"] == found["keys"] == 20
    assert (counts["rows"], counts["changed"]) == (26, 26)
    assert (counts["skipped"], counts["refused"]) == (5, 5)
    assert len(counts["notes"]) == 4


def test_a_second_run_changes_no_row(extract, warehouse):
    extract(FIXTURE)
    before = stored(warehouse)

    counts = extract(FIXTURE, "run_2")

    assert stored(warehouse) == before
    assert (counts["rows"], counts["changed"]) == (0, 0)
    assert counts["notes"]


def test_the_json_of_a_message_is_stored_as_it_came(extract, warehouse):
    extract(FIXTURE)

    [row] = warehouse.rows("select payload from raw.slack_messages where ts = '1759312800.000003'")
    assert json.loads(row["payload"])["text"].startswith("No :cry: it stops at *80 %*")


def test_coverage_keeps_the_run_that_met_a_gap_first_and_forgets_what_was_mended(extract, warehouse, tmp_path):
    folder = shutil.copytree(FIXTURE, tmp_path / "export")
    extract(folder)
    (folder / "broken/2026-10-02.json").write_text("[]")

    extract(folder, "run_2")

    gaps = warehouse.rows("select part, first_run_id, last_run_id from ops.coverage where status = 'refused'")
    assert {(gap["first_run_id"], gap["last_run_id"]) for gap in gaps} == {("run_1", "run_2")}
    assert "broken/2026-10-02.json" not in [gap["part"] for gap in gaps]


def test_an_old_export_never_undoes_an_edit(extract, warehouse, tmp_path):
    def export(name, text, **more):
        message = {"type": "message", "user": "U1", "text": text, "ts": "1759312800.000001", **more}
        (tmp_path / name / "one").mkdir(parents=True)
        (tmp_path / name / "one/2026-10-01.json").write_text(json.dumps([message]))
        return tmp_path / name

    new = export("new", "edited words", edited={"user": "U1", "ts": "1759312900.000000"})
    old = export("old", "first words")

    extract(new)
    extract(old, "run_2")

    assert [row["text"] for row in warehouse.rows("select text from raw.slack_messages")] == ["edited words"]


def test_a_refused_archive_harms_nothing_that_is_stored(extract, warehouse, tmp_path):
    extract(FIXTURE)
    before = stored(warehouse)
    (tmp_path / "export.zip").write_bytes(b"PK\x03\x04 cut off")

    counts = extract(tmp_path / "export.zip", "run_2")

    assert stored(warehouse) == before
    assert counts["refused"] == 1
    assert "export.zip" in counts["notes"][0]


def test_a_source_that_is_not_there_fails_naming_it(extract, tmp_path):
    with pytest.raises(SourceFailed, match=r"slack_export: .*nowhere\.zip does not exist"):
        extract(tmp_path / "nowhere.zip")


def test_a_source_out_of_reach_is_listed_beside_what_was_known_of_it_until_it_is_back(extract, warehouse, tmp_path):
    listed = "select part, status from ops.coverage where status <> 'skipped' order by all"
    folder = shutil.copytree(FIXTURE, tmp_path / "export")
    extract(folder)
    before = warehouse.rows(listed)

    folder.rename(tmp_path / "moved")
    with pytest.raises(SourceFailed):
        extract(folder, "run_2")
    without = warehouse.rows(listed)
    (tmp_path / "moved").rename(folder)
    extract(folder, "run_3")

    assert without == [{"part": "all", "status": "failed"}, *before]
    assert warehouse.rows(listed) == before


@dataclass(frozen=True)
class Breaking:
    """A source that goes away after its first file, of which one row was bad."""

    name: str = "breaking"

    def extract(self, past):
        yield Gap(self.name, "one.csv", "refused", "bad_row", "one.csv: row 3 left out", 1, "sha")
        review = {"store": "itunes", "app_id": "1", "review_id": "1", "rating": 1, "payload": "{}", "row_hash": "x"}
        yield Batch(self.name, "one.csv", "raw.app_reviews", [review], "load")
        raise PermissionError(13, "Permission denied", "two.csv")


def test_what_is_loaded_before_a_source_breaks_stays_and_so_does_what_it_lacks(warehouse):
    operator = ExtractOperator(task_id="extract", source=Breaking(), warehouse=warehouse)

    with pytest.raises(SourceFailed, match=r"breaking: two\.csv cannot be read \(Permission denied\)"):
        operator.work(Run("run_1", "a_dag", "extract"), {})

    assert len(warehouse.rows("select review_id from raw.app_reviews")) == 1
    listed = warehouse.rows("select part, status from ops.coverage order by part")
    assert listed == [{"part": "all", "status": "failed"}, {"part": "one.csv", "status": "refused"}]


@pytest.mark.skipif(not REAL.exists(), reason="../shared/data is not here")
def test_a_real_export_is_stored_without_loss_and_a_second_run_changes_nothing(extract, warehouse):
    with zipfile.ZipFile(REAL) as archive:
        days = [name for name in archive.namelist() if name.count("/") == 1 and name.endswith(".json")]
        expected = {(name.split("/")[0], one["ts"]) for name in days for one in json.loads(archive.read(name))}

    extract(REAL)
    before = stored(warehouse)
    extract(REAL, "run_2")

    rows = warehouse.rows(
        "select c.name, m.ts from raw.slack_messages as m join raw.slack_channels as c on c.id = m.channel_id"
    )
    assert sorted((row["name"], row["ts"]) for row in rows) == sorted(expected)
    assert stored(warehouse) == before
