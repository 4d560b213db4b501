"""`make run` on what is broken: one line for each, everything else loaded, nothing stored harmed, the right status."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from benchmarks.dump import published
from tests.integration.company import Ended, Home
from tests.integration.hostile import CANARY, Hostile
from tests.plugins.feedback.llm.stand_in import StandIn, status

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

KEY, SALT = "sk-canary-0123456789", "salt-canary-0123456789"
REFUSED = {
    "../evil.json": "lead outside it",
    "general/2026-10-01.json": "1 entries have no timestamp",
    "general/2026-10-02.json": "broken JSON (line 1)",
    "general/2026-10-03.json": "unpacks to more than an honest file",
    "column.csv": "no column 'Star Rating'",
    "latin.csv": "not UTF-16 or UTF-8",
    "row.csv": "row 3 left out",
    "us_1234567890_page1.json": "1 entries are no reviews",
    "us_1234567890_page2.json": "broken JSON (line 1)",
    "us_1234567890_page3.json": "no page of the iTunes reviews feed",
}
LOADED = {"slack_messages": 3, "app_reviews": 5}
LISTED = "select source, part, reason, row_count, fingerprint from ops.coverage order by all"
FIRST = "select distinct first_run_id from ops.coverage where status = 'refused'"


@dataclass(frozen=True)
class Runs:
    """Three runs in one home: the same refused input twice, then a source that went away and a key that is refused."""

    first: Ended
    again: Ended
    failed: Ended
    stored: list[dict]
    listed: list[list[tuple]]
    first_met: list[tuple]
    home: Home


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    hostile = Hostile(folder)
    home = Home(folder / "home", hostile)
    home.variables["FEEDBACK_HASH_SALT"] = SALT
    stored, listed = [], []

    def run(**variables):
        ended = home.run(**variables)
        stored.append(published(home.data / "warehouse.duckdb"))
        listed.append(home.rows(LISTED))
        return ended

    first, again = run(), run()
    first_met = home.rows(FIRST)
    hostile.export.write_bytes(hostile.export.read_bytes()[:5000])
    shutil.rmtree(hostile.reports)
    with HTTPServer("127.0.0.1") as server:
        service = StandIn(server)
        service.faults = [status(401, f"{KEY} is no key")] * 9
        connection = {"conn_type": "openai", "password": KEY, "host": service.base_url}
        failed = run(AIRFLOW_CONN_OPENAI_DEFAULT=json.dumps(connection), FEEDBACK_LLM_MODEL="stand-in")
    return Runs(first, again, failed, stored, listed, first_met, home)


def test_each_refused_part_is_one_line_that_names_it_and_the_status_is_4(runs):
    lines = runs.first.err.splitlines()

    assert runs.first.status == 4
    for part, why in REFUSED.items():
        [line] = [line for line in lines if part in line]
        assert why in line
    assert len(lines) == len(REFUSED)


def test_what_can_be_loaded_is_loaded_and_what_cannot_is_listed(runs):
    assert {name: len(runs.stored[0][f"raw.{name}"]) for name in LOADED} == LOADED
    assert {part for _, part, *_ in runs.listed[0]} == set(REFUSED)


def test_a_second_run_lists_the_same_and_changes_nothing(runs):
    assert (runs.again.status, runs.again.err) == (4, runs.first.err)
    assert runs.listed[1] == runs.listed[0]
    assert len(runs.first_met) == 1
    assert runs.stored[1] == runs.stored[0]


def test_a_source_that_went_away_and_a_refused_key_are_named_and_fail_the_run(runs):
    lines = runs.failed.err.splitlines()

    assert runs.failed.status == 1
    assert [line for line in lines if "does not exist: correct FEEDBACK_GOOGLE_PLAY_CSV" in line]
    assert [line for line in lines if "connection openai_default" in line and "refused its key (HTTP 401)" in line]
    assert [line for line in lines if "export.zip is no ZIP, or its end is missing" in line]
    assert lines[-1].startswith("the run failed; the whole log is ")


def test_what_is_stored_survives_a_failed_run(runs):
    assert runs.stored[2] == runs.stored[0]
    assert ("google_play_csv", "all", "out_of_reach") in [row[:3] for row in runs.listed[2]]


def test_no_traceback_reaches_the_console(runs):
    for ended in (runs.first, runs.again, runs.failed):
        assert "Traceback" not in ended.out + ended.err


def test_customers_words_and_secrets_stay_where_they_belong(runs):
    said = "".join(ended.out + ended.err for ended in (runs.first, runs.again, runs.failed)).encode()
    files = {file: file.read_bytes() for file in runs.home.path.rglob("*") if file.is_file()}
    words = {file for file, content in files.items() if CANARY.encode() in content}

    assert not [secret for secret in (KEY, SALT, CANARY) if secret.encode() in said]
    assert not [file for file, content in files.items() if KEY.encode() in content or SALT.encode() in content]
    # Airflow's database (XCom, rendered fields), the logs and the alerts are among the files.
    assert {file.relative_to(runs.home.path).parts[0] for file in words} <= {"warehouse.duckdb", "digest", "report"}
    assert {"airflow-run", "logs", "alerts"} <= {file.relative_to(runs.home.path).parts[0] for file in files}


# A warehouse that cannot be used


def corrupt(path):
    path.write_bytes(os.urandom(50_000))


def foreign(path):
    import duckdb

    with duckdb.connect(path) as theirs:
        theirs.execute("create schema raw; create table raw.theirs as select 1 as n")


def newer(path):
    import duckdb

    with duckdb.connect(path) as theirs:
        theirs.execute("create schema ops; create table ops.schema_version (name text, checksum text)")
        theirs.execute("insert into ops.schema_version values ('0099_later.sql', 'x')")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [(corrupt, "cannot be used as a DuckDB file"), (foreign, "somebody else's"), (newer, "is newer than this code")],
)
def test_a_warehouse_that_is_not_ours_is_one_line_and_left_as_it_is(spoil, said, tmp_path):
    home = at_sample(tmp_path / "home")
    spoil(home.data / "warehouse.duckdb")
    before = (home.data / "warehouse.duckdb").read_bytes()

    ended = home.run()

    assert (ended.status, ended.err.count("\n")) == (1, 1)
    assert str(home.data / "warehouse.duckdb") in ended.err
    assert said in ended.err
    assert (home.data / "warehouse.duckdb").read_bytes() == before


def test_a_warehouse_that_another_program_has_open_is_one_line_that_names_the_program(tmp_path):
    home = at_sample(tmp_path / "home")
    hold = "import sys, duckdb; c = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", hold, home.data / "warehouse.duckdb"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "held\n"
        ended = home.run()
        holder.stdin.close()

    assert (ended.status, ended.err.count("\n")) == (1, 1)
    assert f"is held by process {holder.pid}" in ended.err


def at_sample(path: Path) -> Home:
    home = Home(path)
    home.data.mkdir(parents=True)
    return home


# A disk without room


@pytest.fixture
def small_disk(tmp_path):
    """A device of 30 MB that is gone after the test."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=30m", "tmpfs", disk], capture_output=True)
    if mounted.returncode:
        pytest.skip("this user may not mount")
    yield disk
    subprocess.run(["umount", "-l", disk], check=True)


def fill(disk: Path) -> None:
    """Leave nothing free."""
    with (disk / "filler").open("ab", buffering=0) as file:
        try:
            while True:
                file.write(b"0" * 4096)
        except OSError:
            return


def test_a_full_disk_is_one_line_before_anything_is_done(small_disk):
    fill(small_disk)

    ended = Home(small_disk / "home").run()

    assert (ended.status, ended.err.count("\n")) == (1, 1)
    assert "FEEDBACK_HOME" in ended.err


def test_a_disk_that_fills_during_a_run_is_named_and_what_was_loaded_stays(small_disk, tmp_path):
    home = Home(small_disk / "home", Hostile(tmp_path))
    process = home.start()
    while "items staged" not in (line := process.stdout.readline()):
        assert line, process.communicate()
    fill(small_disk)
    ended = home.wait(process)
    (small_disk / "filler").unlink()

    assert ended.status == 1
    assert "Traceback" not in ended.out + ended.err
    assert ended.err.splitlines()[-1].startswith("no room left on the device of ")
    assert {name: len(published(home.data / "warehouse.duckdb")[f"raw.{name}"]) for name in LOADED} == LOADED
