from feedback.resolution.judging import hanging_on, questions


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
