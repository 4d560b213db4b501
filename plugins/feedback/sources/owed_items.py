"""Which threads, reviews and texts have to be made into items again: found in the data, never by a watermark.

One query cuts what is owed into shards that fit in memory; each shard then reads no more than its own rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from feedback.sources.threads import SPOKEN
from feedback.warehouse.base import Warehouse
from feedback.warehouse.merge import RAW

ROWS_A_SHARD = 8_000
THREAD_ID, REVIEW_ID, TEXT_ID = (RAW[f"raw.{name}"].item_id for name in ("slack_messages", "app_reviews", "texts"))
_SPOKEN = ", ".join(f"'{name}'" for name in SPOKEN if name)

EVERYWHERE = "1 = 1"
# The place alone says little, but a warehouse need not look where no row of that place lies.
IN_SHARD = "{place} between ? and ? and {item_id} between ? and ?"
SHARDS = """
    select min(place) as first_place, max(place) as last_place, min(item_id) as first_id, max(item_id) as last_id
    from (
        select place, item_id, floor(sum(row_count) over (order by item_id) / ?) as shard from owed
    ) as numbered
    group by shard
    order by shard
"""
MESSAGES = """
    select
        owed.item_id, owed.is_published, owed.published_text,
        m.team_id, m.channel_id, m.ts, m.thread_ts, m.user_id, m.subtype,
        m.payload, m.edited_at, m.is_deleted, m.changed_at
    from owed
    join raw.slack_messages as m
        on m.team_id = owed.team_id and m.channel_id = owed.place and m.thread_ts = owed.thread_ts
    order by owed.item_id
"""

Rows = Sequence[Mapping[str, Any]]


def threads(warehouse: Warehouse, domain: str | None, with_bots: bool, team: str | None = None) -> Iterator[list[Rows]]:
    """Yield the owed threads, shard by shard, each as its raw rows.

    :param domain: of the workspace: threads whose permalink does not lead there are owed too.
    :param team: the workspace whose domain it is; of all if None.
    :param with_bots: whether what a bot began may be an item.
    """
    also = "bot_message" if with_bots else None
    address = f"https://{domain}.slack.com/%" if domain else None
    in_shard = IN_SHARD.format(place="channel_id", item_id=THREAD_ID)
    for shard in warehouse.rows(_owed_threads(EVERYWHERE, SHARDS), (also, team, address, ROWS_A_SHARD)):
        found = warehouse.rows(_owed_threads(in_shard, MESSAGES), (also, *shard.values(), team, address))
        yield [list(rows) for _, rows in groupby(found, key=lambda row: row["item_id"])]


def reviews(warehouse: Warehouse) -> Iterator[Rows]:
    """Yield the owed reviews, shard by shard."""
    in_shard = IN_SHARD.format(place="app_id", item_id=REVIEW_ID)
    for shard in warehouse.rows(_owed_reviews(EVERYWHERE, SHARDS), (ROWS_A_SHARD,)):
        yield warehouse.rows(_owed_reviews(in_shard, "select * from owed order by item_id"), tuple(shard.values()))


def texts(warehouse: Warehouse, hosts: Sequence[str]) -> Iterator[Rows]:
    """Yield the owed texts, shard by shard.

    :param hosts: texts whose link leads to one of them and was not published are owed too.
    """
    links = [f"https://{host}/%" for host in hosts]
    in_shard = IN_SHARD.format(place="source", item_id=TEXT_ID)
    for shard in warehouse.rows(_owed_texts(EVERYWHERE, links, SHARDS), (*links, ROWS_A_SHARD)):
        rows = _owed_texts(in_shard, links, "select * from owed order by item_id")
        yield warehouse.rows(rows, (*shard.values(), *links))


def _owed_threads(where: str, then: str) -> str:
    """Return a query over ``owed``.

    A thread that nobody spoke in yields no item; one that is published is followed whatever becomes of it. Where
    only the names around it are new, its text stays as published.
    """
    return f"""
        with threads as (
            select
                team_id, channel_id, thread_ts, {THREAD_ID} as item_id,
                count(*) as row_count,
                max(changed_at) as changed_at,
                max(
                    case when not is_deleted and (subtype is null or subtype in ({_SPOKEN}, ?)) then 1 else 0 end
                ) as speaks
            from raw.slack_messages
            where {where}
            group by team_id, channel_id, thread_ts
        ),
        owed as (
            select
                threads.team_id, threads.channel_id as place, threads.thread_ts, threads.item_id, threads.row_count,
                items.item_id is not null as is_published,
                case when threads.changed_at <= items.updated_at then items.text end as published_text
            from threads
            left join feedback.items as items on items.item_id = threads.item_id
            left join (select id, max(name) as name from raw.slack_channels group by id) as channels
                on channels.id = threads.channel_id
            where items.item_id is null and threads.speaks = 1
                or threads.changed_at > items.updated_at
                or items.item_id is not null and threads.team_id = coalesce(?, threads.team_id)
                    and not coalesce(items.permalink, '') like ?
                or items.channel_or_app <> channels.name
        )
        {then}"""


def _owed_reviews(where: str, then: str) -> str:
    """Return a query over ``owed``."""
    return f"""
        with reviews as (
            select *, {REVIEW_ID} as item_id from raw.app_reviews where not is_deleted and {where}
        ),
        owed as (
            select reviews.*, reviews.app_id as place, 1 as row_count
            from reviews
            left join feedback.items as items on items.item_id = reviews.item_id
            where items.item_id is null or reviews.changed_at > items.updated_at
        )
        {then}"""


def _owed_texts(where: str, links: Sequence[str], then: str) -> str:
    """Return a query over ``owed``. A text of thousands of words counts as many rows."""
    leads_to_us = " or ".join(["texts.url like ?"] * len(links)) or "1 = 0"
    return f"""
        with texts as (
            select *, {TEXT_ID} as item_id from raw.texts where not is_deleted and {where}
        ),
        owed as (
            select texts.*, texts.source as place, 1 + floor(coalesce(length(texts.body), 0) / 1000) as row_count
            from texts
            left join feedback.items as items on items.item_id = texts.item_id
            where items.item_id is null
                or texts.changed_at > items.updated_at
                or items.permalink is null and ({leads_to_us})
        )
        {then}"""
