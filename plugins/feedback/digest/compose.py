"""One team's digest as Block Kit.

Slack reads markup only in ``mrkdwn``, where every word is ours. What customers and models wrote stands in
``plain_text``, which Slack never reads, and is escaped all the same.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any

from feedback.digest import wording
from feedback.digest.escape import for_slack, our_link
from feedback.digest.select import Pick, Selection

MOST_BLOCKS = 50
MOST_CHARACTERS = 9_500
"""Slack refuses a message of about 13,000 characters (msg_blocks_too_long) and documents no figure."""
MOST_HEADER = 150
MOST_QUOTE = 280
MOST_WARNINGS = 6

Block = dict[str, Any]
Line = dict[str, Any]

END: Block = {"type": "divider"}
"""Stands after the last line."""


def compose(
    selection: Selection, day: date, hosts: Collection[str] = (), warnings: Sequence[str] = ()
) -> dict[str, Any]:
    """Return the digest: blocks for Slack, the same lines for the report, a sentence for notifications.

    Every word of others is escaped in all of them. Where the lines do not fit, the last are left out and counted.

    :param hosts: where links may lead beside Slack and the stores.
    :param warnings: what the gate published with a warning since the last digest.
    """
    lines = [line(pick, selection, hosts) for pick in selection.picks]
    summary = wording.summary(selection)
    if warnings:
        summary += f" The gate warns of {wording.plural(len(warnings), 'finding')}, see the end."
    blocks = _blocks(selection, day, summary, lines, warnings)
    while _size(blocks) > MOST_CHARACTERS or len(blocks) > MOST_BLOCKS:
        lines.pop()
        blocks = _blocks(selection, day, summary, lines, warnings)
    return {
        "team": selection.team.name,
        "title": for_slack(selection.team.title, 100),
        "date": day.isoformat(),
        "window": {"from": selection.window.start.isoformat(), "to": selection.window.end.isoformat()},
        "text": for_slack(summary, 3_000),
        "notice": wording.sentence(wording.NOT_A_MODEL) if selection.is_offline else None,
        "counts": _counts(selection, lines),
        "lines": lines,
        "blocks": blocks,
    }


def with_lines(digest: Mapping[str, Any], lines: Sequence[Line]) -> dict[str, Any]:
    """Return a digest that has these lines in place of its own."""
    blocks: list[Block] = digest["blocks"]
    said = [block for number, one in enumerate(lines, 1) for block in _line_blocks(number, one)]
    end = blocks.index(END)
    counts = {**digest["counts"], "shown": len(lines)}
    return {**digest, "counts": counts, "lines": list(lines), "blocks": [*blocks[:2], *said, *blocks[end:]]}


def line(pick: Pick, selection: Selection, hosts: Collection[str] = ()) -> Line:
    """Return one item as a reader sees it; the quote is the published one, never the whole text."""
    voice, now = pick.voice, selection.window.end
    return {
        "item_id": for_slack(voice.item_id, 200),
        "reason": for_slack(wording.reason(pick, now), 300),
        "quote": for_slack(pick.quote, MOST_QUOTE) if pick.quote else None,
        "link": our_link(voice.permalink, hosts),
        "source": for_slack(wording.origin(voice), 80),
        "stars": wording.stars(voice.rating),
        "age": wording.age(voice.last_activity_at, now),
        "is_stale": voice.is_stale,
    }


def _blocks(selection: Selection, day: date, summary: str, lines: list[Line], warnings: Sequence[str]) -> list[Block]:
    header = f"{selection.team.title} · {day.day} {day:%B %Y}"
    left_out = selection.matters - len(lines)
    blocks: list[Block] = [
        {"type": "header", "text": _plain(for_slack(header, MOST_HEADER))},
        {"type": "section", "text": _plain(for_slack(summary, 3_000))},
    ]
    for number, said in enumerate(lines, 1):
        blocks += _line_blocks(number, said)
    blocks.append(END)
    blocks.append({"type": "context", "elements": [_plain(_footer(selection, left_out))]})
    if warnings:
        told = for_slack(f"Read with care, the gate warns: {', '.join(warnings[:MOST_WARNINGS])}", 1_000)
        more = f" and {len(warnings) - MOST_WARNINGS} more" if len(warnings) > MOST_WARNINGS else ""
        blocks.append({"type": "context", "elements": [_plain(told + more)]})
    return blocks


def _line_blocks(number: int, said: Line) -> list[Block]:
    link = f"  <{_in_link(said['link'])}|Read it>" if said["link"] else ""
    about = " · ".join(part for part in (said["source"], said["stars"], said["age"], _stale(said)) if part)
    reason: Block = {"type": "section", "text": _mrkdwn(f"*{number}.* {said['reason']}{link}")}
    quote: list[Block] = [{"type": "section", "text": _plain(f"“{said['quote']}”")}] if said["quote"] else []
    return [reason, *quote, {"type": "context", "elements": [_plain(about)]}]


def _footer(selection: Selection, left_out: int) -> str:
    window = selection.window
    parts = [f"{window.start:%d %b %H:%M} to {window.end:%d %b %H:%M} UTC, public sources only"]
    if left_out:
        parts.append(f"{wording.plural(left_out, 'more item')} not shown")
    if selection.is_offline:
        parts.append(wording.NOT_A_MODEL)
    return " · ".join(parts)


def _counts(selection: Selection, lines: list[Line]) -> dict[str, int]:
    return {
        "heard": selection.heard,
        "matters": selection.matters,
        "shown": len(lines),
        "unanswered": selection.unanswered,
        "negative": selection.negative,
        "rising": len(selection.themes),
    }


def _stale(said: Line) -> str:
    return "the text has changed since it was labelled" if said["is_stale"] else ""


def _in_link(url: str) -> str:
    return url.replace("&", "&amp;")


def _plain(text: str) -> Block:
    return {"type": "plain_text", "text": text, "emoji": False}


def _mrkdwn(text: str) -> Block:
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _size(blocks: list[Block]) -> int:
    return len(json.dumps(blocks, ensure_ascii=False))
