import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback.resolution.normalise import mention_id, norm


@pytest.mark.parametrize(
    ("surface", "expected"),
    [
        ("Salesforce, Inc.", "salesforce"),
        ("  SALESFORCE\tinc ", "salesforce"),
        ("Müller GmbH & Co. KG", "müller"),
        ("Nestlé S.A.", "nestlé"),
        ("Škoda a.s. s.r.o.", "škoda as"),
        ("J.P. Morgan", "jp morgan"),
        ("McDonald's", "mcdonalds"),
        ("McDonald’s", "mcdonalds"),
        ("ＣＳＶ－Ｅｘｐｏｒｔ", "csv export"),
        ("Straße", "strasse"),
        ("हिन्दी", "हिन्दी"),
        ("soft\u00adhyphen", "softhyphen"),
        ("version 3.2", "version 3 2"),
    ],
)
def test_spellings_of_one_name_are_one_string(surface, expected):
    assert norm(surface) == expected


@pytest.mark.parametrize("pair", [("C", "C++"), ("C", "C#"), ("C++", "C#"), ("iPhone", "iPhone SE"), ("3.2", "32")])
def test_different_names_stay_different(pair):
    assert norm(pair[0]) != norm(pair[1])


@pytest.mark.parametrize("surface", ["Inc", "GmbH", "Co. Ltd.", "LIMITED"])
def test_a_name_that_is_only_a_legal_suffix_stands_for_itself(surface):
    assert norm(surface)


@pytest.mark.parametrize("surface", ["🎉", "❤️", "...", "+", "  !?  "])
def test_a_name_of_nothing_but_signs_stands_for_itself(surface):
    assert norm(surface) == unicodedata.normalize("NFKC", surface.strip())


def test_nothing_gives_nothing():
    assert norm("") == norm(" \n\u200b") == ""


@given(st.text())
def test_comparing_twice_changes_nothing(surface):
    assert norm(norm(surface)) == norm(surface)


@given(st.text(), st.characters(categories=["L", "N", "P", "S"]), st.text())
def test_what_can_be_seen_is_never_empty(before, visible, after):
    assert norm(before + visible + after)


def test_every_character_ends():
    for code in range(0x20000):  # beyond lie only ideographs, tags and private use
        norm(chr(code))


def test_a_name_of_ten_thousand_characters_is_folded_whole():
    assert norm("Ab " * 5000) == " ".join(["ab"] * 5000)


def test_a_mention_is_the_same_whatever_its_spelling_and_another_in_another_item():
    spelled = {mention_id("slack:T:C:1", "company", norm(surface)) for surface in ("Acme Inc", "ACME", "acme, inc.")}

    assert len(spelled) == 1
    assert len(next(iter(spelled))) == 16
    assert spelled.isdisjoint(
        {mention_id("slack:T:C:2", "company", "acme"), mention_id("slack:T:C:1", "product", "acme")}
    )
