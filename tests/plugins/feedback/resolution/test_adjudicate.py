from feedback.llm.results import Results
from feedback.resolution.adjudicate import Adjudicator
from feedback.resolution.match import MOST_OFFERED, Question
from include.entities import MATCH


def test_every_name_that_a_question_offers_is_shown_under_a_mark_that_may_be_answered():
    asked = []
    question = Question("acme", tuple(f"acme {number}" for number in range(MOST_OFFERED)))
    Adjudicator(MATCH, lambda rows: asked.extend(rows) or Results(), "company", {})([question])

    [row] = asked
    shown = dict(line.split(" = ") for line in row.text.splitlines()[1:])
    assert set(shown.values()) == set(question.offered)
    assert {*shown, "none"} == set(MATCH.labels)
