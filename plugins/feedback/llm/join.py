"""How the answers to the parts of a long text become the answer to the text. A page picks one of these."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from feedback.llm.enrichment import Answer, Join

Parts = Sequence[tuple[int, Answer]]


def vote(*, otherwise: str) -> Join:
    """Return a join: the label that holds more than half of the length, else ``otherwise``; scores are averaged."""

    def join(parts: Parts) -> Answer:
        total = sum(weight for weight, _ in parts)
        held: dict[str, int] = {}
        for weight, answer in parts:
            held[answer["label"]] = held.get(answer["label"], 0) + weight
        label = max(held, key=lambda name: held[name])
        if held[label] * 2 <= total:
            label = otherwise
        averages = {
            name: sum(weight * answer[name] for weight, answer in parts) / total
            for name, value in parts[0][1].items()
            if isinstance(value, int | float)
        }
        return {**parts[0][1], **averages, "label": label, "quote": _longest_quote(parts, label)}

    return join


def first_other_than(nothing: str) -> Join:
    """Return a join: the first answer whose label is not ``nothing``, else the first."""

    def join(parts: Parts) -> Answer:
        return next((answer for _, answer in parts if answer["label"] != nothing), parts[0][1])

    return join


def union(list_field: str, *key: str) -> Join:
    """Return a join: every row of every part, the first of those that share a key."""

    def join(parts: Parts) -> Answer:
        rows: dict[tuple[Any, ...], Answer] = {}
        for _, answer in parts:
            for row in answer[list_field]:
                rows.setdefault(tuple(row[name] for name in key), row)
        return {list_field: list(rows.values())}

    return join


def _longest_quote(parts: Parts, label: str) -> str | None:
    """Return the quote of the heaviest part with this label; where no part has it, of the heaviest with any quote."""
    quoted = [(answer["label"] == label, weight, answer["quote"]) for weight, answer in parts if answer["quote"]]
    return max(quoted, key=lambda entry: entry[:2])[2] if quoted else None
