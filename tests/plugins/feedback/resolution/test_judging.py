from feedback.resolution.judging import Before, hanging_on, judged, questions
from feedback.resolution.match import Question, Said


def test_what_stands_there_because_of_a_name_hangs_on_it_however_far():
    reason_of = {"b": ("b", "a"), "c": ("b", "c"), "d": ("c", "d"), "e": ("a", "e")}

    assert hanging_on("b", reason_of) == {"b", "c", "d"}
    assert hanging_on("e", reason_of) == {"e"}


def test_reasons_that_go_round_end():
    assert hanging_on("a", {"a": ("a", "b"), "b": ("a", "b")}) == {"a", "b"}


def test_a_question_offers_as_many_names_as_there_are_marks():
    pairs = [("a", f"b{n:02}") for n in range(23)]

    assert [len(question.offered) for question in questions(pairs)] == [10, 10, 3]
    assert {(question.name, other) for question in questions(pairs) for other in question.offered} == set(pairs)


def test_all_that_was_asked_about_is_noted_and_what_nothing_was_said_about_stays_as_it_was():
    owners = {"acme": "e1", "acme lifts": "e1", "apex": "e2"}
    chosen, unusable = Question("acme l", ("acme", "acme lifts", "apex")), Question("ape", ("apex",))
    before = {("acme l", other): Before(True, 0.8) for other in chosen.offered} | {("ape", "apex"): Before(False, 0.1)}
    found = judged({chosen: Said("acme", "m", "v2", "call"), unusable: None}, owners, before, "v2")

    assert [(one.name, one.other, one.is_same, one.is_said, one.evidence.score) for one in found] == [
        ("acme l", "acme", True, True, 1.0),
        ("acme l", "acme lifts", True, False, 0.8),
        ("acme l", "apex", False, True, 0.0),
        ("ape", "apex", False, False, 0.1),
    ]
    assert {one.evidence.prompt_version for one in found} == {"v2"}
