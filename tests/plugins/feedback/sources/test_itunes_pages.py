"""Saved pages of the feed load in each of the shapes that Apple gives them."""

import json
from datetime import datetime
from pathlib import Path

import pytest

from feedback.errors import InputRefused
from feedback.model import Batch
from feedback.sources.base import Past
from feedback.sources.itunes_pages import ItunesPages

FIXTURE = Path(__file__).resolve().parents[4] / "tests/fixtures/itunes"


def extracted(path, past=None):
    found = list(ItunesPages(path).extract(past or Past()))
    batches = [one for one in found if isinstance(one, Batch)]
    return [row for batch in batches for row in batch.rows], [one for one in found if one not in batches]


def saved(tmp_path, page, name="page.json"):
    file = tmp_path / name
    file.write_bytes(page if isinstance(page, bytes) else json.dumps(page).encode())
    return file


def entry(**more):
    labels = {"id": "123456", "im:rating": "4", "title": "fine", "content": "all fine", **more}
    return {name: {"label": label} for name, label in labels.items()}


@pytest.mark.parametrize(
    ("page", "ids", "territory"),
    [
        ("us_list", ["11111111111", "22222222222"], "US"),
        ("de_one_object", ["33333333333"], "DE"),
        ("fr_absent", [], None),
        ("old_app_first", ["44444444444"], "GB"),
        ("jp_1234567890_page1", ["55555555555"], "JP"),
    ],
)
def test_each_shape_of_page_is_read(page, ids, territory):
    rows, _ = extracted(FIXTURE / f"{page}.json")

    assert [row["review_id"] for row in rows] == ids
    assert {row["app_id"] for row in rows} <= {"1234567890"}
    assert {row["territory"] for row in rows} <= {territory}


def test_a_review_is_read_from_its_labels():
    [row, _], _ = extracted(FIXTURE / "us_list.json")

    assert (row["store"], row["rating"], row["title"], row["app_version"]) == ("itunes", 1, "Lost my notes", "4.2")
    assert row["author"] == "nobody in particular"
    assert row["updated_at"] == datetime(2026, 9, 20, 10, 1, 2)


def test_a_folder_is_one_load_and_is_not_parsed_again():
    found = list(ItunesPages(FIXTURE).extract(Past()))
    [batch] = [one for one in found if isinstance(one, Batch)]
    [gap] = [one for one in found if one != batch]

    again = list(ItunesPages(FIXTURE).extract(Past(frozenset([batch.load_id]), (gap,))))

    assert len(batch.rows) == 5
    assert (gap.part, gap.reason, gap.row_count) == ("us_list.json", "bad_entry", 1)
    assert again == [gap]


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        (b"<html>blocked</html>", "broken_json"),
        (b"\xff\xfe\x00", "not_utf8"),
        ([], "not_a_feed"),
        ({"feed": "none"}, "not_a_feed"),
        ({"feed": {"entry": entry()}}, "no_app_id"),
    ],
)
def test_what_is_no_page_or_tells_no_app_is_one_refused_line_that_names_it(page, reason, tmp_path):
    rows, [gap] = extracted(saved(tmp_path, page))

    assert rows == []
    assert (gap.status, gap.reason) == ("refused", reason)
    assert "page.json" in gap.detail


@pytest.mark.parametrize(
    ("name", "app_id", "territory"),
    [
        ("us_1234567890_page1.json", "1234567890", "US"),
        ("de-1234567890-2.json", "1234567890", "DE"),
        ("reviews id12345.json", "12345", None),
        ("1234567890.json", "1234567890", None),
    ],
)
def test_a_page_that_does_not_tell_its_app_is_read_by_its_name(name, app_id, territory, tmp_path):
    [row], _ = extracted(saved(tmp_path, {"feed": {"entry": entry()}}, name))

    assert (row["app_id"], row["territory"]) == (app_id, territory)


def test_a_date_in_a_name_is_no_app(tmp_path):
    _, [gap] = extracted(saved(tmp_path, {"feed": {"entry": entry()}}, "page-20261102.json"))

    assert gap.reason == "no_app_id"


def test_an_entry_without_id_or_rating_is_left_out(tmp_path):
    page = {"feed": {"entry": [entry(), entry(id=""), entry(**{"im:rating": "11"}), "text", None]}}

    rows, [gap] = extracted(saved(tmp_path, page, "us_1234567890.json"))

    assert (len(rows), gap.row_count) == (1, 4)


def test_of_a_review_on_two_pages_the_later_one_counts(tmp_path):
    for number, (when, title) in enumerate([("2026-09-21T00:00:00Z", "later"), ("2026-09-20T00:00:00Z", "earlier")]):
        saved(tmp_path, {"feed": {"entry": entry(updated=when, title=title)}}, f"us_1234567890_{number}.json")

    [row], _ = extracted(tmp_path)

    assert row["title"] == "later"


def test_a_path_that_does_not_exist_is_no_gap_but_a_failure(tmp_path):
    with pytest.raises(InputRefused, match="FEEDBACK_ITUNES_PAGES"):
        extracted(tmp_path / "nowhere.json")
