"""The public feed is read as best it can: whatever it leaves out, nothing stored is lost."""

import pytest

from feedback.errors import SourceFailed
from feedback.sources.itunes_feed import ItunesFeed
from feedback.sources.itunes_pages import ItunesPages
from feedback.sources.past import recall
from feedback.sources.web import Web
from tests.plugins.feedback.sources.itunes_stand_in import ItunesStandIn, review
from tests.plugins.feedback.sources.stand_ins import cut, drop, html, says, status

FEED, OTHER = "de:123456789", "us:123456789"


@pytest.fixture
def store(http_server, clock):
    http_server.clear()
    return ItunesStandIn(http_server, clock)


@pytest.fixture
def source(store, clock):
    def opened(*feeds):
        web = Web(f"the iTunes feed at {store.base_url}", store.base_url, 0.5, None, clock, clock.sleep)
        return ItunesFeed(feeds or (FEED,), lambda: web, clock.instant)

    return opened


def ids(stored):
    return {row[1] for row in stored()}


@pytest.mark.parametrize(("count", "calls"), [(0, 2), (1, 3), (2, 3), (51, 4), (120, 5), (500, 10)])
def test_every_page_is_read_in_each_shape(count, calls, extract, source, store, stored):
    store.feeds[FEED] = [review(number) for number in range(count)]

    extract(source())

    assert ids(stored) == {one["id"] for one in store.feeds[FEED]}
    assert len(store.asked) == calls


def test_a_second_run_changes_nothing_and_an_edit_is_kept_in_history(extract, source, store, opened, clock):
    store.feeds[FEED] = [review(1), review(2)]
    extract(source())
    before = opened.rows("select * from raw.app_reviews order by all")
    clock.pass_by(days=1)
    counts = extract(source())
    assert (counts["rows"], opened.rows("select * from raw.app_reviews order by all")) == (0, before)

    store.feeds[FEED][0] = review(1, body="second words", updated="2026-11-09T08:10:34-07:00")
    extract(source())

    [old] = opened.rows("select body from raw.app_reviews_history")
    assert old["body"] == "words 1"


def test_a_feed_is_of_its_country_and_app(extract, source, store, opened):
    store.feeds = {FEED: [review(1)], OTHER: [review(2)]}

    extract(source(FEED, OTHER))

    rows = opened.rows("select store, app_id, territory, app_version from raw.app_reviews order by territory")
    assert [tuple(row.values()) for row in rows] == [
        ("itunes", "123456789", "DE", "4.2"),
        ("itunes", "123456789", "US", "4.2"),
    ]


def test_an_empty_page_is_asked_for_in_its_other_form(extract, source, store, stored, gaps):
    store.feeds[FEED] = [review(number) for number in range(120)]
    store.is_empty = lambda page, form: form == "page first"

    extract(source())

    assert len(ids(stored)) == 120
    assert gaps() == []


def test_a_form_that_is_refused_proves_nothing(extract, source, store, stored, gaps):
    store.feeds[FEED] = [review(number) for number in range(60)]
    refused = {
        3: lambda request: (status(404) if "/id=" in request.path.partition("page=")[0] else store.answer)(request)
    }
    store.at_page = refused

    extract(source())

    assert len(stored()) == 60
    assert gaps() == []


@pytest.mark.parametrize("pages", [{1}, {2}, {1, 2, 3}])
def test_a_page_that_is_empty_where_reviews_were_is_a_failed_fetch_and_deletes_nothing(
    pages, extract, source, store, stored, gaps, clock
):
    store.feeds[FEED] = [review(number) for number in range(120)]
    extract(source())
    store.feeds[FEED].insert(0, review(-1))
    store.is_empty = lambda page, form: page in pages
    clock.pass_by(days=1)

    counts = extract(source())

    assert counts["deleted"] == 0
    assert len(stored()) >= 120
    assert gaps() == [(FEED, "failed", "empty_page")]
    store.is_empty = lambda page, form: False
    extract(source())
    assert ids(stored) == {one["id"] for one in store.feeds[FEED]}
    assert gaps() == []


def test_a_last_page_that_stays_empty_is_told_once(extract, source, store, gaps):
    store.feeds[FEED] = [review(number) for number in range(60)]
    extract(source())
    del store.feeds[FEED][50:]
    extract(source())
    assert gaps() == [(FEED, "failed", "empty_page")]

    extract(source())

    assert gaps() == []


@pytest.mark.parametrize("fault", [status(502), drop, cut, html, status(429)])
def test_a_fault_that_passes_is_waited_for_and_one_that_stays_is_a_gap(fault, extract, source, store, stored, gaps):
    store.feeds = {FEED: [review(number) for number in range(60)], OTHER: [review(99)]}
    store.faults = [None, fault]
    extract(source())
    assert len(stored()) == 60

    store.at_page = {2: lambda request: (fault if "/de/" in request.path else store.answer)(request)}
    extract(source(FEED, OTHER))

    assert len(stored()) == 61
    assert [gap[:2] for gap in gaps()] == [(FEED, "failed")]


@pytest.mark.parametrize(("fault", "reason"), [(status(403), "refused"), (lambda r: says([]), "not_a_feed")])
def test_what_is_no_feed_is_a_gap(fault, reason, extract, source, store, gaps):
    store.at_page = {1: fault}

    extract(source())

    assert gaps() == [(FEED, "failed", reason)]


def test_nobody_there_fails_the_source(extract, source, store):
    store.at_page = {1: drop}

    with pytest.raises(SourceFailed, match="the iTunes feed at"):
        extract(source())


def test_saved_pages_and_the_feed_make_one_row(extract, source, store, stored, tmp_path, http_server):
    import requests

    store.feeds[FEED] = [review(1), review(2)]
    page = requests.get(
        f"{store.base_url}/de/rss/customerreviews/page=1/id=123456789/sortby=mostrecent/json", timeout=5
    )
    (tmp_path / "de_123456789_1.json").write_bytes(page.content)

    extract(source())
    counts = extract(ItunesPages(tmp_path))

    assert (counts["rows"], counts["changed"]) == (2, 0)
    assert len(stored()) == 2


def test_plan_and_doctor_say_that_it_is_best_effort_and_what_is_there(extract, source, store, opened):
    store.feeds[FEED] = [review(1)]
    extract(source())

    expected = source().expected(recall(opened, "itunes_feed"))
    full, empty = source(FEED, OTHER).examine(recall(opened, "itunes_feed"))

    assert (expected.calls, "best effort" in expected.note) == (3, True)
    assert (full.is_fine, full.line) == (True, "1 reviews on its first page")
    assert (empty.is_fine, "no reviews" in empty.line) == (None, True)
