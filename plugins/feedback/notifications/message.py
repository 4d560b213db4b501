"""An incident as a message in Slack: what happened, which rules, examples, cost, what to do, where to look.

What others wrote has no place in it; what might all the same is escaped, and never read as markup.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from feedback.digest.escape import for_slack

MOST_RULES = 8
MOST_SECTION = 2_900
"""Slack refuses a section of more than 3,000 characters."""

Body = dict[str, Any]


def opening(told: Mapping[str, Any]) -> Body:
    """Return the first message about an incident."""
    parts = [
        ("", told["sentence"]),
        ("", _counted(told["rules"])),
        ("Set aside, for example:", "\n".join(told["examples"])),
        ("What to do:", "\n".join(told["runbook"][:MOST_RULES])),
    ]
    blocks: list[Body] = [
        {"type": "header", "text": _plain(for_slack(f"{told['dag_id']}: {told['what']}", 150))},
        *(_section(title, text) for title, text in parts if text),
        {"type": "context", "elements": [_plain(_cost(told))]},
    ]
    links = [f"<{url}|{name}>" for name, url in told["links"].items() if url.startswith(("https://", "http://"))]
    if links:
        text = " · ".join(links).replace("&", "&amp;")
        blocks.append({"type": "context", "elements": [{"type": "mrkdwn", "text": text, "verbatim": True}]})
    return {"text": for_slack(told["sentence"], MOST_SECTION), "blocks": blocks}


def going_on(told: Mapping[str, Any]) -> Body:
    """Return what a later run adds to the thread of an incident that lasts."""
    again = "Also" if told["count"] == 1 else f"Still so, in run {told['count']}"
    return _line(f"{again}: {told['sentence']}")


def recovered(told: Mapping[str, Any]) -> Body:
    """Return the last words about an incident."""
    runs = "one run" if told["count"] == 1 else f"{told['count']} runs"
    return _line(f"Recovered, after {runs}: {told['key']}.")


def _line(words: str) -> Body:
    text = for_slack(words, MOST_SECTION)
    return {"text": text, "blocks": [{"type": "section", "text": _plain(text)}]}


def _counted(rules: list[Mapping[str, Any]]) -> str:
    lines = [f"{rule['subject']} · {rule['rule']} ({rule['severity']}): {_result(rule)}" for rule in rules]
    more = len(lines) - MOST_RULES
    return "\n".join([*lines[:MOST_RULES], *([f"and {more} more in ops.validations"] if more > 0 else [])])


def _result(rule: Mapping[str, Any]) -> str:
    if rule["outcome"] == "error":
        return "could not be judged"
    counts = f"{rule['failed']:,} of {rule['total']:,} failed"
    if rule["measured"] is None or rule["bound"] is None:
        return counts
    return f"{counts}, measured {rule['measured']:.3g} against {rule['bound']:.3g}"


def _cost(told: Mapping[str, Any]) -> str:
    cost = told["cost_usd"]
    return f"run {told['run_id']} · cost {'unknown' if cost is None else f'US$ {cost:.4f}'}"


def _section(title: str, text: str) -> Body:
    return {"type": "section", "text": _plain(_lines(f"{title}\n{text}".strip()))}


def _lines(text: str) -> str:
    """Escape line by line, for one line is what escaping makes of several."""
    kept: list[str] = []
    room = MOST_SECTION
    for line in text.splitlines():
        escaped = for_slack(line, 600)
        room -= len(escaped) + 1
        if room < 0:
            break
        kept.append(escaped)
    return "\n".join(kept)


def _plain(text: str) -> Body:
    return {"type": "plain_text", "text": text, "emoji": False}
