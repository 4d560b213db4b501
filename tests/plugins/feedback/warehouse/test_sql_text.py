"""Statements are told apart by code alone; what is quoted stays as it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback.warehouse.sql_text import format_style, statements


@pytest.mark.parametrize(
    ("script", "found"),
    [
        ("select 1;\n\nselect 2", ["select 1", "select 2"]),
        ("select 1 -- one; two\n;", ["select 1"]),
        ("/* a; b */ select 'it''s; -- fine' ;;", ["select 'it''s; -- fine'"]),
        ('select "a;b",\n    $$ c; d $$', ['select "a;b", $$ c; d $$']),
        ("  -- nothing\n", []),
        ("select 'two  spaces'  ,  1 - 2 / 3", ["select 'two  spaces' , 1 - 2 / 3"]),
    ],
)
def test_statements(script, found):
    assert statements(script) == found


@given(st.lists(st.text().map(lambda words: "select '" + words.replace("'", "''") + "'"), min_size=1))
def test_no_quoted_text_breaks_a_statement(scripts):
    assert statements(";\n".join(scripts) + "; -- it's over") == scripts


def test_placeholders_become_those_of_the_client_but_not_inside_quotes():
    assert format_style("select '?', a % ? from b like '%x'") == "select '?', a %% %s from b like '%%x'"
