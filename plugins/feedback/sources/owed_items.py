"""Which threads and reviews have to be made into items again: found in the data, never by a watermark."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from feedback.sources.threads import SPOKEN
from feedback.warehouse.base import Warehouse

THREADS_A_SHARD = 4_000
REVIEWS_A_SHARD = 5_000
_SPOKEN = ", ".join(f"'{name}'" for name in SPOKEN if name)

# Shards are cut by QUALIFY: DuckDB 2.0.0 overlooks LIMIT above such a join while feedback.items is empty.
# A thread that nobody spoke in yields no item; one that is published is followed whatever becomes of it. Where
# only the names around it are new, its text stays as published.
THREADS = f"""
    with threads as (
        select
            team_id, channel_id, thread_ts,
            'slack:' || team_id || ':' || channel_id || ':' || thread_ts as item_id,
            max(changed_at) as changed_at,
            max(case when not is_deleted and (subtype is null or subtype in ({_SPOKEN}, ?)) then 1 else 0 end) as speaks
        from raw.slack_messages
        group by team_id, channel_id, thread_ts
    ),
    owed as (
        select
            threads.*, items.item_id is not null as is_published,
            case when threads.changed_at <= items.updated_at then items.text end as published_text
        from threads
        left join feedback.items as items on items.item_id = threads.item_id
        left join (select id, max(name) as name from raw.slack_channels group by id) as channels
            on channels.id = threads.channel_id
        where threads.item_id > ? and (
            items.item_id is null and threads.speaks = 1
            or threads.changed_at > items.updated_at
            or items.item_id is not null and not coalesce(items.permalink, '') like ?
            or items.channel_or_app <> channels.name
        )
        qualify row_number() over (order by threads.item_id) <= {THREADS_A_SHARD}
    )
    select
        owed.item_id, owed.is_published, owed.published_text,
        m.team_id, m.channel_id, m.ts, m.thread_ts, m.user_id, m.subtype,
        m.payload, m.edited_at, m.is_deleted, m.changed_at
    from owed
    join raw.slack_messages as m
        on m.team_id = owed.team_id and m.channel_id = owed.channel_id and m.thread_ts = owed.thread_ts
    order by owed.item_id
"""
REVIEWS = f"""
    with reviews as (
        select r.*, r.store || ':' || r.app_id || ':' || r.review_id as item_id
        from raw.app_reviews as r
        where not r.is_deleted
    )
    select reviews.*
    from reviews
    left join feedback.items as items on items.item_id = reviews.item_id
    where reviews.item_id > ? and (items.item_id is null or reviews.changed_at > items.updated_at)
    qualify row_number() over (order by reviews.item_id) <= {REVIEWS_A_SHARD}
    order by reviews.item_id
"""

Rows = Sequence[Mapping[str, Any]]


def threads(warehouse: Warehouse, domain: str | None, with_bots: bool) -> Iterator[list[Rows]]:
    """Yield the owed threads, shard by shard, each as its raw rows.

    :param domain: of the workspace: threads whose permalink does not lead there are owed too.
    :param with_bots: whether what a bot began may be an item.
    """
    last, address = "", f"https://{domain}.slack.com/%" if domain else None
    also = "bot_message" if with_bots else None
    while found := warehouse.rows(THREADS, (also, last, address)):
        yield [list(rows) for _, rows in groupby(found, key=lambda row: row["item_id"])]
        last = found[-1]["item_id"]


def reviews(warehouse: Warehouse) -> Iterator[Rows]:
    """Yield the owed reviews, shard by shard."""
    last = ""
    while found := warehouse.rows(REVIEWS, (last,)):
        yield found
        last = found[-1]["item_id"]
