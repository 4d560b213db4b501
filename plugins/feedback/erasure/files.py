"""An erasure in the files beside the warehouse: reports and digests that tell of an item, copies."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from feedback.digest.compose import with_lines


@dataclass(frozen=True)
class Places:
    """Where files with customers' words lie.

    :param report: folder of the report, which is written anew by the next run.
    :param digests: folder of the digests.
    :param warehouse: the embedded warehouse's file; copies lie beside it. None where the warehouse is no file.
    :param copies: folder of the copies that people make.
    :param journal: folder of what killed tasks have paid for and nobody has brought into the ledger yet.
    """

    report: Path
    digests: Path
    warehouse: Path | None
    copies: Path
    journal: Path


def telling(places: Places, items: Collection[str], names: Collection[str]) -> list[Path]:
    """Return the report and the digests that may tell of the items or name the names."""
    if not items:
        return []
    reports = sorted(places.report.glob("*.html")) if places.report.is_dir() else []
    digests = sorted(places.digests.glob("*.json")) if places.digests.is_dir() else []
    return [*reports, *(path for path in digests if tells(path.read_text("utf-8", "replace"), items, names))]


def copies(places: Places, before: datetime | None = None) -> list[Path]:
    """Return the copies of the warehouse, of which each may hold the words; with ``before`` those that are older."""
    found = sorted(path for path in _copies(places) if path.is_file())
    return [path for path in found if before is None or _written(path) < before]


def remove(paths: Collection[Path]) -> None:
    """Remove files; one that has gone meanwhile is no trouble."""
    for path in paths:
        path.unlink(missing_ok=True)


def tells(digest: str, items: Collection[str], names: Collection[str]) -> bool:
    """Say whether a digest has a line about an item or says a name; what cannot be read is taken to."""
    try:
        told = {line["item_id"] for line in json.loads(digest)["lines"]}
    except (ValueError, KeyError, TypeError):
        return True
    return not told.isdisjoint(items) or _say(digest, names)


def without(digest: str, items: Collection[str], names: Collection[str]) -> str | None:
    """Return what is left of a digest without the lines about the items or with the names; None where that tells too.

    What cannot be read is nothing that is left.
    """
    try:
        told = json.loads(digest)
        lines = [
            one
            for one in told["lines"]
            if one["item_id"] not in items and not _say(json.dumps(one, ensure_ascii=False), names)
        ]
        left = json.dumps(with_lines(told, lines), ensure_ascii=False)
    except (ValueError, KeyError, TypeError):
        return None
    return None if tells(left, items, names) else left


def _say(text: str, names: Collection[str]) -> bool:
    said = _words(text)
    return any(_words(name) in said for name in names)


def _words(text: str) -> str:
    """The words of a text, each between blanks."""
    return " ".join(["", *re.findall(r"\w+", text.casefold()), ""])


def _copies(places: Places) -> Iterator[Path]:
    yield from places.copies.glob("*.duckdb*")
    if places.warehouse:
        name = places.warehouse.name
        yield from places.warehouse.parent.glob(f"{name}.before-*")
        yield from places.warehouse.parent.glob(f"{name}*.part")


def _written(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC).replace(tzinfo=None)
