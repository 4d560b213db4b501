"""Findings in words."""

from __future__ import annotations

from feedback.model import Verdict


def told(verdict: Verdict) -> str:
    """Return a verdict in a few words: the rule, how many of how many, and what was held against which bound."""
    if verdict.outcome == "error":
        return f"{verdict.rule} could not be judged"
    words = f"{verdict.rule} {verdict.failed}/{verdict.total}"
    if verdict.measured is not None and verdict.bound:
        words += f" (measured {verdict.measured:.3g}, bound {verdict.bound:.3g})"
    return words
