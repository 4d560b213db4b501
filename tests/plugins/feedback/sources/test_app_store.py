"""Everything that App Store Connect lists is stored, whatever happens on the way; only a whole walk deletes."""

from datetime import datetime, timedelta
from functools import partial

import pytest

from feedback.errors import SourceFailed
from feedback.sources.app_store import AppStore
from feedback.sources.app_store_client import AppStoreClient
from feedback.sources.app_store_key import Key
from feedback.sources.app_store_rows import country
from feedback.sources.past import recall
from tests.plugins.feedback.sources.app_store_stand_in import ISSUER, KEY_ID, AppStoreStandIn, pem
from tests.plugins.feedback.sources.stand_ins import Clock, cut, drop, html, says, status

APP, OTHER = "111111111", "222222222"


@pytest.fixture
def store(http_server, clock):
    http_server.clear()
    return AppStoreStandIn(http_server, clock)


@pytest.fixture
def source(store, clock):
    """The reviews of an app, read with a key, by a client that never really waits."""

    def opened(*apps, ours=clock, **key):
        fields = {"key_id": KEY_ID, "issuer_id": ISSUER, "pem": pem()} | key
        made = partial(Key, "app_store_connect_default", **fields, clock=ours)
        client = lambda: AppStoreClient(made(), store.base_url, clock.sleep)  # noqa: E731
        return AppStore(apps or (APP,), client, clock.instant)

    return opened


@pytest.fixture
def month(store, clock):
    """Four pages of reviews, over the last six weeks."""
    for number in range(80):
        store.write(APP, f"review-{number:02}", clock.now - timedelta(hours=12 * number + 1))


def test_everything_is_read_once_and_a_second_run_stops_early_and_changes_nothing(
    extract, source, store, stored, month, opened
):
    extract(source())
    first, before = len(store.asked), opened.rows("select * from raw.app_reviews order by all")

    counts = extract(source())

    assert stored() == store.truth
    assert first == 4
    assert len(store.asked) - first == 3  # two weeks and a page that is older
    assert (counts["rows"], counts["changed"]) == (0, 0)
    assert opened.rows("select * from raw.app_reviews order by all") == before


def test_a_review_is_read_with_its_answer_in_utc_and_two_letters(extract, source, store, opened, clock):
    store.write(APP, "a", datetime(2026, 11, 2, 3), title=" T ", territory="GBR", reply="Sorry", replied_at=clock.now)

    extract(source())

    [row] = opened.rows("select * from raw.app_reviews")
    assert (row["store"], row["title"], row["territory"], row["author"]) == ("app_store", "T", "GB", "Ada")
    assert row["created_at"] == row["updated_at"] == datetime(2026, 11, 2, 3)
    assert (row["reply_text"], row["replied_at"]) == ("Sorry", clock.now)


@pytest.mark.parametrize(("said", "ours"), [("USA", "US"), ("XKS", "XK"), ("XYZ", "XYZ"), (None, None)])
def test_countries_are_told_as_the_other_stores_do(said, ours):
    assert country(said) == ours


def test_an_edit_and_an_answer_replace_what_is_stored_and_an_answer_that_is_gone_goes(
    extract, source, store, stored, opened, clock
):
    store.write(APP, "a")
    extract(source())
    for change in ({"body": "second words", "rating": 1}, {"reply": "Hi", "replied_at": clock.now}, {"reply": None}):
        clock.pass_by(hours=6)
        store.write(APP, "a", **change)

        extract(source())

        assert stored() == store.truth
    history = opened.rows("select body, reply_text from raw.app_reviews_history order by valid_from")
    assert [tuple(row.values()) for row in history] == [
        ("words of a", None),
        ("second words", None),
        ("second words", "Hi"),
    ]


def test_words_that_are_changed_back_are_read_again(extract, source, store, stored, clock):
    for body in ("one", "two", "one"):
        clock.pass_by(hours=6)
        store.write(APP, "a", body=body)
        extract(source())

        assert stored() == store.truth


@pytest.mark.parametrize(
    "blank", ["row_hash = 'erased'", "row_hash = 'expired', updated_at = cast('2026-11-11' as timestamp)"]
)
def test_what_was_erased_or_has_expired_is_not_loaded_again_though_it_is_listed(
    blank, extract, source, store, stored, opened, clock
):
    store.write(APP, "a")
    store.write(APP, "b")
    extract(source())
    opened.transact([f"update raw.app_reviews set {blank}, body = null, is_deleted = true where review_id = 'a'"])
    clock.pass_by(days=8)

    counts = extract(source())

    assert (counts["rows"], counts["changed"]) == (0, 0)
    assert {row[1] for row in stored()} == {"b"}


def test_an_old_review_that_was_edited_is_found_within_a_week(extract, source, store, stored, month, clock):
    extract(source())
    store.write(APP, "review-79", body="after weeks")  # which moves no date

    clock.pass_by(days=6)
    extract(source())
    assert stored() != store.truth
    clock.pass_by(days=1)
    extract(source())

    assert stored() == store.truth


def test_a_review_that_is_taken_back_is_gone_after_a_whole_walk_and_back_when_it_is_listed_again(
    extract, source, store, stored, month, clock
):
    extract(source())
    taken = store.apps[APP].pop("review-01")
    extract(source())
    assert len(stored()) == 80  # a walk of two weeks proves nothing

    clock.pass_by(days=7)
    assert extract(source())["deleted"] == 1
    assert stored() == store.truth
    store.apps[APP]["review-01"] = taken
    clock.pass_by(days=7)
    extract(source())

    assert stored() == store.truth


def test_reviews_that_come_while_it_is_walked_are_read_once_and_delete_nothing(extract, source, store, stored, month):
    store.before_page = lambda page: store.write(APP, f"late-{page}")

    assert extract(source())["deleted"] == 0
    store.before_page = lambda page: None
    extract(source())

    assert stored() == store.truth


def test_a_review_that_slips_to_a_page_already_read_is_neither_deleted_nor_lost(
    extract, source, store, stored, month, clock
):
    extract(source())
    clock.pass_by(days=7)
    store.before_page = lambda page: store.apps[APP].pop("review-05", None) if page == 2 else None

    assert extract(source())["deleted"] == 0  # not sure that it met all
    extract(source())

    assert stored() == store.truth


@pytest.mark.parametrize("fault", [status(500), status(503, Retry_After="7"), drop, cut, html, status(429)])
def test_a_fault_that_passes_on_a_later_page_is_waited_for(fault, extract, source, store, stored, month, gaps):
    store.faults = [None, None, fault, fault]

    extract(source())

    assert stored() == store.truth
    assert gaps() == []


@pytest.mark.parametrize(
    ("fault", "reason"),
    [(status(500), "unreachable"), (drop, "unreachable"), (status(429), "throttled"), (html, "broken_answer")],
)
def test_a_page_that_fails_for_good_keeps_what_came_before_it_and_no_more_is_remembered(
    fault, reason, extract, source, store, stored, month, gaps, opened
):
    store.write(OTHER, "b")
    store.at_page = {3: fault}

    extract(source(APP, OTHER))

    assert len(stored()) == 41  # two pages, and the other app
    assert gaps() == [(APP, "failed", reason)]
    assert list(recall(opened, "app_store").state) == [OTHER]
    store.at_page = {}
    extract(source(APP, OTHER))
    assert stored() == store.truth
    assert gaps() == []


def test_a_refusal_to_be_so_fast_is_answered_with_longer_and_longer_waits(extract, source, store, clock):
    store.write(APP, "a")
    store.faults = [status(429)] * 4

    extract(source())

    waits = [seconds for seconds in clock.slept if seconds > 1]
    assert waits == sorted(waits)
    assert sum(waits) > 2 + 4 + 8 + 16


def test_who_is_told_to_come_back_much_later_leaves_it_to_the_next_run(extract, source, store, clock, gaps):
    store.write(APP, "a")
    store.write(OTHER, "b")
    store.faults = [status(429, Retry_After="3000")]

    extract(source(APP, OTHER))

    assert gaps() == [(APP, "failed", "throttled")]
    assert sum(clock.slept) < 1


def test_calls_keep_their_distance(extract, source, month, clock):
    extract(source())

    assert [seconds for seconds in clock.slept if seconds <= 0.25] == [0.25] * 3


def test_a_tenth_of_the_hours_calls_is_left_to_others(extract, source, store, stored, month, gaps):
    store.calls_left = 353

    extract(source())

    assert store.calls_left == 350
    assert len(stored()) == 60
    assert gaps() == [(APP, "failed", "calls_used_up")]


def test_an_app_that_is_not_ours_is_a_gap_that_names_it_and_the_others_go_on(extract, source, store, stored, opened):
    store.write(OTHER, "b")

    counts = extract(source(APP, OTHER))

    assert stored() == store.truth
    [note] = counts["notes"]
    assert "knows no app 111111111" in note
    assert "FEEDBACK_APP_STORE_APPS" in note


def test_a_key_that_may_not_read_reviews_is_told_which_role_it_lacks(extract, source, store):
    store.write(APP, "a")
    store.faults = [status(403, {"errors": [{"code": "FORBIDDEN_ERROR", "detail": "words"}]})]

    [note] = extract(source())["notes"]

    assert "HTTP 403 FORBIDDEN_ERROR" in note
    assert "Customer Support" in note
    assert "words" not in note


def test_entries_that_are_no_reviews_are_left_out_and_told(extract, source, store, stored, gaps):
    store.faults = [lambda request: says({"data": [{"id": "a"}, None, {"attributes": {"rating": 9}}]})]

    extract(source())

    assert stored() == set()
    assert gaps() == [(APP, "refused", "bad_entry")]


class TestTokens:
    def test_are_made_anew_before_they_end(self, extract, source, store, stored, month, clock):
        store.before_page = lambda page: clock.pass_by(minutes=6)

        extract(source())

        assert stored() == store.truth
        assert len(set(store.tokens)) == 2
        assert len(store.tokens) == 4  # none was refused

    def test_are_made_anew_once_when_one_is_refused(self, extract, source, store, stored):
        store.write(APP, "a")
        store.faults = [status(401)]

        extract(source())

        assert stored() == store.truth

    def test_follow_the_clock_of_the_store_and_say_that_ours_is_wrong(self, extract, source, store, stored, caplog):
        store.write(APP, "a")

        extract(source(ours=Clock("2026-11-10T11:30:00")))

        assert stored() == store.truth
        assert "clock is 1800 s behind" in caplog.text

    @pytest.mark.parametrize("key", [{"key_id": "ANOTHER"}, {"issuer_id": "another"}])
    def test_of_a_key_that_is_refused_fail_the_source_in_a_line_that_names_the_connection(
        self, key, extract, source, store
    ):
        store.write(APP, "a")

        with pytest.raises(
            SourceFailed, match=r"app_store_connect_default .*refused its key \(HTTP 401 NOT_AUTH"
        ) as no:
            extract(source(**key))

        assert len(store.asked) == 2
        assert no.value.retryable is False

    def test_of_a_key_that_is_revoked_in_the_middle_keep_what_was_read(self, extract, source, store, stored, month):
        def revoke(page):
            store.is_revoked = page == 2

        store.before_page = revoke

        with pytest.raises(SourceFailed, match="refused its key"):
            extract(source())

        assert len(stored()) == 40

    def test_never_go_to_another_host(self, extract, source, store, gaps, http_server):
        store.write(APP, "a")
        elsewhere = f"http://localhost:{http_server.port}/v1/apps/{APP}/customerReviews"
        redirect = status(302, {}, Location=elsewhere)
        link = lambda request: says({"data": [], "links": {"next": elsewhere}})  # noqa: E731
        store.faults = [redirect, link]

        extract(source(APP, OTHER))

        assert [gap[2] for gap in gaps()] == ["redirected", "foreign_link"]
        assert len(store.asked) == 2


def test_nobody_there_fails_the_source_and_may_be_tried_again(extract, source, store):
    store.at_page = {1: drop}

    with pytest.raises(SourceFailed, match=r"app_store_connect_default at http.*no answer") as failed:
        extract(source())

    assert failed.value.retryable is True


def test_plan_tells_the_calls_of_the_next_run(extract, source, month, opened, clock):
    reading = source()

    assert "not read so far" in reading.expected(recall(opened, "app_store")).note
    extract(source())
    soon = reading.expected(recall(opened, "app_store"))
    clock.pass_by(days=7)
    later = reading.expected(recall(opened, "app_store"))

    assert (soon.calls, later.calls) == (1, 1)


def test_doctor_tells_what_can_be_read(source, store, opened):
    store.write(APP, "a")

    fine, missing = source(APP, OTHER).examine(recall(opened, "app_store"))
    [clock_line] = [one for one in source(ours=Clock("2026-11-10T12:02:00")).examine(None) if one.is_fine is False]

    assert (fine.is_fine, fine.line) == (True, "1 reviews, 3,499 calls left in this hour")
    assert (missing.is_fine, "knows no app" in missing.line) == (False, True)
    assert "clock is 120 s ahead of" in clock_line.line
