"""What Slack still has to be told of the digests in ``ops.posts``."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from feedback.notifications.posting import Post, send
from feedback.warehouse.base import Warehouse

if TYPE_CHECKING:
    from slack_sdk import WebClient

OWED = """
    select post_key, channel, body, run_id from ops.posts
    where kind = 'digest' and channel is not null and body is not null and status not in ('posted', 'quiet')
    order by case when ts is null then 0 else 1 end, window_to, post_key
"""
"""What was never sent goes before what is to be changed, of which an erasure may leave much."""
UNSENT = """
    select post_key, channel from ops.posts
    where kind = 'digest' and status = 'planned' and ts is null and channel is not null
"""


def post_digests(warehouse: Warehouse, client: Callable[[], WebClient], channels: Mapping[str, str]) -> int:
    """Post the digests that wait, each once; return how many were. Slack being away is no error.

    :param channels: by team; what was never sent follows a team to another channel, or stays a file where it has none.
    """
    _readdress(warehouse, channels)
    said = ((row, json.loads(row["body"])) for row in warehouse.rows(OWED))
    posts = (
        Post(
            row["post_key"], "digest", row["channel"], {name: body[name] for name in ("text", "blocks")}, row["run_id"]
        )
        for row, body in said
    )
    return send(warehouse, client, posts)


def waiting(warehouse: Warehouse) -> list[str]:
    """Return the keys of the digests that wait for Slack."""
    return [row["post_key"] for row in warehouse.rows(OWED)]


def _readdress(warehouse: Warehouse, channels: Mapping[str, str]) -> None:
    moved = [
        (row["post_key"], row["channel"], channels.get(row["post_key"].split(":")[1])) for row in warehouse.rows(UNSENT)
    ]
    change = "update ops.posts set channel = ? where post_key = ? and status = 'planned' and ts is null"
    steps = [(change, (now, key)) for key, before, now in moved if now != before]
    if steps:
        warehouse.transact(steps)
