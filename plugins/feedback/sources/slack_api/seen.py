"""What the warehouse holds of a stretch of a channel: which words are stored already, which replies are read."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime

from feedback.sources.base import Past

# The living rows of the stretch, and of the threads that begin in it, each with what the ledger knows of its thread.
# Of what was erased or has expired here only that: nobody has to read it again to know how much there was.
STORED = """
    select
        m.ts, m.thread_ts, m.subtype, m.row_hash, ledger.reply_count, ledger.latest_reply, ledger.last_full_read_at,
        root.ts is null and ledger.thread_ts is null as is_orphan, m.is_deleted
    from raw.slack_messages as m
    left join raw.slack_messages as root
        on root.team_id = m.team_id and root.channel_id = m.channel_id and root.ts = m.thread_ts
    left join ops.slack_threads as ledger
        on ledger.team_id = m.team_id and ledger.channel_id = m.channel_id and ledger.thread_ts = m.thread_ts
    where m.team_id = ? and m.channel_id = ?
        and (not m.is_deleted or (m.row_hash in ('erased', 'expired') and ledger.thread_ts is not null))
        and (m.ts between ? and ? or m.thread_ts between ? and ?)
        and coalesce(m.subtype, '') not in ('message_changed', 'message_deleted', 'message_replied')
"""


@dataclass(frozen=True)
class Read:
    """What is read of a thread: as many replies as Slack counted, up to the latest; and when it was read whole."""

    reply_count: int = 0
    latest: str | None = None
    whole_at: datetime | None = None


@dataclass
class Seen:
    """What is stored and alive.

    :param hashes: of the words, by ts.
    :param roots: those of them that are roots inside the stretch.
    :param broadcasts: those that are shown beside the roots, with the root they reply to.
    :param replies: by root.
    :param threads: what is read of each thread, erased since or not; of one that an export brought, what it holds.
    :param orphans: roots that are not stored, though replies to them are.
    """

    hashes: dict[str, str] = field(default_factory=dict)
    roots: set[str] = field(default_factory=set)
    broadcasts: dict[str, str] = field(default_factory=dict)
    replies: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    threads: dict[str, Read] = field(default_factory=dict)
    orphans: set[str] = field(default_factory=set)


def seen(past: Past, team: str, channel: str, oldest: str, latest: str) -> Seen:
    """Return what is stored of a stretch."""
    found = Seen()
    for row in past.rows(STORED, (team, channel, oldest, latest, oldest, latest)):
        ts, root = row["ts"], row["thread_ts"]
        if row["reply_count"] is not None:
            found.threads[root] = Read(row["reply_count"], row["latest_reply"], row["last_full_read_at"])
        if row["is_deleted"]:
            continue
        found.hashes[ts] = row["row_hash"]
        if ts == root:
            if oldest <= ts <= latest:
                found.roots.add(ts)
        else:
            found.replies[root].add(ts)
            if row["subtype"] == "thread_broadcast" and oldest <= ts <= latest:
                found.broadcasts[ts] = root
        if row["is_orphan"]:
            found.orphans.add(root)
    for root, replies in found.replies.items():
        found.threads.setdefault(root, Read(len(replies), max(replies)))
    return found
