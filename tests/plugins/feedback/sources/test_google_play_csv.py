"""Play Console's reports load whatever their age and encoding; each refusal names file and column or row."""

import csv
import io
from datetime import datetime
from pathlib import Path

import pytest

from feedback.errors import InputRefused
from feedback.model import Batch, Run
from feedback.sources import google_play_csv
from feedback.sources.base import Past
from feedback.sources.google_play_csv import GooglePlayCsv
from feedback.sources.google_play_rows import COLUMNS
from feedback.warehouse.merge import load

FIXTURE = Path(__file__).resolve().parents[4] / "tests/fixtures/google_play"
SUBMITTED, UPDATED = "Review Submit Millis Since Epoch", "Review Last Update Millis Since Epoch"


def report(*rows, columns=COLUMNS):
    """A report as text; a row is filled up to a decent one."""
    decent = {"Package Name": "example.app", "Star Rating": "4", SUBMITTED: "1777593600000", UPDATED: "1777593600000"}
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore")
    writer.writeheader()
    writer.writerows({**decent, **row} for row in rows)
    return text.getvalue()


def extracted(path, past=None):
    found = list(GooglePlayCsv(path).extract(past or Past()))
    batches = [one for one in found if isinstance(one, Batch)]
    return [row for batch in batches for row in batch.rows], [one for one in found if one not in batches]


def written(tmp_path, text, encoding="utf-16", name="reviews.csv"):
    file = tmp_path / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
    return file


def test_a_report_as_it_is_downloaded_loads_with_quoted_newlines_replies_and_ratings_without_words():
    rows, gaps = extracted(FIXTURE / "reviews_example.nowhere.bee_202605.csv")

    slow, silent, replied = rows
    assert gaps == []
    assert slow["review_id"] == "r-1"
    assert slow["body"].splitlines()[1] == 'Then it says "wait", and waits.'
    assert slow["language"] == "pt-BR"
    assert slow["created_at"] == datetime(2026, 5, 1)
    assert (silent["body"], silent["rating"]) == (None, 4)
    assert silent["review_id"].startswith("rating-")
    assert replied["reply_text"] == "Obrigado"


@pytest.mark.parametrize("order", [("05", "06"), ("06", "05")])
def test_of_a_review_that_comes_in_two_months_the_later_edit_wins_whatever_is_loaded_first(order, warehouse):
    for month in order:
        for batch in GooglePlayCsv(FIXTURE / f"reviews_example.nowhere.bee_2026{month}.csv").extract(Past()):
            load(warehouse, batch, Run("run_" + month, "a_dag", "a_task"))

    [review] = warehouse.rows("select title, rating from raw.app_reviews where review_id = 'r-1'")
    assert review == {"title": "Better", "rating": 4}


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "utf-8"])
def test_utf_16_and_utf_8_are_read(encoding, tmp_path):
    rows, gaps = extracted(written(tmp_path, report({"Review Text": "größer 🎉"}), encoding))

    assert ([row["body"] for row in rows], gaps) == (["größer 🎉"], [])


@pytest.mark.parametrize(
    ("encoding", "said"), [("latin-1", "Latin-1"), ("utf-16-le", "UTF-16 without"), ("utf-32", "UTF-32")]
)
def test_another_encoding_is_refused_in_one_line_that_names_file_and_encoding(encoding, said, tmp_path):
    rows, [gap] = extracted(written(tmp_path, report({"Review Text": "größer"}), encoding))

    assert rows == []
    assert (gap.status, gap.reason) == ("refused", "wrong_encoding")
    assert "reviews.csv" in gap.detail
    assert said in gap.detail


@pytest.mark.parametrize("column", COLUMNS)
def test_a_missing_column_is_refused_in_one_line_that_names_file_and_column(column, tmp_path):
    columns = [one for one in COLUMNS if one != column]

    rows, [gap] = extracted(written(tmp_path, report({}, columns=columns)))

    assert rows == []
    assert "reviews.csv" in gap.detail
    assert column in gap.detail


@pytest.mark.parametrize("stars", ["", "0", "6", "five"])
def test_a_bad_row_is_named_by_its_number_and_the_others_load(stars, tmp_path):
    text = report({"Review Text": "one\ntwo"}, {"Star Rating": stars}, {SUBMITTED: "1777593700000"})

    rows, [gap] = extracted(written(tmp_path, text))

    assert len(rows) == 2
    assert (gap.reason, gap.row_count) == ("bad_row", 1)
    assert "reviews.csv: row 3 " in gap.detail


@pytest.mark.parametrize("bad", [{SUBMITTED: "soon"}, {SUBMITTED: ""}, {UPDATED: "9" * 30}, {"Package Name": " "}])
def test_a_row_without_package_or_time_is_bad(bad, tmp_path):
    rows, [gap] = extracted(written(tmp_path, report(bad)))

    assert (rows, gap.reason) == ([], "bad_row")


def test_a_row_of_another_width_is_bad(tmp_path):
    rows, [gap] = extracted(written(tmp_path, report({}) + "a,b,c\r\n"))

    assert (len(rows), gap.row_count) == (1, 1)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"\xff\xfe\x00", b"not, a, report\n"])
def test_what_is_no_report_is_refused(content, tmp_path):
    rows, [gap] = extracted(written(tmp_path, content))

    assert (rows, gap.status) == ([], "refused")


@pytest.mark.parametrize(
    "link",
    [
        "https://play.google.com/console/developers/1/app/2/user-feedback/review-details?reviewId=a-1&corpus=X",
        "http://play.google.com/apps/publish?account=1#ReviewDetailsPlace:p=example.app&reviewid=a-1",
    ],
)
def test_the_review_id_is_read_from_new_and_old_links(link, tmp_path):
    [row], _ = extracted(written(tmp_path, report({"Review Link": link})))

    assert row["review_id"] == "a-1"


def test_the_same_file_is_not_parsed_again_and_a_large_one_comes_in_batches(tmp_path, monkeypatch):
    monkeypatch.setattr(google_play_csv, "MOST_ROWS", 2)
    path = written(tmp_path, report(*({SUBMITTED: f"17775936{n:02}000"} for n in range(5)), {"Star Rating": ""}))
    found = list(GooglePlayCsv(path).extract(Past()))
    batches, gaps = [*found[:2], found[3]], [found[2]]

    again = GooglePlayCsv(path).extract(Past(frozenset(batch.load_id for batch in batches), tuple(gaps)))
    halfway = GooglePlayCsv(path).extract(Past(frozenset(batch.load_id for batch in batches[:-1])))

    assert [len(batch.rows) for batch in batches] == [2, 2, 1]
    assert list(again) == gaps
    assert batches[-1] in list(halfway)


def test_what_a_file_lacks_is_told_before_the_load_after_which_nobody_looks_again(tmp_path):
    path = written(tmp_path, report({}, {"Star Rating": ""}))
    gap, batch = GooglePlayCsv(path).extract(Past())

    killed_before_the_load = list(GooglePlayCsv(path).extract(Past(gaps=(gap,))))

    assert killed_before_the_load == [gap, batch]


def test_a_file_of_bad_rows_only_is_not_parsed_again(tmp_path, monkeypatch):
    path = written(tmp_path, report({"Star Rating": ""}))
    [gap] = GooglePlayCsv(path).extract(Past())
    monkeypatch.setattr(google_play_csv, "_records", None)

    assert list(GooglePlayCsv(path).extract(Past(gaps=(gap,)))) == [gap]


def test_a_path_that_does_not_exist_is_no_gap_but_a_failure(tmp_path):
    with pytest.raises(InputRefused, match="FEEDBACK_GOOGLE_PLAY_CSV"):
        extracted(tmp_path / "nowhere.csv")
