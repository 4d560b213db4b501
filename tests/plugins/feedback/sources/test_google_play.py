"""Everything that Google serves for seven days is stored; what it serves no more comes with Play Console's report."""

import csv
import io
from datetime import UTC, timedelta
from functools import partial

import pytest

from feedback.errors import ConnectionMissing, SettingError, SourceFailed
from feedback.sources.google_play import GooglePlay
from feedback.sources.google_play_client import GooglePlayClient
from feedback.sources.google_play_csv import GooglePlayCsv
from feedback.sources.google_play_rows import COLUMNS
from feedback.sources.past import recall
from tests.plugins.feedback.sources import google_play_stand_in as play
from tests.plugins.feedback.sources.google_play_stand_in import EMAIL, GooglePlayStandIn
from tests.plugins.feedback.sources.stand_ins import Clock, cut, drop, html, says, status

APP, OTHER = "example.wickerbee", "example.other"


@pytest.fixture
def store(http_server, clock):
    http_server.clear()
    return GooglePlayStandIn(http_server, clock)


@pytest.fixture
def source(store, clock):
    """The reviews of an app, read by a client that never really waits."""

    def opened(*apps, ours=clock, **account):
        client = (store.account | account, store.base_url, (), ours, clock.sleep)
        return GooglePlay(apps or (APP,), partial(GooglePlayClient, "google_play_default", *client), clock.instant)

    return opened


@pytest.fixture
def week(store, clock):
    """Three pages of reviews of the last six days."""
    for number in range(250):
        store.write(APP, f"gp:{number:03}", clock.now - timedelta(minutes=30 * number), title="T")


@pytest.fixture
def report(store, tmp_path):
    """Play Console's reports of everything that exists, a file a month, in a folder."""

    def written():
        months = {}
        for review_id, one in store.apps[APP].items():
            months.setdefault(f"{one['at']:%Y%m}", []).append(_line(review_id, one))
        for month, lines in months.items():
            text = io.StringIO()
            csv.writer(text).writerows([COLUMNS, *lines])
            (tmp_path / f"reviews_{APP}_{month}.csv").write_text(text.getvalue(), encoding="utf-16")
        return GooglePlayCsv(tmp_path)

    return written


def _line(review_id, one):
    def millis(at):
        return str(round(at.replace(tzinfo=UTC).timestamp() * 1000))

    link = f"https://play.google.com/console/x?reviewId={review_id.replace(':', '%3A')}&corpus=PUBLIC_REVIEWS"
    replied = (millis(one["replied_at"]), one["reply"]) if one["reply"] else ("", "")
    written = (millis(one.get("first", one["at"])), millis(one["at"]), one["rating"], one["title"], one["body"])
    return (APP, "4.1", "en_GB", "oriole", *written, *replied, link)


def test_the_week_is_read_once_and_a_second_run_changes_nothing(extract, source, store, stored, week, opened):
    extract(source())
    before = opened.rows("select * from raw.app_reviews order by all")

    counts = extract(source())

    assert stored() == store.truth
    assert len(store.asked) == 6
    assert (counts["rows"], counts["changed"]) == (0, 0)
    assert opened.rows("select * from raw.app_reviews order by all") == before


def test_a_review_is_read_in_its_own_words(extract, source, store, opened, clock):
    said = {"text": "Slow\ttranslated", "originalText": "Lento\tmuito", "reviewerLanguage": "pt_BR"}
    store.write(APP, "a", said=said, reply="Desculpe", replied_at=clock.now)
    store.write(APP, "b", title="", author=None, said={"appVersionName": "4.2"})
    store.write(APP, "c", said={"text": "words alone"})

    extract(source())

    a, b, c = opened.rows("select * from raw.app_reviews order by review_id")
    assert (a["title"], a["body"], a["language"], a["app_version"]) == ("Lento", "muito", "pt-BR", "412")
    assert (a["reply_text"], a["replied_at"], a["updated_at"]) == ("Desculpe", clock.now, clock.now)
    assert (a["author"], a["created_at"], a["territory"]) == ("Bo", None, None)
    assert (b["title"], b["body"], b["author"], b["app_version"]) == (None, "words of b", None, "4.2")
    assert (c["title"], c["body"]) == (None, "words alone")


def test_no_reviews_are_no_fault(extract, source, store, stored, gaps):
    store.apps[APP] = {}

    extract(source())

    assert (stored(), gaps()) == (set(), [])


def test_edits_and_answers_are_followed_and_history_is_kept(extract, source, store, stored, opened, clock):
    store.write(APP, "a")
    extract(source())
    clock.pass_by(days=1)
    store.write(APP, "a", body="second words", reply="Hi", replied_at=clock.now)
    extract(source())
    store.write(APP, "a", at=clock.now, reply=None)
    clock.pass_by(hours=1)
    extract(source())

    assert stored() == store.truth
    assert len(opened.rows("select * from raw.app_reviews_history")) == 2


def test_what_google_serves_no_more_is_never_taken_for_gone(extract, source, store, stored, week, clock):
    extract(source())
    clock.pass_by(days=6)

    extract(source())

    assert stored() == store.truth


@pytest.mark.parametrize(
    "fault", [status(500), drop, cut, html, status(429), lambda request: play.refusal(403, "rateLimitExceeded", "X")]
)
def test_a_fault_that_passes_on_a_later_page_is_waited_for(fault, extract, source, store, stored, week, gaps):
    store.faults = [None, fault, fault]

    extract(source())

    assert stored() == store.truth
    assert gaps() == []


def test_a_page_that_fails_for_good_keeps_what_came_before_it_and_no_more_is_remembered(
    extract, source, store, stored, week, gaps, opened
):
    store.write(OTHER, "b")
    store.at_page = {2: status(500)}

    extract(source(APP, OTHER))

    assert len(stored()) == 101
    assert gaps() == [(APP, "failed", "unreachable")]
    assert list(recall(opened, "google_play").state) == [OTHER]


def test_the_quota_of_an_app_ends_its_reading_and_not_that_of_others(extract, source, store, stored, gaps):
    store.write(APP, "a")
    store.write(OTHER, "b")
    again = {"reviews": [], "tokenPagination": {"nextPageToken": "p-0"}}
    store.faults = [lambda request: says(again)] * 195

    extract(source(APP, OTHER))

    assert len([one for one in store.asked if APP in one]) == 190
    assert gaps() == [(APP, "failed", "calls_used_up")]
    assert {row[1] for row in stored()} == {"b"}


@pytest.mark.parametrize(
    ("answer", "reason", "mend"),
    [
        (play.refusal(404, "applicationNotFound", "NOT_FOUND"), "not_found", "FEEDBACK_GOOGLE_PLAY_APPS"),
        (play.refusal(403, "permissionDenied", "PERMISSION_DENIED"), "forbidden", EMAIL),
        (play.refusal(400, "badRequest", "X"), "refused", "HTTP 400 badRequest"),
        (says({}, 302, Location="http://localhost/"), "refused", "HTTP 302"),
    ],
)
def test_an_app_that_cannot_be_read_is_a_gap_that_says_why(answer, reason, mend, extract, source, store, stored, gaps):
    store.write(OTHER, "b")
    store.faults = [lambda request: answer]

    [note] = extract(source(APP, OTHER))["notes"]

    assert stored() == store.truth
    assert gaps() == [(APP, "failed", reason)]
    assert APP in note
    assert mend in note


class TestTokens:
    def test_are_asked_for_where_the_key_says_and_kept(self, extract, source, store, week):
        extract(source())

        assert store.granted == 1

    def test_are_asked_for_again_when_one_is_refused(self, extract, source, store, stored, week):
        store.faults = [None, lambda request: play.refusal(401, "authError", "UNAUTHENTICATED")]

        extract(source())

        assert stored() == store.truth
        assert store.granted == 2

    def test_of_an_account_that_is_unknown_fail_the_source_in_a_line(self, extract, source, store):
        store.token_faults = [play.no_token()] * 2

        with pytest.raises(
            SourceFailed, match=rf"google_play_default .*refused .* {EMAIL} \(invalid_grant\)"
        ) as failed:
            extract(source())

        assert failed.value.retryable is False
        assert store.asked == []

    def test_tell_that_our_clock_is_wrong(self, extract, source, store):
        store.token_faults = [play.no_token()]

        with pytest.raises(SourceFailed, match="clock is 600 s behind"):
            extract(source(ours=Clock("2026-11-10T11:50:00")))

    def test_of_a_project_without_the_api_say_what_to_switch_on(self, extract, source, store):
        store.faults = [lambda request: play.refusal(403, "accessNotConfigured", "PERMISSION_DENIED")]

        with pytest.raises(SourceFailed, match="switch on the Google Play Android Developer API"):
            extract(source())

    def test_never_travel_in_the_clear(self, source):
        with pytest.raises(SettingError, match=r"http://example\.org/token .*FEEDBACK_ALLOW_HTTP"):
            source(token_uri="http://example.org/token").open()

    @pytest.mark.parametrize("broken", [{"private_key": "none"}, {"client_email": None}])
    def test_need_a_whole_key(self, broken, source):
        with pytest.raises(ConnectionMissing, match="google_play_default: keyfile_dict"):
            source(**broken).open()


class TestOutage:
    def test_of_five_days_is_an_alarm_and_one_of_eight_is_told_until_the_report_is_loaded(
        self, extract, source, store, stored, gaps, report, clock, opened
    ):
        store.write(APP, "before")
        extract(source())
        clock.pass_by(hours=1)
        store.write(APP, "lost")
        clock.pass_by(days=5)
        store.at_page = {1: status(500)}
        with pytest.raises(SourceFailed):
            extract(source())
        assert (APP, "failed", "window_closing") in gaps()

        clock.pass_by(days=3)
        store.at_page = {}
        store.write(APP, "after")
        [note] = extract(source())["notes"]
        assert stored() != store.truth
        assert gaps() == [(APP, "failed", "window_missed")]
        assert f"reviews_{APP}_202611.csv" in note

        extract(report())
        extract(source())

        assert stored() == store.truth
        assert gaps() == []

    def test_by_a_refused_account_is_an_alarm_too(self, extract, source, store, gaps, clock):
        store.write(APP, "a")
        extract(source())
        clock.pass_by(days=6)
        store.token_faults = [play.no_token()]

        with pytest.raises(SourceFailed):
            extract(source())

        assert (APP, "failed", "window_closing") in gaps()

    def test_is_told_by_doctor_and_plan(self, extract, source, store, opened, clock):
        store.write(APP, "a")
        reading = source()
        assert "FEEDBACK_GOOGLE_PLAY_CSV" in reading.expected(recall(opened, "google_play")).note
        extract(source())
        clock.pass_by(days=6)

        can_be_read, late = reading.examine(recall(opened, "google_play"))

        assert (can_be_read.is_fine, late.is_fine) == (True, False)
        assert "last read 6 days ago" in late.line
        assert reading.expected(recall(opened, "google_play")).calls == 1


@pytest.mark.parametrize("is_report_first", [True, False])
@pytest.mark.parametrize("edit", [{}, {"body": "second words"}, {"reply": "Hi"}])
def test_report_and_api_make_one_row_whatever_comes_first(
    is_report_first, edit, extract, source, store, stored, report, clock, opened
):
    """The report was made before the edit; the API saw it after. Each knows what the other does not."""
    first = clock.now
    store.write(APP, "a", first=first)
    early = report()
    clock.pass_by(days=1)
    if edit:
        store.write(APP, "a", at=clock.now if "body" in edit else first, **edit, replied_at=clock.now)

    for one in (early, source()) if is_report_first else (source(), early):
        extract(one)

    assert stored() == store.truth
    [row] = opened.rows("select author, created_at from raw.app_reviews")
    assert tuple(row.values()) == ("Bo", first)
