"""What a source is: something that hands over raw rows in batches and says what it could not read."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

from feedback.errors import InputRefused
from feedback.model import Batch, Gap, Memory, Renamed, Walked, digest

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Part:
    """A file inside a source, known by name and content, not yet parsed."""

    name: str
    size: int
    sha: str


@dataclass(frozen=True)
class Past:
    """What earlier runs know of a source, so that nothing is read twice.

    :param loads: the load ids in the ledger.
    :param gaps: what was refused before.
    :param teams: the workspace under which a Slack channel was loaded first, by channel id.
    :param state: what the source asked to be remembered, by part.
    :param rows: finds more in the warehouse, by SQL and its values.
    """

    loads: frozenset[str] = frozenset()
    gaps: tuple[Gap, ...] = ()
    teams: Mapping[str, str] = field(default_factory=dict)
    state: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    rows: Callable[[str, Sequence[Any]], Rows] = lambda sql, params: ()

    def refusals(self, part: str, fingerprint: str) -> list[Gap]:
        """What was refused of a part when it had this very content."""
        return [gap for gap in self.gaps if (gap.part, gap.fingerprint) == (part, fingerprint)]

    def refused_whole(self, part: Part) -> list[Gap]:
        """Why nothing of a file could be read, if so: it will not be parsed again."""
        return [gap for gap in self.refusals(part.name, part.sha) if gap.row_count is None]


@dataclass(frozen=True)
class Expected:
    """What the next run of a source would cost.

    :param calls: requests to its API; none for files.
    :param minutes: that they take at the pace its API allows.
    :param rows: that they bring, where that can be told.
    :param runs: until it has everything, at the most minutes a run may take.
    """

    calls: int = 0
    minutes: float = 0.0
    rows: int | None = None
    runs: int = 1
    note: str = ""


@dataclass(frozen=True)
class Finding:
    """What one look at what is configured found. ``is_fine`` is None where a person need not mend it."""

    what: str
    is_fine: bool | None
    line: str


class Source(ABC):
    """Where customers' words come from.

    ``extract`` may be called again at any time: what ``past`` knows is not parsed again, and a gap that is
    still there is named again. It raises ``InputRefused``, ``OSError`` or another error of ours where the
    source as a whole cannot be read; what it handed over before is kept.

    :cvar kind: the ``source`` of the items it brings; left empty, its name.
    :cvar pool: the Airflow pool in which it is read.
    :ivar minutes: the most that a run spends on calls; none for files.
    """

    name: str
    minutes: float = 0
    kind: ClassVar[str] = ""
    pool: ClassVar[str] = "feedback"

    @property
    def item_source(self) -> str:
        """The ``source`` of the items it brings."""
        return self.kind or self.name

    @property
    def hosts(self) -> tuple[str, ...]:
        """Where the links of its texts may lead; others are not published."""
        return ()

    @abstractmethod
    def extract(self, past: Past) -> Iterator[Batch | Gap | Walked | Memory | Renamed]:
        """Yield what is new, what could not be read, which stretches were read whole, and what to remember."""

    def expected(self, past: Past) -> Expected:
        """Return what the next run would cost, reading no more than a list of channels."""
        return Expected(note="no calls: only what is new by content is read")

    def examine(self, past: Past) -> Iterator[Finding]:
        """Yield what a person should know or mend before the next run, one line each."""
        return iter(())


class Unreadable(InputRefused):
    """A part of a source that is not what it is said to be; its reason is the word in ``ops.coverage``."""

    def __init__(self, reason: str, detail: str):
        super().__init__(detail)
        self.reason = reason

    def gap(self, source: str, part: str, fingerprint: str | None) -> Gap:
        """Return the row of ``ops.coverage``."""
        return Gap(source, part, "refused", self.reason, str(self), fingerprint=fingerprint)


def fingerprint(content: bytes) -> str:
    """Return what tells two contents apart."""
    return hashlib.sha256(content).hexdigest()


def load_id(source: str, parts: Iterable[Part], *meaning: object) -> str:
    """Return the identity of a load: same files, same content, read in the same meaning."""
    return digest(source, *meaning, *(f"{part.name}\n{part.sha}" for part in parts))


def grouped(parts: Iterable[Part], most_bytes: int = 8_000_000, most_parts: int = 2_000) -> Iterator[list[Part]]:
    """Yield parts in groups small enough for memory and few enough for a warehouse."""
    group: list[Part] = []
    size = 0
    for part in parts:
        if group and (size + part.size > most_bytes or len(group) == most_parts):
            yield group
            group, size = [], 0
        group.append(part)
        size += part.size
    if group:
        yield group


Key = TypeVar("Key")
Row = TypeVar("Row")


def newest(rows: Iterable[tuple[Key, object, Row]]) -> list[Row]:
    """Return one row a key, the one whose version sorts last; of equals the later in order."""
    best: dict[Key, tuple[object, Row]] = {}
    for key, version, row in rows:
        if key not in best or version >= best[key][0]:  # type: ignore[operator]
            best[key] = version, row
    return [row for _, row in best.values()]
