"""Matching on what it is told: likelihoods, answers, people."""

import pytest

from feedback.resolution.match import MOST_OFFERED, Band, Matching, Said

BAND = Band()


class Told:
    """A scorer that says what a test says."""

    has_learnt = True

    def __init__(self, likely):
        self.likely = {tuple(sorted(pair)): value for pair, value in likely.items()}

    def learn(self, decided=(), among=()):
        pass

    def knows(self, name):
        return True

    def __call__(self, pairs):
        return [self.likely.get(pair, 0.01) for pair in pairs]


def matching(likely, owners=None, apart=()):
    owners = owners or {}
    near = {}
    for one, other in likely:
        for name, to in ((one, other), (other, one)):
            if name not in owners:
                near.setdefault(name, []).append(to)
    return Matching(near, owners, Told(likely), BAND, apart)


def never(questions):
    raise AssertionError(questions)


def says(chosen):
    """Answer each question with what is chosen for its name; leave out the others."""
    return lambda questions: {q: Said(chosen[q.name]) for q in questions if q.name in chosen}


def named(groups):
    return {frozenset(name for _, name in group) for group in groups}


def test_what_is_sure_is_not_asked():
    found = matching({("a1", "a2"): 0.99, ("a1", "b1"): 0.01}).run(never)

    assert named(found.groups) == {frozenset({"a1", "a2"})}


def test_what_is_not_sure_is_asked_once_with_every_candidate():
    asked = []
    matching({("a1", "a2"): 0.6, ("a1", "b1"): 0.4, ("a1", "c1"): 0.01}).run(lambda qs: asked.extend(qs) or {})

    assert [(question.name, set(question.offered)) for question in asked] == [("a1", {"a2", "b1"})] or [
        (question.name, set(question.offered)) for question in asked
    ] == [("a2", {"a1"}), ("b1", {"a1"})]


@pytest.mark.parametrize(("chosen", "groups"), [("a2", {frozenset({"a1", "a2"})}), (None, set())])
def test_an_answer_decides_what_was_open(chosen, groups):
    found = matching({("a1", "a2"): 0.4}).run(says({"a1": chosen, "a2": "a1" if chosen else None}))

    assert named(found.groups) == groups


def test_a_yes_about_names_that_are_nothing_alike_is_not_believed():
    found = Matching({"a1": ["b1"]}, {}, Told({("a1", "b1"): 0.002}), Band(low=0.001)).run(says({"a1": "b1"}))

    assert found.groups == []


def test_a_name_without_an_answer_waits():
    found = matching({("a1", "a2"): 0.5}).run(lambda questions: {})

    assert len(found.waiting) == 1


def test_no_usable_answer_leaves_it_to_letters():
    found = matching({("a1", "a2"): 0.7}).run(dict.fromkeys)

    assert (named(found.groups), found.waiting) == ({frozenset({"a1", "a2"})}, frozenset())


def test_a_single_yes_merges_nothing_that_is_settled_and_two_do():
    settled = {"a1": "e1", "b1": "e2"}
    one = {("x1", "a1"): 0.99, ("x1", "b1"): 0.99}
    two = one | {("x2", "a1"): 0.99, ("x2", "b1"): 0.99}

    def merged(found):
        return any({("entity", "e1"), ("entity", "e2")} <= group for group in found.groups)

    assert not merged(matching(one, settled).run(never))
    assert merged(matching(two, settled).run(never))


def test_a_single_yes_merges_settled_ones_whose_own_names_are_alike():
    settled = {"a1": "e1", "b1": "e2"}
    likely = {("x1", "a1"): 0.99, ("x1", "b1"): 0.99, ("a1", "b1"): 0.7}
    found = Matching({"x1": ["a1", "b1"]}, settled, Told(likely), BAND).run(never)

    assert found.groups == [frozenset({("entity", "e1"), ("entity", "e2"), ("name", "x1")})]


def test_what_a_person_keeps_apart_never_meets_not_even_over_a_third_name():
    likely = {("a1", "b1"): 0.99, ("a1", "c1"): 0.99, ("b1", "c1"): 0.99}
    found = matching(likely, apart=[("a1", "b1")]).run(never)

    assert all(not {("name", "a1"), ("name", "b1")} <= group for group in found.groups)


def test_a_group_too_large_to_be_true_is_told_and_not_merged():
    names = [f"n{number:03}" for number in range(60)]
    found = matching({(one, other): 0.99 for one in names for other in names if one < other}).run(never)

    assert found.groups == []
    assert [len(group) for group in found.oversize] == [60]


def test_a_question_offers_the_likeliest_names_as_many_as_can_be_shown_and_says_nothing_of_others():
    others = [f"b{number:02}" for number in range(20)]
    likely = {("a1", other): 0.3 + number / 100 for number, other in enumerate(others)}
    asked = []
    owners = {other: f"e{other}" for other in others}
    found = matching(likely, owners).run(lambda qs: asked.extend(qs) or {q: Said(None, "m") for q in qs})

    assert [set(question.offered) for question in asked] == [set(others[-MOST_OFFERED:])]
    assert {other for _, other in found.told} == set(others[-MOST_OFFERED:])
    assert found.likely["a1", "b00"] == 0.3


def test_the_number_of_candidates_shown_is_limited():
    near = {f"a{n}": [f"b{n}"] for n in range(1000)}
    likely = {(f"a{n}", f"b{n}"): 0.5 for n in range(1000)}
    asked = []
    Matching(near, {}, Told(likely), Band(per_thousand=50)).run(lambda qs: asked.extend(qs) or dict.fromkeys(qs))

    assert sum(len(question.offered) for question in asked) == 100
