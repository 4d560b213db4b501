"""What the status of a run says, and that nobody pays who has not agreed."""

from __future__ import annotations

import io
import sys

import pytest

from include import settings
from include.cli import run
from include.cli.run import exit_status

ALL = dict.fromkeys(("extract_feedback", "enrich_feedback", "triage_digest"), "success")


def facts(*outcomes, pending=0, names=0, refused=(), left=(), unposted=()):
    troubles = [{"outcome": outcome} for outcome in outcomes]
    waiting = {"pending": pending, "names": names, "refused": list(refused), "left": list(left)}
    return {"troubles": troubles, **waiting, "unposted": list(unposted)}


def test_all_published_is_zero():
    assert exit_status(facts(), ALL) == 0


@pytest.mark.parametrize(
    "waiting",
    [{"pending": 1}, {"names": 1}, {"refused": ["a file"]}, {"left": ["a channel"]}, {"unposted": ["digest:a:b"]}],
)
def test_what_waits_is_four(waiting):
    assert exit_status(facts(**waiting), ALL) == 4


def test_a_gate_that_blocked_is_three_whatever_waits():
    states = ALL | {"enrich_feedback": "failed"}
    assert exit_status(facts("blocked", "blocked", pending=3, refused=("a file",)), states) == 3


@pytest.mark.parametrize("outcome", ["failed", "incomplete"])
def test_a_task_that_failed_is_one_beside_any_gate(outcome):
    assert exit_status(facts("blocked", outcome), ALL | {"enrich_feedback": "failed"}) == 1


def test_a_dag_that_did_not_succeed_is_one_even_where_no_task_says_why():
    assert exit_status(facts(), ALL | {"triage_digest": "failed"}) == 1


def test_questions_that_nobody_agreed_to_pay_for_wait():
    assert exit_status(facts(), {"extract_feedback": "success", "triage_digest": "success"}) == 4


class Said:
    """Stands where the console stands."""

    def __init__(self):
        self.lines = []

    def say(self, line):
        self.lines.append(line)


@pytest.mark.parametrize(
    ("typed", "agreed"), [("y\n", True), ("yes\n", True), ("\n", False), ("no\n", False), ("", False)]
)
def test_above_the_bound_a_person_is_asked_and_only_a_yes_is_one(typed, agreed, tmp_path, monkeypatch):
    from feedback.llm.plan import Estimate
    from include.cli import plan

    monkeypatch.setattr(plan, "plan", lambda configured: Estimate(1200, 4800, 60, 90_000, 30_000, 2.5))
    monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
    console = Said()

    assert run._agreed(settings.load({"FEEDBACK_HOME": str(tmp_path)}), console) is agreed
    assert "1,200 texts, 4,800 questions, 60 calls" in console.lines[0]
    assert "about US$ 2.50. Go on? [y/N]" in console.lines[0]


def test_below_the_bound_nobody_is_asked(tmp_path, monkeypatch):
    from feedback.llm.plan import Estimate
    from include.cli import plan

    monkeypatch.setattr(plan, "plan", lambda configured: Estimate(1, 4, 1, 900, 300, 0.99))

    assert run._agreed(settings.load({"FEEDBACK_HOME": str(tmp_path)}), Said())
