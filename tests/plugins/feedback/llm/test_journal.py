"""What is paid outlives the process that paid it: found once, by one, whole lines only, for nobody else's eyes."""

from __future__ import annotations

import json

import pytest

from feedback.llm.journal import Journal, left_behind
from feedback.llm.ledger import Ledger, Paid
from feedback.llm.prices import Model, Usage
from feedback.llm.recovery import recover

MODEL = Model("m", input=1.0)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "journal"


def killed(folder, *lines):
    """Leave behind what a task wrote that was killed: its segment, without the lock."""
    journal = Journal(folder)
    for line in lines:
        journal.write(line)
    path = max(folder.glob("*.jsonl"))
    left = path.read_bytes()
    journal.close()
    path.write_bytes(left)
    return path


def test_lines_that_a_killed_task_left_are_found_once(folder):
    killed(folder, {"a": 1}, {"b": 2})

    with left_behind(folder) as lines:
        assert lines == [{"a": 1}, {"b": 2}]
    with left_behind(folder) as lines:
        assert lines == []


def test_two_killed_tasks_are_found_in_their_order(folder):
    for number in range(2):
        killed(folder, {"number": number})

    with left_behind(folder) as lines:
        assert [line["number"] for line in lines] == [0, 1]


def test_a_last_line_that_breaks_off_is_left_out(folder):
    path = killed(folder, {"a": 1}, {"b": 2})
    path.write_bytes(path.read_bytes()[:-4])

    with left_behind(folder) as lines:
        assert lines == [{"a": 1}]


def test_a_task_that_lives_is_left_alone(folder):
    alive = Journal(folder)
    alive.write({"a": 1})

    with left_behind(folder) as lines:
        assert lines == []
    assert len(list(folder.iterdir())) == 1

    alive.close()
    assert list(folder.iterdir()) == []


def test_what_its_finder_could_not_keep_is_found_again(folder):
    killed(folder, {"a": 1})

    with pytest.raises(RuntimeError), left_behind(folder):
        raise RuntimeError
    with left_behind(folder) as lines:
        assert lines == [{"a": 1}]


def test_nobody_else_can_read_it(folder):
    Journal(folder).write({"quote": "my words"})

    (path,) = folder.glob("*.jsonl")
    assert (path.stat().st_mode & 0o777, folder.stat().st_mode & 0o777) == (0o600, 0o700)


def test_a_segment_goes_once_the_ledger_has_it_and_what_came_meanwhile_stays(folder):
    journal = Journal(folder)
    journal.write({"before": 1})
    drop = journal.turn()
    journal.write({"meanwhile": 1})
    drop()

    (path,) = folder.glob("*.jsonl")
    assert json.loads(path.read_text()) == {"meanwhile": 1}


class TestRecovery:
    @pytest.fixture
    def cut_off(self, warehouse, run, folder):
        """Return a ledger whose process will be killed: what it writes stays in its journal."""
        ledger = Ledger(warehouse, run, "online", folder)
        yield ledger
        ledger.close()

    def abandon(self, ledger, folder, tmp_path):
        """Return a folder as a kill at this moment would leave it."""
        left = tmp_path / "left"
        left.mkdir()
        for path in folder.glob("*.jsonl"):
            (left / path.name).write_bytes(path.read_bytes())
        return left

    def test_answers_and_what_they_cost_are_in_the_ledger_afterwards(
        self, warehouse, run, cut_off, folder, tmp_path, sentiment
    ):
        cut_off.intend("c1", MODEL, {"sentiment": "v"}, 3, 1, 0.25)
        cut_off.settle("c1", "settled", 0.01, Usage(input_tokens=9), 200)
        cut_off.keep(
            [Paid("k1", "sentiment", {"label": "neutral", "quote": "caf\u00e9 \ud83d"}, "m")], "sentiment x3", "c1"
        )
        cut_off.intend("c2", MODEL, {"sentiment": "v"}, 3, 1, 0.25)
        left = self.abandon(cut_off, folder, tmp_path)

        assert recover(warehouse, run, left) == 1
        assert recover(warehouse, run, left) == 0

        calls = warehouse.rows("select call_id, status, cost_usd, input_tokens from ops.llm_calls order by call_id")
        assert calls == [
            {"call_id": "c1", "status": "settled", "cost_usd": 0.01, "input_tokens": 9},
            {"call_id": "c2", "status": "lost", "cost_usd": 0.25, "input_tokens": 0},
        ]
        assert Ledger(warehouse, run, "online").known(["k1"])["k1"].answer["label"] == "neutral"

    def test_a_call_that_ended_after_it_was_flushed_is_not_lost(self, warehouse, run, cut_off, folder, tmp_path):
        cut_off.intend("c1", MODEL, {}, 3, 1, 0.25)
        cut_off.flush()
        cut_off.settle("c1", "settled", 0.01, Usage(), 200)

        recover(warehouse, run, self.abandon(cut_off, folder, tmp_path))

        assert warehouse.rows("select status, cost_usd from ops.llm_calls") == [{"status": "settled", "cost_usd": 0.01}]

    def test_a_call_of_an_earlier_attempt_whose_end_nobody_saw_counts_as_held(self, warehouse, run, cut_off, tmp_path):
        cut_off.intend("c1", MODEL, {}, 3, 1, 0.25)
        cut_off.flush()

        recover(warehouse, run, tmp_path / "nothing")

        assert warehouse.rows("select status, cost_usd from ops.llm_calls") == [{"status": "lost", "cost_usd": 0.25}]
