"""What Slack still has to be told of ``ops.incidents``: found on the rows, so that nothing is lost with a task."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from feedback.notifications import message
from feedback.notifications.posting import Post, send, sha
from feedback.warehouse.base import Warehouse

if TYPE_CHECKING:
    from slack_sdk import WebClient

# What was over before it was told is told no more; what has no message is older than telling. Where the first message
# may stand, there it goes on, whatever the setting says by now.
OWED = """
    select
        i.incident_id, i.key, i.state, i.last_run_id, i.count, i.message, first.status, first.run_id, first.body_sha,
        case when first.ts is not null or first.status <> 'planned' then first.channel end as channel
    from ops.incidents as i
    left join ops.posts as first on first.post_key = 'incident:' || i.incident_id
    left join ops.posts as ended on ended.post_key = 'incident:' || i.incident_id || ':recovered'
    where i.message is not null
        and (i.state = 'open' or (first.status = 'posted' and coalesce(ended.status, '') <> 'posted'))
    order by i.updated_at, i.incident_id
"""
# What is open and can be told no more where it began, for a reply found no place there, begins anew.
MOVED = """
    update ops.posts set status = 'planned', ts = null
    where kind = 'incident' and thread_key is null and status = 'posted' and channel <> ?
        and substr(post_key, 10) in (select incident_id from ops.incidents where state = 'open')
        and exists (
            select 1 from ops.posts as reply
            where reply.thread_key = posts.post_key and reply.channel = posts.channel
                and reply.status = 'posted' and reply.ts is null
        )
"""
PLACED = """
    update ops.incidents set
        channel = (select max(channel) from ops.posts where post_key = 'incident:' || incidents.incident_id),
        message_ts = (select max(ts) from ops.posts where post_key = 'incident:' || incidents.incident_id)
    where incident_id in (
        select substr(post_key, 10) from ops.posts where kind = 'incident' and status = 'posted' and thread_key is null
    )
"""


def tell(warehouse: Warehouse, channel: str, client: Callable[[], WebClient]) -> int:
    """Send what incidents owe to the channel; return how many posts that were. Slack being away is no error."""
    owed = [_owed(row, channel) for row in warehouse.rows(OWED)]
    if not owed:
        return 0
    sent = send(warehouse, client, owed)
    warehouse.transact([PLACED, (MOVED, (channel,))])
    return sent


def _owed(row: Mapping[str, Any], channel: str) -> Post:
    told = json.loads(row["message"]) | {"count": row["count"], "key": row["key"]}
    first, run_id = f"incident:{row['incident_id']}", row["last_run_id"]
    channel = row["channel"] or channel
    body = message.opening(told)
    if row["state"] == "recovered":
        return Post(f"{first}:recovered", "incident", channel, message.recovered(told), run_id, first)
    if row["status"] != "posted" or (row["run_id"], row["body_sha"]) == (run_id, sha(body)):
        return Post(first, "incident", channel, body, run_id)
    return Post(f"{first}:{run_id}:{sha(body)[:8]}", "incident", channel, message.going_on(told), run_id, first)
