"""What is owed: the questions about live items that have no answer yet; found on the data, never by a watermark.

What is owed at the start of a run is written down in ``staging.asked`` and read back shard by shard, so that
not all of it is in memory at once. A shard is a range of text hashes: items with the same words
meet in one, and rows that arrived together do not.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from feedback.llm.enrichment import Enrichment
from feedback.llm.pack import Row
from feedback.model import Run, utc_now
from feedback.warehouse.base import Step, Warehouse

if TYPE_CHECKING:
    import pyarrow as pa

OFFLINE = "offline"
"""Name of the offline model in every ``model`` column."""

QUIET = timedelta(hours=2)
"""A Slack thread that was active since then may still grow: it waits."""

LONGEST = timedelta(hours=24)
"""But not longer than this after its last answer."""

AFRESH = "re-asked"
"""Why a question is pending that a person wants asked again, whatever the ledger knows."""

RULE = "answer_valid"
"""The rule that an answer breaks which cannot be used."""

SHARD_TEXTS = 1_000
"""About how many different texts are in memory together."""

WHOLE = "all"
"""Name of the shard where there is only one, and of what no shard has taken up yet."""

HEAD = 3
"""So many digits of a hash are told apart when shards are cut: 4,096 pieces."""


WAITING = f"run_id = ? and shard = '{WHOLE}' and content_hash >= ? and content_hash < ?"
"""Condition of what a shard has to take up."""


@dataclass
class Owed:
    """One item and the questions it owes, in the order of the registry; ``afresh``: of those a person wants asked
    again, so that what was paid before is no answer.

    :param text: None where it has changed since the run began: its questions wait for the next one.
    """

    item_id: str
    text: str | None
    rating: int | None
    content_hash: str
    enrichments: tuple[str, ...] = ()
    afresh: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """What items with the same words and rating share; empty where nothing can be asked."""
        return "" if self.text is None else self.content_hash


@dataclass(frozen=True)
class Shard:
    """Texts whose hash is ``first`` or later, and before ``past``, and how many there are."""

    name: str = WHOLE
    first: str = ""
    texts: int = 0
    past: str = "~"


def query(enrichment: Enrichment, *, is_offline: bool, as_of: datetime | None = None) -> tuple[str, list[Any]]:
    """Return the query for the items that owe a question, and its values.

    It is owed without an answer, after its text or prompt moved, while it is pending, and when a person says so. A
    real model also answers again what the offline model answered; the offline model never replaces a real answer.
    """
    now = as_of or utc_now()
    name, version = enrichment.name, enrichment.prompt_version
    moved = (
        "answers.item_id is null or answers.status in ('pending', 'unasked') or wanted.item_id is not null"
        f" or answers.content_hash <> items.content_hash or answers.prompt_version <> '{version}'"
    )
    replaceable = f"answers.status = 'answered' and answers.model = '{OFFLINE}'"
    standing = f"items.item_id not in ({_standing(enrichment)})"
    return (
        f"""
        select
            items.item_id, items.content_hash, '{name}' as enrichment, '{version}' as prompt_version,
            wanted.item_id is not null
            or coalesce(answers.status = 'pending' and answers.reason = '{AFRESH}', false) as is_afresh
        from feedback.items as items
        left join (select * from ops.answers where enrichment = '{name}') as answers
            on answers.item_id = items.item_id
        left join (
            select distinct item_id, content_hash from ops.quarantine
            where status = 'ask_again' and subject = '{name}' and prompt_version = '{version}'
        ) as wanted
            on wanted.item_id = items.item_id and wanted.content_hash = items.content_hash
        where items.is_askable
            and (items.source <> 'slack' or items.last_activity_at <= ? or answers.answered_at <= ?)
            and ({f"({moved}) and {standing}" if is_offline else f"{moved} or ({replaceable})"})
        """,
        [now - QUIET, now - LONGEST],
    )


def write_down(
    warehouse: Warehouse, enrichments: Sequence[Enrichment], run: Run, *, is_offline: bool, as_of: datetime | None
) -> int:
    """Write down what is owed now, in place of what an earlier attempt has staged; return how many questions."""
    columns = "run_id, shard, enrichment, item_id, content_hash, prompt_version, outcome, rows_out, reason, asked_at"
    tables = ("asked", *(enrichment.name for enrichment in enrichments))
    steps: list[Step] = [
        *((f"delete from staging.{table} where run_id = ?", (run.run_id,)) for table in tables),
        ("delete from staging.rejects where run_id = ? and rule = ?", (run.run_id, RULE)),
    ]
    for enrichment in enrichments:
        sql, values = query(enrichment, is_offline=is_offline, as_of=as_of)
        steps.append(
            (
                f"insert into staging.asked ({columns}) select ?, '{WHOLE}', enrichment, item_id, content_hash,"
                f" prompt_version, 'pending', 0, case when is_afresh then '{AFRESH}' end, ? from ({sql}) as owed",
                (run.run_id, utc_now(), *values),
            )
        )
    warehouse.transact(steps)
    found = warehouse.rows("select count(*) as n from staging.asked where run_id = ?", (run.run_id,))
    return int(found[0]["n"])


def shards(warehouse: Warehouse, run: Run, most: int = SHARD_TEXTS) -> list[Shard]:
    """Return the shards of what was written down."""
    heads = warehouse.rows(
        f"select substr(content_hash, 1, {HEAD}) as head, count(distinct content_hash) as texts"
        " from staging.asked where run_id = ? group by 1 order by 1",
        (run.run_id,),
    )
    cut: list[tuple[str, int]] = []
    for head in heads:
        first, texts = cut[-1] if cut else ("", 0)
        if texts and texts + head["texts"] > most:
            cut.append((head["head"], head["texts"]))
        else:
            cut[-1:] = [(first, texts + head["texts"])]
    if len(cut) < 2:
        return [Shard(texts=texts) for _, texts in cut]
    pasts = [*(first for first, _ in cut[1:]), Shard.past]
    names = (f"from {first or '0' * HEAD}" for first, _ in cut)
    return [Shard(name, *one, past) for name, one, past in zip(names, cut, pasts, strict=True)]


def read(warehouse: Warehouse, enrichments: Sequence[Enrichment], shard: Shard, run: Run) -> list[Owed]:
    """Return a shard's items, each with the questions it owes."""
    (table,) = read_together(warehouse, [shard], run)
    return as_items(table, enrichments)


def read_together(warehouse: Warehouse, shards: Sequence[Shard], run: Run) -> list[pa.Table]:
    """Return what ``as_items`` takes, a table a shard; the shards follow one another.

    Each query looks at every item there is, so there have to be few of them.
    """
    named = "listagg({}, ',') within group (order by enrichment)"
    found = warehouse.arrow(
        f"""
        select asked.item_id, items.text, items.rating, asked.content_hash, asked.enrichments, asked.afresh
        from (
            select
                item_id, content_hash, {named.format("enrichment")} as enrichments,
                {named.format(f"case when reason = '{AFRESH}' then enrichment end")} as afresh
            from staging.asked where {WAITING} group by item_id, content_hash
        ) as asked
        left join feedback.items as items
            on items.item_id = asked.item_id and items.content_hash = asked.content_hash
        order by asked.content_hash, asked.item_id
        """,
        (run.run_id, shards[0].first, shards[-1].past),
    )
    hashes = found.column("content_hash").to_pylist()
    ends = [bisect_left(hashes, shard.past) for shard in shards]
    return [found.slice(start, end - start) for start, end in pairwise([0, *ends])]


def as_items(table: pa.Table, enrichments: Sequence[Enrichment]) -> list[Owed]:
    """Return the items of a shard that was read."""
    order = [enrichment.name for enrichment in enrichments]

    def names(joined: str | None) -> tuple[str, ...]:
        said = joined.split(",") if joined else ()
        return tuple(name for name in order if name in said)

    return [
        Owed(**row | {"enrichments": names(row["enrichments"]), "afresh": names(row["afresh"])})
        for row in table.to_pylist()
    ]


def questions_of(tables: Iterable[pa.Table]) -> Iterator[tuple[str, str]]:
    """Return the key of each text of some shards with each question it owes."""
    for table in tables:
        for key, names in zip(
            *(table.column(name).to_pylist() for name in ("content_hash", "enrichments")), strict=True
        ):
            yield from ((key, name) for name in names.split(","))


def rows_of(items: Iterable[Owed]) -> list[Row]:
    """Return each distinct text and rating once, with every question that an item of that text owes."""
    texts: dict[str, tuple[Owed, dict[str, None], dict[str, None]]] = {}
    for item in items:
        if item.text is not None:
            _, names, afresh = texts.setdefault(item.key, (item, {}, {}))
            names |= dict.fromkeys(item.enrichments)
            afresh |= dict.fromkeys(item.afresh)
    rows = []
    for item, names, afresh in texts.values():
        row = Row(item.text or "", item.rating, tuple(names), tuple(afresh))
        vars(row)["key"] = item.key  # the hash that it would compute
        rows.append(row)
    return rows


def together(shards: Iterable[Shard]) -> list[Shard]:
    """Return the stretches that shards make, those that follow one another as one."""
    stretches: list[Shard] = []
    for shard in sorted(shards, key=lambda shard: shard.first):
        if stretches and stretches[-1].past == shard.first:
            stretches[-1] = replace(stretches[-1], texts=stretches[-1].texts + shard.texts, past=shard.past)
        else:
            stretches.append(shard)
    return stretches


def waiting(shard: Shard, run: Run) -> tuple[str, str, str]:
    """Return the values of ``WAITING``."""
    return run.run_id, shard.first, shard.past


def versions(enrichments: Iterable[Enrichment]) -> str:
    """Return the query for each question with its prompt version."""
    return " union all ".join(
        f"select '{e.name}' as enrichment, '{e.prompt_version}' as prompt_version" for e in enrichments
    )


def mark_unasked(warehouse: Warehouse, enrichments: Sequence[Enrichment], run: Run) -> int:
    """Note in ``ops.answers`` which items are not asked about, and why; return how many questions that concerns."""
    unasked = f"""
        select items.item_id, asked.enrichment, items.content_hash, asked.prompt_version, items.unasked_reason
        from feedback.items as items
        cross join ({versions(enrichments)}) as asked
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


def _standing(enrichment: Enrichment) -> str:
    """The items of which a real model or a person has answered the question, be it about an earlier text."""
    answered = f"enrichment = '{enrichment.name}' and status = 'answered'"
    by_others = f"coalesce(model, '') <> '{OFFLINE}'"
    return (
        f"select item_id from ops.answers where {answered} and {by_others}"
        f" union all select item_id from {enrichment.table} where {by_others}"
    )
