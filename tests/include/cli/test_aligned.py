"""Rows line up, numbers to the right, and what is not known is a dash."""

from include.cli.aligned import aligned


def test_words_stand_left_and_numbers_right():
    rows = [["source", "rows", "note"], ["tickets", 1234, "of 2,000"], ["a", 5, ""], ["files", None, ""]]

    assert aligned(rows) == [
        "source    rows  note",
        "tickets  1,234  of 2,000",
        "a            5",
        "files        –",
    ]


def test_no_rows_are_no_lines():
    assert aligned([]) == []
