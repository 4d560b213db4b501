"""The first sentences of a report: what customers say, and what these runs read, published, set aside and refused."""

from __future__ import annotations

from collections.abc import Sequence

from feedback.digest.figures import Cost, Gate
from feedback.digest.rising import Theme
from feedback.digest.runs import Stage
from feedback.digest.wording import NOTHING_RISES, plural, theme_title, words


def headline(stages: Sequence[Stage], gates: Sequence[Gate], unhappy: float | None, themes: Sequence[Theme]) -> str:
    """Return what somebody should know who reads nothing else: a batch that was stopped, or what customers say."""
    items = stages[1].total
    if not items:
        return "Nothing has been read yet."
    if blocked := [words(gate.subject) for gate in gates if gate.is_blocked]:
        return f"The gate blocked {' and '.join(blocked)}: nothing new of it was published."
    if unhappy is None:
        return f"{plural(items, 'item')}, and no feeling published about the last seven days."
    rise = f"Rising most: {theme_title(themes[0])}" if themes else NOTHING_RISES
    return f"{unhappy:.0%} of the last seven days’ voices are unhappy. {rise}."


def progress(stages: Sequence[Stage], set_aside: int, cost: Cost) -> str:
    """Return what these runs did."""
    extracted, _, asked, _, published = stages
    aside = f"{plural(set_aside, 'row')} set aside" if set_aside else "Nothing set aside"
    return f"{_done(extracted, asked, published, cost)} {aside}."


def _done(extracted: Stage, asked: Stage, published: Stage, cost: Cost) -> str:
    if not extracted.this_run and not asked.this_run:
        return f"Nothing new was said, nothing was asked; {plural(published.total, 'item')} stay published."
    read = plural(extracted.this_run, "message or review", "messages and reviews")
    if not asked.this_run:
        return f"{read} were new or changed; no question was owed."
    paid = f" for ${cost.this_run.usd:,.2f}" if cost.this_run.usd else ""
    return f"{read} read; answers about {plural(published.this_run, 'item')} published{paid}."
