"""Play Console's monthly review reports: one CSV or a folder of them, as they are downloaded.

A review comes again in a later month when it was edited; the later edit counts, whatever is loaded first.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from feedback.model import Batch, Gap
from feedback.sources import google_play_rows
from feedback.sources.base import Finding, Part, Past, Source, Unreadable, load_id, newest
from feedback.sources.fields import BadRowError
from feedback.sources.google_play_rows import COLUMNS
from feedback.sources.named_files import examined, named_files

VARIABLE = "FEEDBACK_GOOGLE_PLAY_CSV"
MOST_ROWS = 20_000
LARGEST_CELL = 2**20
BOMS = (
    (codecs.BOM_UTF32_LE, None),  # begins like UTF-16
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (codecs.BOM_UTF8, "utf-8-sig"),
)


@dataclass(frozen=True)
class GooglePlayCsv(Source):
    """The reviews and ratings in Play Console's reports."""

    path: Path
    name: str = "google_play_csv"
    kind = "google_play"

    def extract(self, past: Past) -> Iterator[Batch | Gap]:
        for found in named_files(self.name, self.path, ".csv", VARIABLE):
            if isinstance(found, Gap):
                yield found
                continue
            part = found.part
            if past.refused_whole(part) or load_id(self.name, [part]) in past.loads:
                yield from past.refusals(part.name, part.sha)
            else:
                yield from self._file(part, found.content)

    def examine(self, past: Past) -> Iterator[Finding]:
        yield examined(self.name, self.path, ".csv", VARIABLE)

    def _file(self, part: Part, content: bytes) -> Iterator[Batch | Gap]:
        try:
            rows = _records(_decoded(content, part.name), part.name)
            bad: list[tuple[int, str]] = []
            yield from self._batches(part, _good(rows, bad), bad)
        except Unreadable as refused:
            yield refused.gap(self.name, part.name, part.sha)

    def _batches(self, part: Part, good: Iterator[dict], bad: list[tuple[int, str]]) -> Iterator[Batch | Gap]:
        """Yield the rows in batches; the last carries the file's own identity: once it is loaded, all are.

        What is left out comes before it.
        """
        number, rows = 0, list(islice(good, MOST_ROWS))
        if bad and not rows:
            yield replace(self._gap(part, bad), row_count=None)
        while rows:
            following = list(islice(good, MOST_ROWS))
            if bad and not following:
                yield self._gap(part, bad)
            identity = load_id(self.name, [part], number) if following else load_id(self.name, [part])
            latest = newest(((row["app_id"], row["review_id"]), row["updated_at"], row) for row in rows)
            yield Batch(self.name, part.name, "raw.app_reviews", latest, identity)
            number, rows = number + 1, following

    def _gap(self, part: Part, bad: list[tuple[int, str]]) -> Gap:
        numbers = ", ".join(str(number) for number, _ in bad[:10]) + (", …" if len(bad) > 10 else "")
        detail = f"{part.name}: row {numbers} left out ({bad[0][1]})"
        return Gap(self.name, part.name, "refused", "bad_row", detail, len(bad), part.sha)


def _decoded(content: bytes, name: str) -> str:
    """Return the text of a report: UTF-16 as it is downloaded, UTF-8 as people save it."""
    encoding = next((encoding for bom, encoding in BOMS if content.startswith(bom)), "utf-8")
    found = _guess(content) if encoding is None or (encoding == "utf-8" and b"\0" in content[:200]) else None
    try:
        if found is None and encoding:
            return content.decode(encoding)
    except UnicodeDecodeError:
        found = "damaged UTF-16" if encoding == "utf-16" else _guess(content)
    raise Unreadable("wrong_encoding", f"{name} is {found}, not UTF-16 or UTF-8: download it from Play Console again")


def _guess(content: bytes) -> str:
    if content.startswith(codecs.BOM_UTF32_LE):
        return "UTF-32"
    return "UTF-16 without its mark" if b"\0" in content else "Latin-1 or Windows-1252"


def _records(text: str, name: str) -> Iterator[tuple[int, dict[str, str] | None]]:
    """Yield each row with its number as a spreadsheet counts, the header being 1; None for one of another width."""
    csv.field_size_limit(LARGEST_CELL)
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        header = [column.strip() for column in next(reader, [])]
        if missing := [column for column in COLUMNS if column not in header]:
            raise Unreadable("missing_column", f"{name} has no column {missing[0]!r}: download it from Play Console")
        for number, cells in enumerate(reader, 2):
            if cells:
                yield number, dict(zip(header, cells, strict=True)) if len(cells) == len(header) else None
    except csv.Error:
        raise Unreadable("broken_csv", f"{name} is broken near line {reader.line_num}: download it again") from None


def _good(records: Iterator[tuple[int, dict[str, str] | None]], bad: list[tuple[int, str]]) -> Iterator[dict]:
    """Yield the rows that are reviews and note the others."""
    for number, cells in records:
        try:
            if cells is None:
                raise BadRowError("another number of columns than the header")
            yield google_play_rows.row(cells)
        except BadRowError as problem:
            bad.append((number, str(problem)))
