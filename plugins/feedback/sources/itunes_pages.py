"""Saved JSON pages of the public iTunes reviews feed: a file or a folder of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from feedback.model import Batch, Gap
from feedback.sources.base import Finding, Part, Past, Source, Unreadable, grouped, load_id, newest
from feedback.sources.itunes_rows import reviews
from feedback.sources.json_file import parse
from feedback.sources.named_files import examined, named_files

VARIABLE = "FEEDBACK_ITUNES_PAGES"


@dataclass(frozen=True)
class ItunesPages(Source):
    """The reviews in saved pages of the feed."""

    path: Path
    name: str = "itunes_pages"
    kind = "itunes"

    def extract(self, past: Past) -> Iterator[Batch | Gap]:
        parts: list[Part] = []
        files: dict[str, Path] = {}
        for found in named_files(self.name, self.path, ".json", VARIABLE):
            if isinstance(found, Gap):
                yield found
                continue
            parts.append(found.part)
            files[found.part.name] = found.path
        for group in grouped(parts):
            yield from self._pages(group, files, past)

    def examine(self, past: Past) -> Iterator[Finding]:
        yield examined(self.name, self.path, ".json", VARIABLE)

    def _pages(self, group: list[Part], files: Mapping[str, Path], past: Past) -> Iterator[Batch | Gap]:
        identity = load_id(self.name, group)
        rows: list[dict[str, Any]] = []
        for part in group:
            if identity in past.loads or past.refused_whole(part):
                yield from past.refusals(part.name, part.sha)
                continue
            try:
                found, bad = reviews(parse(files[part.name].read_bytes(), part.name), part.name)
            except Unreadable as refused:
                yield refused.gap(self.name, part.name, part.sha)
                continue
            rows += found
            if bad:
                detail = f"{part.name}: {bad} entries are no reviews and were left out"
                yield Gap(self.name, part.name, "refused", "bad_entry", detail, bad, part.sha)
        if rows:
            latest = newest(((r["app_id"], r["review_id"]), r["updated_at"] or datetime.min, r) for r in rows)
            span = group[0].name if len(group) == 1 else f"{group[0].name} … {group[-1].name}"
            yield Batch(self.name, span, "raw.app_reviews", latest, identity)
