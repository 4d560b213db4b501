import pytest

from feedback.resolution.catalog import read
from feedback.resolution.normalise import norm
from include.entities import CATALOG, ENTITY_KINDS

CATALOGUED = read(CATALOG, ENTITY_KINDS)


def test_kinds_have_names_of_their_own():
    names = [kind.name for kind in ENTITY_KINDS]

    assert len(set(names)) == len(names)


def test_mentions_of_every_kind_are_asked_for_and_of_no_other():
    from include.enrichments.mentions import MENTIONS

    assert set(MENTIONS.labels) == {kind.name for kind in ENTITY_KINDS}


def test_a_competitor_is_a_company():
    assert {entry.kind for entry in CATALOGUED.entries if entry.is_competitor} == {"company"}


@pytest.mark.parametrize("kind", ENTITY_KINDS, ids=lambda kind: kind.name)
def test_every_kind_has_a_page_of_its_name_and_names_in_the_catalog(kind):
    assert CATALOG.with_name(f"{kind.name}.py").is_file()
    assert [entry for entry in CATALOGUED.entries if entry.kind == kind.name]


@pytest.mark.parametrize("entry", CATALOGUED.entries, ids=lambda entry: entry.name)
def test_no_alias_says_what_is_known_without_it(entry):
    norms = [norm(name) for name in (entry.name, *entry.aliases)]

    assert len(norms) == len(set(norms))
