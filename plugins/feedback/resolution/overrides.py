"""What people decided about pairs of names: it holds in every run, whatever letters or models say."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from feedback.errors import InputRefused
from feedback.resolution.catalog import Catalog
from feedback.resolution.kind import EntityKind
from feedback.resolution.normalise import norm

FIELDS = {"kind", "same", "different", "author", "reason"}
VERDICTS = {"must_link": True, "cannot_link": False}


@dataclass(frozen=True)
class Override:
    """Two names of a kind that a person calls the same, or not the same.

    :param where: the line or row it stands in, as a person is told.
    """

    kind: str
    pair: tuple[str, str]
    is_same: bool
    author: str
    where: str


def read(path: Path, kinds: Sequence[EntityKind]) -> list[Override]:
    """Return what a file says; nothing where there is none.

    :raises InputRefused: one line that names the file, the line of the entry, and what to do.
    """
    try:
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        node, content = yaml.compose(text, Loader=yaml.SafeLoader), yaml.safe_load(text)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputRefused(f"{path}: no readable YAML ({' '.join(str(error).split())}): correct the file") from None
    if node is None:
        return []
    if not isinstance(node, yaml.SequenceNode):
        raise InputRefused(f"{path}: not a list of entries: begin each with '- kind:'")
    lines = [entry.start_mark.line + 1 for entry in node.value]
    known = {kind.name for kind in kinds}
    return [_entry(entry, f"{path} line {line}", known) for entry, line in zip(content, lines, strict=True)]


def from_rows(rows: Iterable[Mapping[str, Any]], kinds: Sequence[EntityKind]) -> list[Override]:
    """Return what rows of ``ops.entity_overrides`` say about these kinds.

    :raises InputRefused: a verdict is none.
    """
    known = {kind.name for kind in kinds}
    found = []
    for row in rows:
        where = f"ops.entity_overrides {row['override_id']}"
        if row["verdict"] not in VERDICTS:
            raise InputRefused(f"{where}: verdict is must_link or cannot_link: correct the row")
        if row["kind"] in known:
            pair = norm(row["norm"]), norm(row["other_norm"])
            found.append(_checked(row["kind"], pair, VERDICTS[row["verdict"]], row["author"], where))
    return found


def refuse_contradictions(overrides: Sequence[Override], catalog: Catalog) -> None:
    """Make sure that what people say can all be true.

    :raises InputRefused: one line that names what contradicts what.
    """
    together = _together(overrides, catalog)
    for override in overrides:
        if not override.is_same and (path := _path(together, override.kind, *override.pair)):
            raise InputRefused(
                f"{override.where} keeps {override.pair[0]!r} and {override.pair[1]!r} apart, but"
                f" {' and '.join(path)} make them the same: remove one of them"
            )
    for override in overrides:
        if override.is_same:
            _refuse_two_entries(override, together, catalog)


def undecided(
    pairs: Iterable[tuple[str, str]], kind: str, overrides: Sequence[Override], catalog: Catalog
) -> list[tuple[str, str]]:
    """Return the pairs of names of a kind about which people have said nothing, be it by way of other names.

    Two entries of the catalog are two things.
    """
    apart = {frozenset(one.pair) for one in overrides if one.kind == kind and not one.is_same}
    together = _together(overrides, catalog)
    return [
        pair
        for pair in pairs
        if frozenset(pair) not in apart
        and not all(catalog.find(kind, norm) for norm in pair)
        and _path(together, kind, *pair) is None
    ]


def _together(overrides: Iterable[Override], catalog: Catalog) -> dict[tuple[str, str], list[tuple[str, str]]]:
    """Return of each name those that people call the same, and where that stands."""
    together: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    for kind, one, other, where in (*_said_same(overrides), *_of_catalog(catalog)):
        together[kind, one].append((other, where))
        together[kind, other].append((one, where))
    return together


def _entry(content: Any, where: str, kinds: set[str]) -> Override:
    if not isinstance(content, dict) or (unknown := content.keys() - FIELDS):
        named = f"{', '.join(sorted(map(str, unknown)))} is no field" if isinstance(content, dict) else "not an entry"
        raise InputRefused(f"{where}: {named}: write {', '.join(sorted(FIELDS))}")
    if content.get("kind") not in kinds:
        raise InputRefused(f"{where}: kind {content.get('kind')!r} is not known: write {' or '.join(sorted(kinds))}")
    said = [word for word in ("same", "different") if word in content]
    names = content.get(said[0]) if len(said) == 1 else None
    if not isinstance(names, list) or len(names) != 2 or not all(isinstance(name, str) for name in names):
        raise InputRefused(f"{where}: write either same or different, with a list of two names")
    if not isinstance(content.get("author"), str):
        raise InputRefused(f"{where}: no author: write who decided it")
    pair = norm(names[0]), norm(names[1])
    return _checked(content["kind"], pair, said[0] == "same", content["author"], where)


def _checked(kind: str, pair: tuple[str, str], is_same: bool, author: str, where: str) -> Override:
    if not all(pair) or pair[0] == pair[1]:
        raise InputRefused(f"{where}: two names that compare as one, or an empty one: write two different names")
    return Override(kind, pair, is_same, author, where)


def _said_same(overrides: Iterable[Override]) -> list[tuple[str, str, str, str]]:
    return [(one.kind, *one.pair, one.where) for one in overrides if one.is_same]


def _of_catalog(catalog: Catalog) -> list[tuple[str, str, str, str]]:
    return [
        (entry.kind, norm(entry.name), norm(alias), f"the catalog's line {entry.line}")
        for entry in catalog.entries
        for alias in entry.aliases
        if norm(alias) != norm(entry.name)
    ]


def _path(
    together: Mapping[tuple[str, str], list[tuple[str, str]]], kind: str, start: str, end: str
) -> list[str] | None:
    """Return where it stands that two names are the same, or None."""
    came: dict[str, list[str]] = {start: []}
    queue = deque([start])
    while queue:
        name = queue.popleft()
        if name == end:
            return list(dict.fromkeys(came[name]))
        for other, where in together.get((kind, name), ()):
            if other not in came:
                came[other] = [*came[name], where]
                queue.append(other)
    return None


def _refuse_two_entries(
    override: Override, together: Mapping[tuple[str, str], list[tuple[str, str]]], catalog: Catalog
) -> None:
    """Refuse an override that would make one of two entries of the catalog."""
    reached = {
        entry.line: entry
        for entry in catalog.entries
        if entry.kind == override.kind
        and _path(together, override.kind, override.pair[0], norm(entry.name)) is not None
    }
    if len(reached) > 1:
        lines = " and ".join(f"line {line} ({entry.name!r})" for line, entry in sorted(reached.items()))
        raise InputRefused(
            f"{override.where} makes one of two entries of the catalog, {lines}: remove it, or make them one entry"
        )
