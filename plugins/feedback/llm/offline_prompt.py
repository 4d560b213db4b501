"""What a request asks, read from its prompt as any service would have to: keys, codes and the order of numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from feedback.llm.questions import ANSWER, HEADING
from feedback.llm.wire import NUMBERS

SECTION = re.compile(
    rf"^{HEADING}(\w+)\n(.*?)^{ANSWER} `(\w+)`, (as|a list)[^\n{{]*\{{([^\n]+)\}}\.$", re.MULTILINE | re.DOTALL
)
LABEL = re.compile(r"^- `([^`]+)` = ([^:]+): (.+)$", re.MULTILINE)
WORD = re.compile(r"`(\w+)`: (\w+)")


@dataclass(frozen=True)
class Asked:
    """One question of a request.

    :param key: under which it is answered.
    :param labels: each with what the prompt says about it.
    :param codes: label to code.
    :param keys: name of a field to its key, of fields that have one; ``numbers``: the names of the others.
    """

    name: str
    key: str
    is_list: bool
    labels: Mapping[str, str]
    codes: Mapping[str, str]
    keys: Mapping[str, str]
    numbers: tuple[str, ...]

    def sent(self, answer: Mapping[str, Any]) -> dict[str, Any]:
        """Return a row of an answer as it travels."""
        words = {key: self.codes.get(answer[name], answer[name]) for name, key in self.keys.items()}
        return words | {NUMBERS: [_whole(answer[name]) for name in self.numbers]}


@lru_cache(maxsize=32)
def questions(prompt: str) -> tuple[Asked, ...]:
    """Return the questions that a prompt asks."""
    return tuple(_question(*section.groups()) for section in SECTION.finditer(prompt))


def _question(name: str, text: str, key: str, form: str, fields: str) -> Asked:
    labels = LABEL.findall(text)
    named, _, numbers = fields.partition(f"`{NUMBERS}`: [")
    return Asked(
        name=name,
        key=key,
        is_list=form == "a list",
        labels={label: f"{label.replace('_', ' ')} {explained}" for _, label, explained in labels},
        codes={label: code for code, label, _ in labels},
        keys={field: code for code, field in WORD.findall(named)},
        numbers=tuple(re.findall(r"\w+", numbers)),
    )


def _whole(value: float | int | None) -> int:
    return value if isinstance(value, int) else round((value or 0.0) * 100)
