import pytest

from feedback.model import utc_now
from feedback.resolution.block import CANDIDATES, by_keys, by_letters, candidates
from feedback.resolution.normalise import is_comparable, latin, norm
from feedback.resolution.score import Letters
from feedback.warehouse.merge import append


def settle(warehouse, *names, kind="company"):
    rows = [{"kind": kind, "norm": each, "entity_id": each, "decision_id": "d", "run_id": "r"} for each in names]
    append(warehouse, "feedback.entity_names", rows)
    return utc_now()


def found(warehouse, *new):
    rows = by_keys(warehouse, "company", new).to_pylist()
    return {(row["norm"], row["other"]) for row in rows}


@pytest.mark.parametrize(
    ("new", "settled"),
    [
        ("salesforce connector", "salesforce"),
        ("sales force", "salesforce"),
        ("connector sales", "sales connector"),
        ("acmee", "acme"),
        ("amce", "acme"),
        ("asm", "advanced semi materials"),
    ],
)
def test_a_new_name_meets_a_settled_one_that_is_written_like_it(warehouse, new, settled):
    settle(warehouse, settled, "something else")

    assert (new, settled) in found(warehouse, new)


def test_the_same_names_find_the_same_candidates_every_time(warehouse):
    names = [f"{first} {last}" for first in ("acme", "apex", "axle") for last in (f"labs{n}" for n in range(40))]

    assert found(warehouse, *names) == found(warehouse, *names)


def test_names_of_another_kind_are_not_met(warehouse):
    settle(warehouse, "salesforce", kind="product")

    assert found(warehouse, "salesforces") == set()


def test_settled_names_are_not_compared_with_each_other(warehouse):
    settle(warehouse, "salesforce", "salesforces")

    assert found(warehouse, "northmoor") == set()


def test_no_name_is_compared_with_more_than_so_many(warehouse):
    settle(warehouse, *(f"acme labs{n}" for n in range(30)))

    assert len(found(warehouse, "acme labs")) <= CANDIDATES


def test_letters_find_what_no_key_does(warehouse):
    settle(warehouse, "трандлворк")
    near, _ = candidates(warehouse, "company", ["trandlvork"], [], [])

    assert near["trandlvork"] == ["трандлворк"]


def test_the_nearest_comes_first_and_a_name_is_not_its_own_candidate():
    names = ["salesforce", "salesforces", "sales", "northmoor"]

    assert by_letters(Letters(names), ["salesforce"], names)["salesforce"] == ["salesforces", "sales"]


@pytest.mark.parametrize("name", ["x", "🐝🐝", "https://example.com/a", "n" * 10_000, "++"])
def test_what_is_no_name_is_not_compared(name):
    assert not is_comparable(norm(name))


@pytest.mark.parametrize("name", ["ab", "salesforce", "オフライン同期", "c++"])
def test_a_name_is_compared_in_any_script(name):
    assert is_comparable(norm(name))
    assert latin(norm(name)).isascii()
