"""Reviews that a store's API or feed lists now, against what is stored of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from feedback.errors import FeedbackError
from feedback.model import Batch, Gap, digest
from feedback.sources.base import Past
from feedback.sources.fields import BadRowError
from feedback.warehouse.merge import RAW

Row = dict[str, Any]
ROWS_A_LOAD = 2_000
"""A page of an API is too little for a warehouse to load by itself."""
TABLE = RAW["raw.app_reviews"]
STORED = f"""
    select
        review_id, row_hash, updated_at, replied_at, is_deleted, {", ".join(TABLE.lasting)},
        case when {TABLE.final} then 1 else 0 end as is_final
    from raw.app_reviews
    where store = ? and app_id = ? and review_id in ({{}})
"""


def readable(entries: Iterable[Any], read: Callable[[Any], Row], bad: list[str]) -> list[Row]:
    """Return the rows of the entries that are reviews, each once, and note why the others are none."""
    rows: dict[str, Row] = {}
    for entry in entries:
        try:
            row = read(entry)
        except BadRowError as problem:
            bad.append(str(problem))
        else:
            rows.setdefault(row["review_id"], row)
    return list(rows.values())


def changed(past: Past, rows: list[Row]) -> list[Row]:
    """Return the reviews of one app that a load would store: new, edited, answered, or taken for gone.

    What was erased or has expired is still listed, and stays out.
    """
    if not rows:
        return []
    ids = [row["review_id"] for row in rows]
    found = past.rows(STORED.format(", ".join("?" * len(ids))), (rows[0]["store"], rows[0]["app_id"], *ids))
    stored = {row["review_id"]: row for row in found}
    return [row for row in rows if row["review_id"] not in stored or _is_news(row, stored[row["review_id"]])]


def _is_news(row: Row, stored: Mapping[str, Any]) -> bool:
    if stored["is_deleted"]:
        return not stored["is_final"] and _edited(row) >= _edited(stored)
    if any(stored[name] is None and row.get(name) is not None for name in TABLE.lasting):
        return True
    is_same = all(row.get(name) == stored[name] for name in ("row_hash", "updated_at", "replied_at"))
    return not is_same and _edited(row) >= _edited(stored)


def _edited(row: Mapping[str, Any]) -> datetime:
    return row.get("updated_at") or datetime.min


def batches(source: str, part: str, started: datetime, pages: Iterable[list[Row]]) -> Iterator[Batch]:
    """Yield what pages bring, some thousand rows a load; what came before a page that fails comes before its error.

    Read again at another time it is another load: a review may be changed back.
    """
    waiting: dict[str, Row] = {}
    number = 0
    try:
        for rows in pages:
            waiting = {row["review_id"]: row for row in rows} | waiting  # pages shift: one may come twice
            if len(waiting) >= ROWS_A_LOAD:
                yield _batch(source, part, started, number, waiting)
                waiting, number = {}, number + 1
    except FeedbackError:
        yield from [_batch(source, part, started, number, waiting)] if waiting else []
        raise
    yield from [_batch(source, part, started, number, waiting)] if waiting else []


def _batch(source: str, part: str, started: datetime, number: int, rows: Mapping[str, Row]) -> Batch:
    identity = digest(source, part, started, number, *(f"{name} {row['row_hash']}" for name, row in rows.items()))
    return Batch(source, part, "raw.app_reviews", list(rows.values()), identity, is_live=True)


def left_out(source: str, part: str, bad: list[str]) -> list[Gap]:
    """Return what a person should know of entries that are no reviews."""
    if not bad:
        return []
    detail = f"{len(bad)} entries of {part} are no reviews and were left out ({bad[0]})"
    return [Gap(source, part, "refused", "bad_entry", detail, len(bad))]
