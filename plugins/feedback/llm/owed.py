"""What is owed: the questions about live items that have no answer yet; found on the data, never by a watermark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from feedback.llm.enrichment import Enrichment
from feedback.model import Run, content_hash, utc_now
from feedback.warehouse.base import Warehouse

OFFLINE = "offline"
"""Name of the offline model in every ``model`` column."""

QUIET = timedelta(hours=2)
"""A Slack thread that was active since then may still grow: it waits."""

LONGEST = timedelta(hours=24)
"""But not longer than this after its last answer."""

MOVED = (
    "(answers.item_id is null or answers.status in ('pending', 'unasked') or wanted.item_id is not null"
    " or answers.content_hash <> items.content_hash or answers.prompt_version <> asked.prompt_version)"
)
WANTED = """
    select distinct item_id, subject as enrichment, content_hash, prompt_version
    from ops.quarantine where status = 'ask_again'
"""
"""What was set aside and a person wants asked again."""


@dataclass
class Owed:
    """One item and the questions it owes, in the order of the registry; ``afresh``: of those a person wants asked
    again, so that what was paid before is no answer."""

    item_id: str
    text: str
    rating: int | None
    content_hash: str
    enrichments: tuple[str, ...] = ()
    afresh: tuple[str, ...] = ()

    @cached_property
    def key(self) -> str:
        """What items with the same words and rating share."""
        return content_hash(self.text, self.rating)


def owed(
    warehouse: Warehouse, enrichments: Sequence[Enrichment], *, is_offline: bool, as_of: datetime | None = None
) -> list[Owed]:
    """Return every live askable item with the questions it owes.

    A question is owed without an answer, after its text or prompt moved, while it is pending, and when a person
    says so. A real model also answers again what the offline model answered; the offline model never replaces a
    real answer.
    """
    now = as_of or utc_now()
    real = f"{MOVED} or (answers.status = 'answered' and answers.model = '{OFFLINE}')"
    found = warehouse.arrow(
        f"""
        with asked as ({_registry(enrichments)}),
        standing as ({_standing(enrichments)}),
        wanted as ({WANTED})
        select
            items.item_id, items.text, items.rating, items.content_hash, asked.enrichment,
            wanted.item_id is not null
            or coalesce(answers.status = 'pending' and answers.reason = 're-asked', false) as is_afresh
        from feedback.items as items
        cross join asked
        left join ops.answers as answers
            on answers.item_id = items.item_id and answers.enrichment = asked.enrichment
        left join standing
            on standing.item_id = items.item_id and standing.enrichment = asked.enrichment
        left join wanted
            on wanted.item_id = items.item_id and wanted.enrichment = asked.enrichment
            and wanted.content_hash = items.content_hash and wanted.prompt_version = asked.prompt_version
        where items.is_askable
            and (items.source <> 'slack' or items.last_activity_at <= ? or answers.answered_at <= ?)
            and ({f"{MOVED} and standing.item_id is null" if is_offline else real})
        order by items.item_id, asked.turn
        """,
        (now - QUIET, now - LONGEST),
    )
    items: dict[str, Owed] = {}
    for batch in found.to_batches(max_chunksize=5_000):
        for row in batch.to_pylist():
            enrichment, is_afresh = row.pop("enrichment"), row.pop("is_afresh")
            item = items.setdefault(row["item_id"], Owed(**row))
            item.enrichments += (enrichment,)
            item.afresh += (enrichment,) * is_afresh
    return list(items.values())


def mark_unasked(warehouse: Warehouse, enrichments: Sequence[Enrichment], run: Run) -> int:
    """Note in ``ops.answers`` which items are not asked about, and why; return how many questions that concerns."""
    unasked = f"""
        select items.item_id, asked.enrichment, items.content_hash, asked.prompt_version, items.unasked_reason
        from feedback.items as items
        cross join ({_registry(enrichments)}) as asked
        left join ops.answers as answers
            on answers.item_id = items.item_id and answers.enrichment = asked.enrichment
        where not items.is_askable
            and (answers.item_id is null or answers.status <> 'unasked' or answers.content_hash <> items.content_hash)
        """
    count = int(warehouse.rows(f"select count(*) as n from ({unasked}) as unasked")[0]["n"])
    if count:
        columns = "item_id, enrichment, status, content_hash, prompt_version, rows_out, reason, run_id"
        warehouse.transact(
            [
                "delete from ops.answers using incoming.unasked as unasked"
                " where ops.answers.item_id = unasked.item_id and ops.answers.enrichment = unasked.enrichment",
                (
                    f"insert into ops.answers ({columns}) select item_id, enrichment, 'unasked', content_hash,"
                    " prompt_version, 0, unasked_reason, ? from incoming.unasked",
                    (run.run_id,),
                ),
            ],
            {"unasked": unasked},
        )
    return count


def _registry(enrichments: Sequence[Enrichment]) -> str:
    """The questions as a relation, in their order."""
    return " union all ".join(
        f"select '{e.name}' as enrichment, '{e.prompt_version}' as prompt_version, {turn} as turn"
        for turn, e in enumerate(enrichments)
    )


def _standing(enrichments: Sequence[Enrichment]) -> str:
    """The questions that a real model or a person has answered, be it about an earlier text."""
    by_others = f"coalesce(model, '') <> '{OFFLINE}'"
    published = (f"select item_id, '{e.name}' as enrichment from {e.table} where {by_others}" for e in enrichments)
    answered = f"select item_id, enrichment from ops.answers where status = 'answered' and {by_others}"
    return " union ".join([answered, *published])
