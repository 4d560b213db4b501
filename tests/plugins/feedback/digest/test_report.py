from __future__ import annotations

import json
import re
from datetime import timedelta
from html.parser import HTMLParser

import pytest

from feedback.digest.outbox import write_digests
from feedback.digest.page import render
from feedback.digest.report import KEPT, About, read_digests, view, write_report
from feedback.digest.team import Focus, Team
from feedback.errors import InputRefused
from feedback.warehouse import merge
from tests.plugins.feedback.digest.seeded import AS_OF, answer, call, say, seed, verdict

ABOUT = About(as_of=AS_OF, is_sample=False, budget_usd=5.0, budget_usd_day=20.0)
EVERYONE = Team("everyone", "Everyone", (Focus(),))


class Page(HTMLParser):
    """What a browser would see: text, tags, links."""

    def __init__(self, html):
        super().__init__()
        self.html, self.texts, self.tags, self.links, self.attributes = html, [], [], [], []
        self.feed(html)
        self.text = " ".join(" ".join(self.texts).split())

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, *attribute) for attribute in attrs]
        self.links += [value for name, value in attrs if name in ("href", "src")]

    def handle_data(self, data):
        if self.tags[-1:] != ["style"]:
            self.texts.append(data)


@pytest.fixture
def page(warehouse, tmp_path, run):
    def page(about=ABOUT, teams=(EVERYONE,)):
        write_digests(warehouse, teams, tmp_path / "digest", as_of=AS_OF, timezone="UTC", run=run)
        return Page(write_report(warehouse, tmp_path / "report", tmp_path / "digest", about, run).read_text())

    return page


def test_a_report_tells_what_was_read_asked_published_and_paid(warehouse, page):
    seed(warehouse)

    shown = page()

    for words in (
        "948 messages and reviews read; answers about 334 items published. 3 rows set aside.",
        "How far it has come",
        "17 bug reports about sync/offline",
        "5 of 6 rules held",
        "the quote does not occur in the text",
        "row 41: 19 columns instead of 20",
        "Hard limits: $5.00 a run, $20.00 a UTC day.",
        "run_extract",
    ):
        assert words in shown.text
    assert re.search(r"Papertrail \d+ competitor", shown.text)


def test_an_offline_model_is_said_to_be_none(warehouse, page):
    seed(warehouse)

    assert page().text.count("ffline model, not a language model") >= 4


def test_a_real_model_is_not_called_offline(warehouse, page):
    say(warehouse, {"number": 1, "sentiment": "negative", "model": "gpt-5-mini"})

    shown = page()

    assert "gpt-5-mini" in shown.text
    assert "offline" not in shown.text


def test_the_sample_says_that_it_is_one(warehouse, page):
    assert "Bundled sample." in page(About(AS_OF, True, 5.0, 20.0)).text
    assert "Bundled sample." not in page().text


def test_an_empty_warehouse_has_a_page(page):
    shown = page()

    assert "Nothing has been read yet." in shown.text
    assert "No digest has been written" in shown.text
    assert "No rule has run yet" in shown.text


def test_a_blocked_gate_is_told_first(warehouse, page):
    seed(warehouse)
    later = {"run_id": "run_later", "checked_at": AS_OF + timedelta(hours=1), "decision": "block"}
    merge.append(
        warehouse,
        "ops.validations",
        [
            verdict("intent", "label_in_set", outcome="fail", failed=200, **later),
            verdict("intent", "unique_key", **later),
        ],
    )

    shown = page()

    assert "The gate blocked intent: nothing new of it was published." in shown.text
    assert shown.text.index("intent blocked 1 of 2 rules held") < shown.text.index("area published")


def test_the_first_sentence_is_what_customers_say(warehouse, page):
    seed(warehouse)

    assert re.search(r"\d+% of the last seven days’ voices are unhappy\. Rising most: bug reports about sync/offline\.",
                     page().text)  # fmt: skip


def test_where_nothing_is_rising_it_says_so(warehouse, page):
    say(warehouse, {"number": 1, "sentiment": "negative"}, {"number": 2, "sentiment": "positive"})

    assert "50% of the last seven days’ voices are unhappy. Nothing is rising beyond its usual level." in page().text


def test_a_run_without_news_says_so(warehouse, page):
    seed(warehouse)
    start = AS_OF + timedelta(days=1)
    merge.append(
        warehouse,
        "ops.task_runs",
        [{"run_id": "run_next", "dag_id": "extract_feedback", "task_id": "work", "outcome": "success", "counts": {},
          "started_at": start, "finished_at": start}],
    )  # fmt: skip

    shown = page()

    assert "Nothing new was said, nothing was asked; 334 items stay published." in shown.text
    assert "run_enrich" not in shown.text


def test_a_team_without_anything_to_read_is_named(warehouse, page):
    say(warehouse, {"number": 1, "sentiment": "negative"})

    assert (
        "Nothing to read for stores." in page(teams=(EVERYONE, Team("stores", "S", (Focus(sources=("itunes",)),)))).text
    )


def test_a_failed_task_is_told(warehouse, page):
    seed(warehouse)
    merge.append(
        warehouse,
        "ops.task_runs",
        [{"run_id": "run_extract", "dag_id": "extract_feedback", "task_id": "itunes", "outcome": "failed", "counts": {},
          "message": "itunes_default did not answer: try again later", "started_at": AS_OF, "finished_at": AS_OF}],
    )  # fmt: skip

    assert "extract_feedback.itunes failed. itunes_default did not answer: try again later" in page().text


def test_money_is_counted_by_run_by_day_and_per_thousand_answers(warehouse, page):
    say(warehouse, {"number": 1, "sentiment": "negative", "model": "m"})
    merge.append(
        warehouse,
        "ops.answers",
        [{"item_id": f"i{n}", "enrichment": "sentiment", "status": "answered", "content_hash": "h", "rows_out": 1,
          "prompt_version": "p", "run_id": "run_enrich"} for n in range(500)],
    )  # fmt: skip
    merge.append(
        warehouse,
        "ops.llm_calls",
        [call(day, n, model="m", mode="online", cost_usd=0.25) for day in range(2) for n in range(2)],
    )

    shown = page()

    assert "Dollars by UTC day" in shown.text
    assert re.search(r"Per 1,000 answers\s*\$2\.00", shown.text)


def test_agreement_with_the_golden_file_is_shown_as_it_is(page):
    rows = (
        {"enrichment": "sentiment", "right": 90, "total": 120, "lower_bound": 0.665},
        {"enrichment": "intent", "right": 0, "total": 0, "lower_bound": 0.0},
    )

    shown = page(About(AS_OF, False, 5.0, 20.0, rows))

    assert "sentiment 90 120 75% 66%" in shown.text
    assert "intent 0 0 – –" in shown.text


def test_huge_numbers_keep_the_page_readable(warehouse, page):
    seed(warehouse)
    merge.append(warehouse, "ops.validations", [verdict("items", "huge", failed=10**9, total=2 * 10**9)])
    merge.append(warehouse, "ops.llm_calls", [call(0, 99, input_tokens=2 * 10**9, cost_usd=1_234_567.8)])

    shown = page()

    assert "1B/2B" in shown.text
    assert "$1,234,567.80" in shown.text


def test_the_page_needs_nothing_but_itself(warehouse, page):
    seed(warehouse)

    shown = page()

    assert not {"script", "link", "img", "iframe", "object", "form"} & set(shown.tags)
    assert ("meta", "content", "default-src 'none'; style-src 'unsafe-inline'; img-src data:") in shown.attributes
    assert all(re.match(r"https://(northwind\.slack\.com|play\.google\.com)/", link) for link in shown.links)
    assert "url(" not in shown.html
    assert "@import" not in shown.html


def test_every_table_has_a_caption_and_every_drawing_a_label(warehouse, page):
    seed(warehouse)

    shown = page()

    assert shown.tags.count("table") == shown.tags.count("caption")
    assert shown.tags.count("svg") == sum((tag, name) == ("svg", "aria-label") for tag, name, _ in shown.attributes)
    assert shown.tags.count("h1") == 1


HOSTILE = [
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "</style></title></blockquote><svg onload=alert(1)>",
    "\"><a href='javascript:alert(1)'>x</a>",
    "{{ 7 * 7 }} {% include 'report.css' %}",
    "<!channel> <https://evil.example|bank> &lt;b&gt;",
    "\u202egnp.exe\u2066\u200b\x00\x1b[31m",
    "👨‍👩‍👧‍👦" * 2_000,
    "x" * 50_000,
]


@pytest.mark.parametrize("words", HOSTILE)
def test_hostile_words_stay_words(warehouse, page, words):
    say(
        warehouse,
        {
            "number": 1, "text": words, "quote": words, "channel_or_app": words, "permalink": words,
            "sentiment": "negative", "intent": words, "areas": (words,), "is_unanswered": True, "model": words,
        },
    )  # fmt: skip
    mention = answer("slack:t:00001", mention_id="m", kind=words, surface=words, norm=words, quote=words)
    del mention["confidence"]
    merge.append(warehouse, "feedback.mentions", [mention])
    gap = {"source": words, "part": words, "status": words, "reason": words, "detail": words}
    merge.append(warehouse, "ops.coverage", [{**gap, "first_run_id": words, "last_run_id": words}])
    row = {"run_id": words, "dag_id": words, "task_id": words, "outcome": "failed", "message": words, "counts": {}}
    merge.append(warehouse, "ops.task_runs", [{**row, "started_at": AS_OF, "finished_at": AS_OF}])
    merge.append(warehouse, "ops.validations", [verdict(words, words, outcome=words, severity=words, slice=words)])
    aside = {"subject": words, "row_key": words, "rule": words, "content_hash": "h", "prompt_version": "p"}
    aside |= {
        "item_id": "i",
        "severity": words,
        "reason": words,
        "status": "open",
        "first_run_id": "r",
        "last_run_id": "r",
    }
    merge.append(warehouse, "ops.quarantine", [aside])

    shown = page(teams=(Team("everyone", words, (Focus(),)),))

    assert not {"script", "img", "a", "i"} & set(shown.tags)
    assert shown.tags.count("style") == 1
    assert not [attribute for attribute in shown.attributes if attribute[1].startswith("on")]
    assert not any(invisible in shown.html for invisible in "\u202e\u2066\u200b\x00\x1b")
    assert "49" not in "".join(re.findall(r"\{\{.*?\}\}|<blockquote.*?</blockquote>", shown.html))
    assert len(shown.html) < 100_000


def test_a_digest_file_that_was_tampered_with_cannot_break_out(tmp_path, warehouse):
    line = {"item_id": "i", "reason": "<u>r</u>", "quote": "&lt;i&gt;", "link": "javascript:alert(1)", "source": "s",
            "stars": "", "age": "a", "is_stale": False}  # fmt: skip
    body = {"title": "<u>", "text": "<u>", "date": "2026-11-02", "lines": [line], "counts": {"matters": 1, "shown": 1}}
    (tmp_path / "2026-11-02-x.json").write_text(json.dumps(body))

    shown = Page(render(view(warehouse, tmp_path, ABOUT)))

    assert not {"u", "i", "a"} & set(shown.tags)


def test_only_the_newest_day_is_shown(warehouse, tmp_path, run):
    for days in (0, 1):
        now = AS_OF + timedelta(days=days)
        say(warehouse, {"number": days, "sentiment": "negative", "posted_at": now})
        write_digests(warehouse, [EVERYONE], tmp_path, as_of=now, timezone="UTC", run=run)

    assert [digest["date"] for digest in read_digests(tmp_path)] == ["2026-11-03"]
    assert read_digests(tmp_path / "absent") == []


def test_the_newest_pages_are_kept(warehouse, tmp_path, run):
    for _ in range(KEPT + 2):
        path = write_report(warehouse, tmp_path, tmp_path, ABOUT, run)

    rows = warehouse.rows("select body from ops.reports where kind = 'run' order by created_at desc")
    assert len(rows) == KEPT
    assert rows[0]["body"] == path.read_text()
    assert [file.name for file in tmp_path.iterdir() if "html" in file.name] == ["index.html"]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"lines": [1]}', "null"])
def test_a_file_that_is_no_digest_is_named(tmp_path, text):
    (tmp_path / "2026-11-02-x.json").write_text(text)

    with pytest.raises(InputRefused, match=r"2026-11-02-x\.json is no digest"):
        read_digests(tmp_path)
