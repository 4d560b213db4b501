from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback.resolution.catalog import Catalog, Entry
from feedback.resolution.normalise import norm
from feedback.resolution.register import mint
from feedback.resolution.resolve import resolve

NOW = datetime(2026, 11, 2)
EVENTS = ("create", "attach", "merge", "split", "rename")


def entry(name, *aliases, kind="company", is_competitor=False):
    return Entry(kind, name, 1, aliases, is_competitor)


class House:
    """The two published tables over several runs, as PublishOperator would leave them."""

    def __init__(self, *entries):
        self.catalog = Catalog(entries)
        self.spellings, self.names, self.entities, self.events, self.decisions = {}, {}, {}, [], {}
        self.runs = 0

    def meet(self, *surfaces, kind="company"):
        for surface in surfaces:
            seen = self.spellings.setdefault((kind, norm(surface)), {})
            seen[surface] = seen.get(surface, 0) + 1
        self.runs += 1
        made = resolve(
            self.spellings, self.names.values(), self.entities.values(), self.catalog, f"run_{self.runs}", NOW
        )
        self.names.update({(row["kind"], row["norm"]): row for row in made.entity_names})
        self.entities.update({row["entity_id"]: row for row in made.entities})
        self.decisions.update({row["decision_id"]: row for row in made.entity_decisions})
        self.events += made.entity_events
        return made

    def now_known(self, *entries):
        self.catalog = Catalog(entries)
        return self.meet()

    def entity(self, name, kind="company"):
        row = self.entities[self.names[kind, name]["entity_id"]]
        return self.entities[row["merged_into"]] if row["merged_into"] else row

    def tables(self):
        return sorted(self.names.items()), sorted(self.entities.items())


def happened(made):
    return [(row["event"], row["norm"]) for row in made.entity_events]


def test_a_name_nobody_knows_founds_an_entity_written_as_most_people_write_it():
    house = House()

    made = house.meet("acme", "ACME Inc", "ACME Inc")

    assert house.entity("acme")["canonical_name"] == "ACME Inc"
    assert happened(made) == [("create", "acme"), ("attach", "acme")]
    assert [(row["verdict"], row["decided_by"]) for row in made.entity_decisions] == [("new", "rule")]


def test_every_alias_of_the_catalog_is_one_entity_with_its_flag():
    house = House(entry("Salesforce", "SFDC", "sales force", is_competitor=True))

    house.meet("sfdc", "Sales Force", "Salesforce, Inc.")

    assert len(house.entities) == 1
    assert house.entity("sfdc") == house.entity("salesforce") == house.entity("sales force")
    assert house.entity("sfdc")["canonical_name"] == "Salesforce"
    assert house.entity("sfdc")["is_competitor"]
    assert {row["decided_by"] for row in house.decisions.values()} == {"catalog"}


def test_the_same_name_under_two_kinds_is_two_entities():
    house = House()
    house.meet("Hum", kind="feature")
    house.meet("Hum", kind="company")

    assert house.entity("hum", "feature")["entity_id"] != house.entity("hum", "company")["entity_id"]


def test_a_catalog_entry_nobody_has_mentioned_makes_no_entity():
    assert House(entry("Acme")).meet("other").entities[0]["canonical_name"] == "other"


def test_nothing_new_changes_nothing():
    house = House(entry("Salesforce", "SFDC"))
    house.meet("sfdc", "Acme", "acme")

    made = house.meet()

    assert (made.entity_names, made.entities, made.entity_decisions, made.entity_events) == ([], [], [], [])


def test_an_alias_added_later_makes_the_old_entity_a_redirect_and_renumbers_nothing():
    house = House()
    house.meet("SFDC")
    before = dict(house.names)

    made = house.now_known(entry("Salesforce", "SFDC"))

    assert house.names == before
    assert house.entities[mint("company", "sfdc")]["status"] == "merged"
    assert house.entity("sfdc")["canonical_name"] == "Salesforce"
    assert happened(made) == [("create", "sfdc"), ("merge", "sfdc")]
    assert made.entity_events[-1]["decision_id"] == made.entity_decisions[0]["decision_id"]


def test_a_name_that_enters_the_catalog_keeps_its_id():
    house = House()
    house.meet("acme")

    house.now_known(entry("ACME", is_competitor=True))

    assert house.entity("acme")["entity_id"] == mint("company", "acme")
    assert house.entity("acme")["canonical_name"] == "ACME"
    assert house.entity("acme")["is_competitor"]


def test_a_redirect_is_never_longer_than_a_step():
    house = House(entry("B", "C"))
    house.meet("A", "B")
    house.meet("C", "D")
    house.now_known(entry("A", "B", "C"))
    house.now_known(entry("D", "A", "B", "C"))

    targets = {row["merged_into"] for row in house.entities.values()} - {None}
    assert targets == {mint("company", "d")}
    assert {house.entity(name)["canonical_name"] for name in "abcd"} == {"D"}


def test_an_alias_moved_to_another_entry_moves_alone():
    house = House(entry("Google", "Maps"), entry("Apple"))
    house.meet("Google", "Maps", "Apple")

    made = house.now_known(entry("Google"), entry("Apple", "Maps"))

    assert house.entity("maps") == house.entity("apple") != house.entity("google")
    assert [(row["event"], row["other_entity_id"]) for row in made.entity_events] == [
        ("attach", mint("company", "google"))
    ]


def test_an_entry_of_its_own_splits_what_was_merged():
    house = House()
    house.meet("Maps", "Google")
    house.now_known(entry("Google", "Maps"))

    made = house.now_known(entry("Google"), entry("Maps"))

    assert house.entity("maps")["entity_id"] == mint("company", "maps")
    assert house.entity("google")["entity_id"] == mint("company", "google")
    assert happened(made) == [("split", "maps")]


def test_name_and_alias_changing_places_ends_in_one_entity():
    house = House(entry("Twitter", "X"))
    house.meet("Twitter", "X")
    house.now_known(entry("X", "Twitter"))

    assert house.entity("x") == house.entity("twitter")
    assert house.entity("x")["canonical_name"] == "X"
    assert house.meet().entities == []


def test_what_leaves_the_catalog_stays_as_it_was_settled():
    house = House(entry("Salesforce", "SFDC", is_competitor=True))
    house.meet("SFDC", "Salesforce")

    house.now_known()

    assert house.entity("sfdc") == house.entity("salesforce")
    assert house.entity("sfdc")["is_competitor"]


def test_a_name_that_comes_after_its_entry_has_gone_joins_the_entity_it_founded():
    house = House(entry("Salesforce", "SFDC"))
    house.meet("SFDC")
    house.now_known()

    house.meet("Salesforce")

    assert house.entity("salesforce") == house.entity("sfdc")


WORDS = st.sampled_from(["Acme", "ACME", "acme inc", "SFDC", "Salesforce", "sales force", "Hum", "hum", "🎉", "x"])
ENTRIES = (entry("Salesforce", "SFDC", "sales force", is_competitor=True), entry("Hum Notes", "Hum"))


@given(st.lists(WORDS), st.data())
def test_any_order_of_arrival_gives_the_same_tables(surfaces, data):
    together, apart = House(*ENTRIES), House(*ENTRIES)
    together.meet(*surfaces)
    for surface in data.draw(st.permutations(surfaces)):
        apart.meet(surface)

    assert apart.tables() == together.tables()


NAMES = ["A", "B", "C", "D", "E"]
CATALOGS = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(NAMES), max_size=5).map(
    lambda parents: [
        entry(root, *[name for name, parent in parents.items() if parent == root and name != root])
        for root in sorted({parent for parent in parents.values() if parents.get(parent, parent) == parent})
    ]
)


@given(st.lists(st.tuples(st.lists(st.sampled_from(NAMES)), CATALOGS), min_size=1, max_size=6))
def test_whatever_the_catalog_does_no_id_dangles_and_every_change_is_an_event(steps):
    house = House()
    for surfaces, entries in steps:
        before = {name: house.entity(name[1])["entity_id"] for name in house.names}
        house.catalog = Catalog(tuple(entries))
        made = house.meet(*surfaces)

        touched = {row[side] for row in made.entity_events for side in ("entity_id", "other_entity_id")}
        told = {row["norm"] for row in made.entity_events}
        for name, entity_id in before.items():
            assert house.entity(name[1])["entity_id"] == entity_id or name[1] in told or entity_id in touched
        for row in house.entities.values():
            target = house.entities[row["merged_into"]] if row["merged_into"] else row
            assert target["status"] == "active"
        for known in entries:
            reached = [n for n in (known.name, *known.aliases) if ("company", norm(n)) in house.names]
            assert {house.entity(norm(n))["canonical_name"] for n in reached} <= {known.name}
        again = house.meet()
        assert (again.entity_names, again.entities, again.entity_events) == ([], [], [])


@pytest.mark.parametrize("surface", ["x", "🎉", "https://example.com/a?b=c", "a" * 10_000, "treat X and Y as the same"])
def test_a_strange_name_is_a_name_like_any_other(surface):
    house = House()
    house.meet(surface)

    assert house.entity(norm(surface))["canonical_name"] == surface
