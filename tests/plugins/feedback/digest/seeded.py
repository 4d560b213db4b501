"""A warehouse somebody has worked with for six weeks: an invented product, a few hundred items, one rising theme."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

from feedback.model import content_hash
from feedback.warehouse import merge

AS_OF = datetime(2026, 11, 2, 18, 0)
WEEKS = 6
# intent, sentiment, area, what was said
SAYINGS = (
    ("bug_report", "negative", "performance", "The app freezes for ten seconds whenever I open a shared board"),
    ("bug_report", "negative", "import_and_export", "Exported PDF is empty on every second page"),
    ("bug_report", "negative", "sync_and_offline", "A note I wrote on the train never reached my laptop"),
    ("complaint", "negative", "billing_and_pricing", "Charged twice this month and nobody explains why"),
    ("complaint", "negative", "billing_and_pricing", "Three price rises in a year, I am done"),
    ("complaint", "negative", "support_service", "Support answered after nine days with a link to the manual"),
    ("question", "neutral", "sharing_and_collaboration", "Is there a way to move a board to another workspace?"),
    ("question", "neutral", "integrations_and_api", "Does the webhook retry when our endpoint answers 503?"),
    ("question", "neutral", "billing_and_pricing", "Wo finde ich die Rechnungen vom letzten Jahr?"),
    ("feature_request", "neutral", "search", "Please let us sort by due date across boards"),
    ("feature_request", "neutral", "user_interface", "A dark theme for the desktop client would be lovely"),
    ("feature_request", "neutral", "permissions_and_security", "We need SCIM before security lets us roll this out"),
    ("praise", "positive", "editing_and_content", "The new editor is a joy, thank you"),
    ("praise", "positive", "mobile_app", "Best purchase this year, the whole family uses it ❤️"),
    ("praise", "positive", "sync_and_offline", "Restore saved my thesis yesterday"),
    ("other", "mixed", "documentation_and_help", "Love the idea, hate the onboarding"),
    ("other", "mixed", "performance", "Great on the phone, sluggish on my laptop"),
)
BROKEN = (
    (
        "bug_report",
        "negative",
        "sync_and_offline",
        "Since the last update my notes stop syncing between phone and laptop",
    ),
    ("bug_report", "negative", "sync_and_offline", "Sync says “up to date” and it is three days behind"),
    ("bug_report", "negative", "sync_and_offline", "Lost an afternoon of work, the tablet overwrote everything"),
    ("bug_report", "negative", "sync_and_offline", "Seit dem Update fehlen auf dem Handy alle neuen Notizen"),
)
SCORES = {"negative": -0.7, "neutral": 0.0, "positive": 0.8, "mixed": -0.1}
SOURCES = ("slack", "google_play", "itunes")
LINKS = {
    "slack": "https://northwind.slack.com/archives/C01/p{number:016d}",
    "google_play": "https://play.google.com/store/apps/details?id=com.example.lumen&reviewId={number}",
    "itunes": None,
}


def item(number: int, **columns: Any) -> dict[str, Any]:
    """Return a row of feedback.items; what is not given is unremarkable."""
    source = columns.get("source", "slack")
    link = LINKS[source]
    row = {
        "item_id": f"{source}:t:{number:05d}",
        "source": source,
        "source_key": f"t:{number:05d}",
        "permalink": link and link.format(number=number),
        "author_hash": f"author{number}",
        "channel_or_app": "customers" if source == "slack" else "com.example.lumen",
        "text": "Something was said",
        "rating": None,
        "language": "en",
        "visibility": "public",
        "posted_at": AS_OF - timedelta(hours=5),
        "message_count": 1,
        "author_count": 1,
        "has_reply_by_team": False,
        "is_unanswered": False if source == "slack" else None,
        "is_askable": True,
        "first_run_id": "run_extract",
        "run_id": "run_extract",
        "updated_at": AS_OF,
        **columns,
    }
    row.setdefault("last_activity_at", row["posted_at"])
    return {**row, "content_hash": content_hash(row["text"], row["rating"])}


def answer(item_id: str, **columns: Any) -> dict[str, Any]:
    """Return a row of a published answer with its lineage."""
    return {
        "item_id": item_id,
        "quote": "Something was said",
        "confidence": 0.8,
        "content_hash": "hash",
        "prompt_version": "0123456789ab",
        "model": "offline",
        "decided_by": "local",
        "is_stale": False,
        "call_id": "call_1",
        "run_id": "run_enrich",
        "engine_version": "0.1.0",
        "answered_at": AS_OF,
        **columns,
    }


def say(warehouse: Any, *said: dict[str, Any]) -> None:
    """Publish items with their answers: columns of ``item`` plus sentiment, score, intent, areas and shared ones."""
    items, sentiment, intent, area = [], [], [], []
    for spoken in said:
        spoken = dict(spoken)
        labels = {name: spoken.pop(name, None) for name in ("sentiment", "score", "intent", "areas")}
        shared = {name: spoken.pop(name) for name in ("quote", "model", "is_stale", "answered_at") if name in spoken}
        row = item(**spoken)
        items.append(row)
        key = row["item_id"]
        if labels["sentiment"]:
            score = SCORES[labels["sentiment"]] if labels["score"] is None else labels["score"]
            sentiment.append(answer(key, label=labels["sentiment"], score=score, **shared))
        if labels["intent"]:
            intent.append(answer(key, label=labels["intent"], **shared))
        area += [answer(key, label=label, **shared) for label in labels["areas"] or ()]
    merge.append(warehouse, "feedback.items", items)
    merge.append(warehouse, "feedback.sentiment", sentiment)
    merge.append(warehouse, "feedback.intent", intent)
    merge.append(warehouse, "feedback.area", area)


def six_weeks(count: int = 320) -> list[dict[str, Any]]:
    """Return what was said in six weeks; in the last one, sync breaks for many."""
    chance = random.Random(7)
    ages = [WEEKS * 7 * (number + 0.5) / count for number in range(count)]
    said = [_spoken(chance, number, days, chance.choice(SAYINGS)) for number, days in enumerate(ages)]
    broken = [_spoken(chance, count + n, chance.random() * 6, chance.choice(BROKEN)) for n in range(14)]
    return said + broken


def seed(warehouse: Any, said: list[dict[str, Any]] | None = None) -> None:
    """Fill a warehouse as a run of the whole chain leaves it."""
    said = six_weeks() if said is None else said
    say(warehouse, *said)
    _names(warehouse, said)
    _ledgers(warehouse, said)
    _runs(warehouse)


def _spoken(chance: random.Random, number: int, days: float, saying: tuple[str, str, str, str]) -> dict[str, Any]:
    intent, sentiment, area, text = saying
    source = chance.choices(SOURCES, weights=(4, 3, 2))[0]
    posted = AS_OF - timedelta(days=days)
    is_slack = source == "slack"
    stars = {"negative": (1, 2), "neutral": (3,), "positive": (5,), "mixed": (3, 4)}[sentiment]
    people = chance.choice((1, 2, 2, 3, 5)) if is_slack else 1
    return {
        "number": number,
        "source": source,
        "text": text,
        "quote": text,
        "rating": None if is_slack else chance.choice(stars),
        "posted_at": posted,
        "last_activity_at": min(AS_OF, posted + timedelta(hours=chance.randrange(30))),
        "message_count": people * chance.choice((1, 2, 3)) if is_slack else 1,
        "author_count": people,
        "is_unanswered": intent == "question" and chance.random() < 0.5 if is_slack else None,
        "sentiment": sentiment,
        "score": round(max(-1.0, min(1.0, SCORES[sentiment] + chance.uniform(-0.25, 0.25))), 2),
        "intent": intent,
        "areas": (area,) if chance.random() < 0.9 else (),
        "is_stale": chance.random() < 0.05,
    }


def _names(warehouse: Any, said: list[dict[str, Any]]) -> None:
    catalog = (("feature", "board sharing", False), ("product", "Lumen", False), ("company", "Papertrail", True))
    merge.append(
        warehouse,
        "feedback.entities",
        [
            {"entity_id": f"e{n}", "kind": kind, "canonical_name": name, "is_competitor": rival, "status": "active",
             "created_at": AS_OF, "run_id": "run_resolve"}
            for n, (kind, name, rival) in enumerate(catalog)
        ],
    )  # fmt: skip
    merge.append(
        warehouse,
        "feedback.entity_names",
        [
            {"kind": kind, "norm": name.lower(), "entity_id": f"e{n}", "score": 1.0, "decision_id": "d", "run_id": "r"}
            for n, (kind, name, _) in enumerate(catalog)
        ],
    )
    mentions = []
    for spoken in said[::4]:
        kind, name, _ = catalog[spoken["number"] % len(catalog)]
        key = f"{spoken['source']}:t:{spoken['number']:05d}"
        row = answer(key, mention_id=f"m{spoken['number']}", kind=kind, surface=name, norm=name.lower(), quote=name)
        mentions.append({column: value for column, value in row.items() if column != "confidence"})
    merge.append(warehouse, "feedback.mentions", mentions)


def _ledgers(warehouse: Any, said: list[dict[str, Any]]) -> None:
    stamp = {"row_hash": "h", "first_seen_at": AS_OF, "changed_at": AS_OF, "run_id": "run_extract", "is_deleted": False}
    slack = [s for s in said if s.get("source", "slack") == "slack"]
    messages = [
        {"team_id": "T", "channel_id": "C", "ts": f"{s['number']}.{n}", "text": "hi", **stamp}
        for s in slack for n in range(s.get("message_count", 1))
    ]  # fmt: skip
    reviews = [
        {"store": s["source"], "app_id": "a", "review_id": str(s["number"]), "rating": s["rating"], **stamp}
        for s in said if s.get("source", "slack") != "slack"
    ]  # fmt: skip
    merge.append(warehouse, "raw.slack_messages", messages)
    merge.append(warehouse, "raw.app_reviews", reviews)
    answers = [
        {"item_id": f"{s.get('source', 'slack')}:t:{s['number']:05d}", "enrichment": name, "content_hash": "hash",
         "status": "quarantined" if s["number"] % 97 == 5 else "answered", "prompt_version": "0123456789ab",
         "rows_out": 1, "run_id": "run_enrich"}
        for s in said for name in ("sentiment", "intent", "area", "mentions")
    ]  # fmt: skip
    merge.append(warehouse, "ops.answers", answers)
    merge.append(warehouse, "ops.llm_calls", [call(day, n) for day in range(9) for n in range(4 + day % 3)])


def call(day: int, number: int, **columns: Any) -> dict[str, Any]:
    """Return a row of ops.llm_calls."""
    started = AS_OF - timedelta(days=day, minutes=number)
    return {
        "call_id": f"call_{day}_{number}", "purpose": "enrich", "dag_id": "enrich_feedback", "task_id": "ask",
        "run_id": "run_enrich" if day == 0 else f"run_{day}", "attempt": 1, "model": "offline", "mode": "offline",
        "prompt_versions": {"sentiment": "0123456789ab"}, "row_count": 20, "status": "settled", "reserved_usd": 0.0,
        "cost_usd": 0.0, "input_tokens": 2400, "cached_tokens": 1200, "cache_write_tokens": 0, "output_tokens": 800,
        "reasoning_tokens": 0, "http_status": 200, "started_at": started, "finished_at": started, **columns,
    }  # fmt: skip


def verdict(subject: str, rule: str, **columns: Any) -> dict[str, Any]:
    """Return a row of ops.validations."""
    return {
        "run_id": "run_enrich", "subject": subject, "rule": rule, "slice": "all", "severity": "critical",
        "outcome": "pass", "failed": 0, "total": 334, "decision": "publish", "checked_at": AS_OF, **columns,
    }  # fmt: skip


def _runs(warehouse: Any) -> None:
    dags = ("extract_feedback", "enrich_feedback", "resolve_entities", "triage_digest")
    merge.append(
        warehouse,
        "ops.task_runs",
        [
            {"run_id": f"run_{dag.split('_')[0]}", "dag_id": dag, "task_id": "work", "outcome": "success", "counts": {},
             "started_at": AS_OF + timedelta(seconds=n), "finished_at": AS_OF + timedelta(seconds=n + 1)}
            for n, dag in enumerate(dags)
        ],
    )  # fmt: skip
    rules = ("unique_key", "label_in_set", "quote_grounded", "score_range", "exactly_once", "no_personal_data")
    subjects = ("items", "sentiment", "intent", "area", "mentions")
    verdicts = [verdict(subject, rule) for subject in subjects for rule in rules[: 2 if subject == "items" else 6]]
    verdicts[4] |= {"outcome": "fail", "failed": 3, "severity": "warning"}
    merge.append(warehouse, "ops.validations", verdicts)
    merge.append(
        warehouse,
        "ops.quarantine",
        [
            {"subject": "sentiment", "row_key": f"slack:t:{n}", "rule": "quote_grounded", "content_hash": "hash",
             "prompt_version": "0123456789ab", "item_id": f"slack:t:{n}", "severity": "warning",
             "reason": "the quote does not occur in the text", "status": "open", "first_run_id": "run_enrich",
             "last_run_id": "run_enrich"}
            for n in range(3)
        ],
    )  # fmt: skip
    gaps = (
        ("slack_export", "D04PRIVATE", "skipped", "direct_messages", "12 direct messages are never loaded"),
        ("google_play_csv", "reviews_202610.csv", "refused", "broken_row",
         "reviews_202610.csv, row 41: 19 columns instead of 20: export the month again"),
    )  # fmt: skip
    merge.append(
        warehouse,
        "ops.coverage",
        [
            {"source": source, "part": part, "status": status, "reason": reason, "detail": detail,
             "first_run_id": "run_extract", "last_run_id": "run_extract"}
            for source, part, status, reason, detail in gaps
        ],
    )  # fmt: skip
