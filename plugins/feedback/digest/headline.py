"""The first sentence of a report: what these runs read, published, set aside and refused."""

from __future__ import annotations

from collections.abc import Sequence

from feedback.digest.figures import Cost, Gate
from feedback.digest.runs import Stage
from feedback.digest.wording import plural, words


def headline(stages: Sequence[Stage], gates: Sequence[Gate], set_aside: int, cost: Cost) -> str:
    """Return what somebody should know who reads nothing else."""
    extracted, items, asked, _, published = stages
    if not items.total:
        return "Nothing has been read yet."
    return f"{_done(extracted, asked, published, cost)} {_verdict(gates, set_aside)}"


def _done(extracted: Stage, asked: Stage, published: Stage, cost: Cost) -> str:
    if not extracted.this_run and not asked.this_run:
        return f"Nothing new was said, nothing was asked; {plural(published.total, 'item')} stay published."
    read = plural(extracted.this_run, "message or review", "messages and reviews")
    if not asked.this_run:
        return f"{read} were new or changed; no question was owed."
    paid = f" for ${cost.this_run.usd:,.2f}" if cost.this_run.usd else ""
    return f"{read} read; answers about {plural(published.this_run, 'item')} published{paid}."


def _verdict(gates: Sequence[Gate], set_aside: int) -> str:
    blocked = [words(gate.subject) for gate in gates if gate.is_blocked]
    aside = f"{plural(set_aside, 'row')} set aside" if set_aside else "Nothing set aside"
    if blocked:
        return f"The gate blocked {' and '.join(blocked)}: nothing new of it was published. {aside}."
    return f"{aside}, nothing blocked."
