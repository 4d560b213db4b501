"""What becomes of settled names once something else is said about them."""

from datetime import datetime

import pytest

from feedback.resolution.catalog import Catalog, Entry
from feedback.resolution.evidence import Evidence
from feedback.resolution.judging import Judged
from feedback.resolution.match import Matched, Question, Said
from feedback.resolution.overrides import Override, undecided
from feedback.resolution.resolve import resolve

NOW = datetime(2026, 11, 2)


def same(one, other):
    return Override("company", (one, other), True, "Ada", "overrides.yaml line 1")


def apart(one, other):
    return Override("company", (one, other), False, "Ada", "overrides.yaml line 2")


def different(name, other):
    return Judged(name, other, False, Evidence("llm", "not chosen", 0.0, "m", "v2", "call"))


class House:
    """Published names over several runs, written as they compare."""

    def __init__(self):
        self.names, self.entities, self.decisions, self.events, self.runs = {}, {}, {}, [], 0

    def run(self, *met, catalog=(), overrides=(), matched=None, judged=()):
        self.runs += 1
        made = resolve(
            {("company", name): {name: 1} for name in {*met, *self.names}},
            list(self.names.values()),
            list(self.entities.values()),
            Catalog(tuple(catalog)),
            f"run_{self.runs}",
            NOW,
            overrides,
            matched and {"company": matched},
            {"company": judged},
            self.reasons(),
        )
        self.names |= {row["norm"]: row for row in made.entity_names}
        self.entities |= {row["entity_id"]: row for row in made.entities}
        self.decisions |= {row["decision_id"]: row for row in made.entity_decisions}
        self.events = [(row["event"], row["norm"]) for row in made.entity_events]
        return made

    def reasons(self):
        found = {row["decision_id"]: self.decisions[row["decision_id"]] for row in self.names.values()}
        return {key: (row["norm"], row["candidate"]) for key, row in found.items() if row["candidate"]}

    def ids(self):
        found = {name: self.entities[row["entity_id"]] for name, row in self.names.items()}
        return {name: row["merged_into"] or row["entity_id"] for name, row in found.items()}


@pytest.mark.parametrize("members", [("acme",), ("acme", "acme x", "acme y", "acme z")])
def test_of_two_names_that_hang_on_each_other_one_leaves_and_the_other_stays(members):
    house = House()
    house.run(*members, overrides=[same(members[0], other) for other in members[1:]])
    [entity] = set(house.ids().values())
    one, other = "acme corp a", "acme corp b"
    question = Question(one, (other, "acme"))
    likely = {(one, other): 0.97, ("acme", one): 0.8, ("acme", other): 0.8}
    group = frozenset({("entity", entity), ("name", one), ("name", other)})
    said = Said(other, "offline", "v1", "call")
    house.run(one, other, matched=Matched([group], likely=likely, said={question: said}, told=[(question, other)]))
    assert set(house.ids().values()) == {entity}

    house.run(judged=[different(one, other)])

    assert {name for name, now in house.ids().items() if now != entity} == {one}


def test_names_that_people_part_and_join_again_and_again_get_the_same_two_ids():
    house = House()
    joined = [same("acme", "acme lifts"), same("acme", "acme lift")]
    parted = [apart("acme", "acme lifts"), same("acme lift", "acme lifts")]
    house.run("acme", "acme lifts", "acme lift", overrides=joined)
    house.run(overrides=parted)
    first = house.ids()
    assert first["acme"] != first["acme lifts"] == first["acme lift"]

    for _ in range(3):
        house.run(overrides=joined)
        assert len(set(house.ids().values())) == 1
        house.run(overrides=parted)
        assert house.ids() == first


def test_a_founder_leaves_again_although_the_entity_it_was_given_stands_for_others_now():
    house = House()
    house.run("acme", "acme lifts", "acme lift", overrides=[same("acme", "acme lifts"), same("acme", "acme lift")])
    for number in range(3):  # each time whoever founded it leaves, and its new entity is taken by another name
        before = set(house.entities)
        house.run(overrides=[apart("acme", "acme lifts"), same("acme lift", "acme lifts")])
        [new] = set(house.entities) - before
        house.run(f"other {number}", overrides=[same("acme", f"other {number}")])
        house.names["acme"] |= {"entity_id": house.ids()["acme lifts"]}
        assert house.ids()[f"other {number}"] == new


@pytest.mark.parametrize(
    ("catalog", "overrides"),
    [
        ([Entry("company", "salesforce", 1, ("sfdc",))], []),
        ([], [same("sales cloud", "salesforce"), same("sales cloud", "sfdc")]),
    ],
)
def test_what_is_judged_again_parts_nothing_that_the_catalog_or_people_join(catalog, overrides):
    house = House()
    names = ("salesforce", "sfdc", "sales cloud")
    question = Question("sfdc", ("salesforce",))
    house.run(
        *names,
        matched=Matched(
            [frozenset(("name", name) for name in names)],
            likely={("salesforce", "sfdc"): 0.97, ("sales cloud", "salesforce"): 0.97},
            said={question: Said("salesforce", "offline", "v1", "call")},
            told=[(question, "salesforce")],
        ),
    )
    house.run(catalog=catalog, overrides=overrides)
    before = house.ids()

    house.run(catalog=catalog, overrides=overrides, judged=[different("sfdc", "salesforce")])

    assert house.ids()["sfdc"] == house.ids()["salesforce"] == before["salesforce"]
    house.run(catalog=catalog, overrides=overrides)
    assert house.events == []


def test_what_people_have_said_is_not_judged_again_be_it_said_by_way_of_other_names():
    catalog = Catalog((Entry("company", "Acme", 1, ("ACME Lifts",)),))
    said = [same("acme lifts", "lift"), apart("a1", "a2")]
    pairs = [("acme", "lift"), ("a2", "a1"), ("acme", "a1"), ("lift", "acme lifts")]

    assert undecided(pairs, "company", said, catalog) == [("acme", "a1")]
    assert undecided(pairs, "product", said, catalog) == pairs


def test_names_that_the_catalog_keeps_in_two_entries_are_not_judged_again():
    catalog = Catalog((Entry("company", "Acme", 1, ("ACME Lifts",)), Entry("company", "Apex", 2, ())))

    assert undecided([("acme lifts", "apex"), ("apex", "apexx")], "company", [], catalog) == [("apex", "apexx")]
