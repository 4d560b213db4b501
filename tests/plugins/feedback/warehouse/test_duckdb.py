"""What the embedded warehouse survives: neighbours, kills, full disks, files that are none of ours."""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from feedback.errors import WarehouseBusy, WarehouseError, WarehouseFull
from feedback.model import Batch, Run
from feedback.warehouse.duckdb import DuckDBWarehouse
from feedback.warehouse.merge import load

ROOT = Path(__file__).resolve().parents[4]
DDL = ROOT / "include/sql/ddl"
RUN = Run("run", "dag", "task")


def load_number(warehouse, name, number):
    key = {"team_id": "T", "channel_id": "C", "payload": {"words": "x" * 500}}
    shared = key | {"ts": "shared", "text": name, "row_hash": f"{name} {number}"}
    own = [key | {"ts": f"{name} {number} {row}", "row_hash": "1"} for row in range(20)]
    load(warehouse, Batch("slack", name, "raw.slack_messages", [shared, *own], f"{name} {number}"), RUN)


def load_many(path, name, times):
    warehouse = DuckDBWarehouse(path, DDL)
    for number in range(times):
        load_number(warehouse, name, number)


def load_for_ever(path):
    number = 0
    while True:
        load_number(DuckDBWarehouse(path, DDL), f"p{os.getpid()}", number := number + 1)


def counts(warehouse):
    found = "select (select count(*) from ops.loads) as loads, (select count(*) from raw.slack_messages) as messages"
    return warehouse.rows(found)[0]


def test_is_safe_with_several_processes_at_once(warehouse):
    spawn = multiprocessing.get_context("spawn")
    writers = [spawn.Process(target=load_many, args=(warehouse.path, name, 10)) for name in "abc"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(120)

    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    assert counts(warehouse) == {"loads": 30, "messages": 30 * 20 + 1}


def test_is_safe_with_several_threads_at_once(warehouse):
    writers = [threading.Thread(target=load_many, args=(warehouse.path, name, 5)) for name in "abc"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(120)

    assert counts(warehouse) == {"loads": 15, "messages": 15 * 20 + 1}


def test_holds_whole_loads_only_after_its_writer_is_killed(warehouse):
    spawn = multiprocessing.get_context("spawn")
    for attempt in range(4):
        writer = spawn.Process(target=load_for_ever, args=(warehouse.path,))
        before = counts(warehouse)["loads"]
        writer.start()
        while counts(warehouse)["loads"] == before:
            time.sleep(0.01)
        time.sleep(0.007 * attempt)  # a different moment of its next load each time
        os.kill(writer.pid, signal.SIGKILL)
        writer.join(30)

        after = counts(warehouse)
        assert after["loads"] > before
        assert after["messages"] == after["loads"] * 20 + 1


def test_works_in_a_forked_process(warehouse):
    before = counts(warehouse)
    script = (
        "import os, sys; sys.path[:0] = sys.argv[1:3]\n"
        "from feedback.warehouse.duckdb import DuckDBWarehouse\n"
        "warehouse = DuckDBWarehouse(sys.argv[3], sys.argv[4])\n"
        "warehouse.rows('select 1 as a')\n"
        "child = os.fork()\n"
        "found = warehouse.rows('select count(*) as n from ops.loads')\n"
        "sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) if child else found[0]['n'])\n"
    )
    command = [sys.executable, "-c", script, str(ROOT), str(ROOT / "plugins"), str(warehouse.path), str(DDL)]

    assert subprocess.run(command, timeout=60, check=False).returncode == 0
    assert counts(warehouse) == before


def test_names_the_process_that_keeps_it_waiting(warehouse):
    impatient = DuckDBWarehouse(warehouse.path, DDL, patience=0.1)
    with warehouse._held(), pytest.raises(WarehouseBusy, match=f"held by process {os.getpid()} for 0.1 s") as busy:
        impatient.rows("select 1 as a")

    assert busy.value.retryable


def test_names_a_stranger_that_has_the_file_open(warehouse):
    hold = "import duckdb, sys; held = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(warehouse.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as stranger:
        stranger.stdout.readline()

        with pytest.raises(WarehouseBusy, match=f"process {stranger.pid} outside our lock"):
            warehouse.rows("select 1 as a")
        stranger.stdin.close()
        stranger.wait(30)

    assert warehouse.rows("select 1 as a") == [{"a": 1}]


def test_says_that_the_device_is_full_and_keeps_what_it_has(warehouse):
    load_number(warehouse, "before", 1)
    before = counts(warehouse)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (warehouse.path.stat().st_size, hard))
    try:
        with pytest.raises(WarehouseFull, match=r"no room left .*warehouse\.duckdb.*FEEDBACK_DUCKDB_PATH"):
            load_many(warehouse.path, "too much", 100)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)

    after = counts(warehouse)
    assert after["messages"] == after["loads"] * 20 + 1
    assert after["loads"] >= before["loads"]


@pytest.mark.parametrize("content", [b"not a database at all", os.urandom(300_000)], ids=["text", "noise"])
def test_refuses_a_file_that_is_no_database_and_leaves_it_alone(tmp_path, content):
    path = tmp_path / "warehouse.duckdb"
    path.write_bytes(content)

    with pytest.raises(
        WarehouseError, match=r"warehouse\.duckdb cannot be used as a DuckDB file.*FEEDBACK_DUCKDB_PATH"
    ):
        DuckDBWarehouse(path, DDL).migrate()
    assert path.read_bytes() == content


def test_refuses_a_database_that_is_damaged(warehouse):
    with warehouse.path.open("r+b") as file:
        file.seek(12_000)
        file.write(os.urandom(200_000))

    with pytest.raises(WarehouseError, match=r"warehouse\.duckdb"):
        warehouse.rows("select * from ops.loads")


def test_names_the_folder_it_cannot_make(tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(WarehouseError, match=r"file/warehouse\.duckdb cannot be written .*FEEDBACK_DUCKDB_PATH"):
        DuckDBWarehouse(tmp_path / "file" / "warehouse.duckdb", DDL).migrate()


@pytest.mark.parametrize("name", ["feedback.duckdb", "raw.duckdb", "memory.duckdb", "it's.duckdb"])
def test_works_whatever_its_file_is_called(tmp_path, name):
    warehouse = DuckDBWarehouse(tmp_path / name, DDL)
    warehouse.migrate()

    assert warehouse.rows("select count(*) as n from feedback.items") == [{"n": 0}]


def test_gives_no_values_away_when_it_refuses(warehouse):
    with pytest.raises(WarehouseError) as refused:
        warehouse.rows("select cast(? as integer) as a", ("what a customer said",))

    assert "customer" not in str(refused.value)
    assert refused.value.__cause__ is None


class TestBackup:
    def test_copies_what_was_committed(self, warehouse, tmp_path):
        load_number(warehouse, "a", 1)
        copy = warehouse.backup(tmp_path / "copy.duckdb")
        load_number(warehouse, "a", 2)

        assert counts(DuckDBWarehouse(copy, DDL))["loads"] == 1
        assert not list(tmp_path.glob("*.part"))

    def test_overwrites_nothing(self, warehouse, tmp_path):
        (tmp_path / "copy.duckdb").write_text("precious")

        with pytest.raises(WarehouseError, match="exists already"):
            warehouse.backup(tmp_path / "copy.duckdb")
        assert (tmp_path / "copy.duckdb").read_text() == "precious"

    def test_names_a_place_it_cannot_write(self, warehouse, tmp_path):
        (tmp_path / "file").touch()

        with pytest.raises(WarehouseError, match="copy could not be written"):
            warehouse.backup(tmp_path / "file" / "copy")


def test_compact_leaves_nothing_of_deleted_rows_in_the_file(warehouse):
    load_number(warehouse, "zanzibarquux", 1)
    load_number(warehouse, "other", 1)
    warehouse.transact(["delete from raw.slack_messages where ts like 'zanzibarquux%' or text = 'zanzibarquux'"])
    warehouse.transact(["delete from raw.slack_messages_history", "delete from ops.loads where part = 'zanzibarquux'"])
    before = warehouse.rows("select * from raw.slack_messages order by ts")
    assert b"zanzibarquux" in warehouse.path.read_bytes()

    warehouse.path.with_name(f"{warehouse.path.name}.part").write_text("of one who was killed")
    warehouse.compact()

    assert [file for file in warehouse.path.parent.iterdir() if b"zanzibarquux" in file.read_bytes()] == []
    assert warehouse.rows("select * from raw.slack_messages order by ts") == before
    assert warehouse.rows("select count(*) as n from marts.feedback_wide") == [{"n": 0}]
    assert warehouse.migrate() == []
