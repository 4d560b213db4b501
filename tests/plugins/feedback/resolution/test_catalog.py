import pytest

from feedback.errors import InputRefused
from feedback.resolution.catalog import read
from feedback.resolution.kind import EntityKind

KINDS = (EntityKind("feature"), EntityKind("company", may_compete=True))


@pytest.fixture
def catalog(tmp_path):
    def written(text):
        path = tmp_path / "catalog.yaml"
        path.write_text(text, encoding="utf-8")
        return read(path, KINDS)

    return written


def test_a_name_is_found_by_each_of_its_spellings_and_only_under_its_kind(catalog):
    known = catalog("- {name: Acme Inc, kind: company, is_competitor: true, aliases: [ACM, 'The Acme']}")

    assert {known.find("company", name).name for name in ("acme", "acm", "the acme")} == {"Acme Inc"}
    assert known.find("company", "acme").is_competitor
    assert known.find("feature", "acme") is None
    assert known.find("company", "other") is None


def test_the_same_name_may_stand_for_one_thing_of_each_kind(catalog):
    known = catalog("- {name: Hum, kind: company}\n- {name: Hum, kind: feature}")

    assert known.find("company", "hum") != known.find("feature", "hum")


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "[]"])
def test_a_catalog_may_be_empty(catalog, text):
    assert catalog(text).entries == ()


def test_an_alias_that_repeats_its_own_name_is_harmless(catalog):
    assert catalog("- {name: Acme, kind: company, aliases: [ACME, acme]}").find("company", "acme")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "- {name: A, kind: company}\n- {name: B, kind: company, aliases: [a]}",
            "line 2: 'a' of 'B' already stands for 'A'",
        ),
        ("- {name: A, kind: competitor}", "line 1: kind 'competitor' is not known: write feature or company"),
        ("- {name: A}", "line 1: kind None is not known"),
        ("- {name: A, kind: [company]}", "line 1: kind ['company'] is not known"),
        ("# one\n- {name: A, kind: company, alias: [x]}", "line 2: alias is no field: write aliases, is_competitor"),
        (
            "- {name: A, kind: feature, is_competitor: true}",
            "line 1: is_competitor is true or false, and true only of a company",
        ),
        ("- {name: A, kind: company, is_competitor: maybe}", "line 1: is_competitor is true or false"),
        ("- {name: A, kind: company, aliases: [no]}", "line 1: a name or alias is empty or no text"),
        ("- {name: 365, kind: company}", "line 1: a name or alias is empty or no text"),
        ("- {name: A, kind: company, aliases: x}", "line 1: a name or alias is empty or no text"),
        ("- {name: ' ', kind: company}", "line 1: a name or alias is empty or no text"),
        ("- {kind: company}", "line 1: a name or alias is empty or no text"),
        ("- Acme", "line 1: not an entry"),
        ("name: A", "not a list of entries"),
        ("- {name: A", "no readable YAML"),
        ("- !!python/object:os.system {}", "no readable YAML"),
    ],
)
def test_a_wrong_entry_is_refused_in_one_line_that_says_where_and_what_to_do(catalog, tmp_path, text, line):
    with pytest.raises(InputRefused) as refused:
        catalog(text)

    said = str(refused.value)
    assert str(tmp_path / "catalog.yaml") in said
    assert line in said
    assert "\n" not in said


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputRefused, match=r"nowhere\.yaml"):
        read(tmp_path / "nowhere.yaml", KINDS)
