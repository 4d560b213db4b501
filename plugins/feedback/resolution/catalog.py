"""The catalog: names and aliases that people know, written by hand, checked when it is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from feedback.errors import InputRefused
from feedback.resolution.kind import EntityKind
from feedback.resolution.normalise import norm

FIELDS = {"name", "kind", "aliases", "is_competitor"}


@dataclass(frozen=True)
class Entry:
    """One entity that people know, with every spelling they know of it."""

    kind: str
    name: str
    line: int
    aliases: tuple[str, ...] = ()
    is_competitor: bool = False


@dataclass(frozen=True)
class Catalog:
    """Every entry; no name of a kind belongs to two of them.

    :raises InputRefused: one line that names both entries that claim a name.
    """

    entries: tuple[Entry, ...] = ()
    _by_name: dict[tuple[str, str], Entry] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for entry in self.entries:
            for name in (entry.name, *entry.aliases):
                other = self._by_name.setdefault((entry.kind, norm(name)), entry)
                if other is not entry:
                    raise InputRefused(
                        f"line {entry.line}: {name!r} of {entry.name!r} already stands for {other.name!r}"
                        f" (line {other.line}): keep it in one of them"
                    )

    @property
    def names(self) -> list[tuple[str, str]]:
        """Kind and name of everything that is known, as it is written."""
        return [(entry.kind, name) for entry in self.entries for name in (entry.name, *entry.aliases)]

    def find(self, kind: str, norm: str) -> Entry | None:
        """Return the entry that a compared name belongs to, if people know it."""
        return self._by_name.get((kind, norm))


def read(path: Path, kinds: Sequence[EntityKind]) -> Catalog:
    """Return the catalog in a file.

    :raises InputRefused: one line that names the file, the line of the entry, and what to do.
    """
    try:
        text = path.read_text(encoding="utf-8")
        node, content = yaml.compose(text, Loader=yaml.SafeLoader), yaml.safe_load(text)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputRefused(f"{path}: no readable YAML ({' '.join(str(error).split())}): correct the file") from None
    if node is None:
        return Catalog()
    if not isinstance(node, yaml.SequenceNode):
        raise InputRefused(f"{path}: not a list of entries: begin each with '- name:'")
    lines = [entry.start_mark.line + 1 for entry in node.value]
    by_name = {kind.name: kind for kind in kinds}
    try:
        return Catalog(tuple(_entry(entry, line, by_name) for entry, line in zip(content, lines, strict=True)))
    except InputRefused as error:
        raise InputRefused(f"{path} {error}") from None


def _entry(content: Any, line: int, kinds: dict[str, EntityKind]) -> Entry:
    wrong = _what_is_wrong(content, kinds)
    if wrong:
        raise InputRefused(f"line {line}: {wrong}")
    return Entry(
        kind=content["kind"],
        name=content["name"],
        line=line,
        aliases=tuple(content.get("aliases") or ()),
        is_competitor=content.get("is_competitor", False),
    )


def _what_is_wrong(content: Any, kinds: dict[str, EntityKind]) -> str | None:
    if not isinstance(content, dict):
        return "not an entry: begin it with '- name:'"
    unknown = sorted(str(key) for key in content.keys() - FIELDS)
    if unknown:
        return f"{', '.join(unknown)} is no field: write {', '.join(sorted(FIELDS))}"
    if content.get("kind") not in [*kinds]:
        return f"kind {content.get('kind')!r} is not known: write {' or '.join(kinds)}"
    aliases = content.get("aliases") or []
    if not isinstance(aliases, list) or not all(_is_name(name) for name in (content.get("name"), *aliases)):
        return "a name or alias is empty or no text: write every one as text, in quotes if it is a number or yes or no"
    competitor = content.get("is_competitor", False)
    if not isinstance(competitor, bool) or (competitor and not kinds[content["kind"]].may_compete):
        able = " or ".join(kind.name for kind in kinds.values() if kind.may_compete)
        return f"is_competitor is true or false, and true only of a {able}: correct it or leave it out"
    return None


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and bool(norm(value))
