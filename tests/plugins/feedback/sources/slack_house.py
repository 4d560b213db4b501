"""A warehouse that is fed by the stand-in, and what tells whether it holds the truth."""

from __future__ import annotations

from collections import Counter
from itertools import count
from typing import Any

from slack_sdk import WebClient

from feedback.model import Run
from feedback.operators.extract_operator import ExtractOperator
from feedback.sources.base import Past
from feedback.sources.past import recall
from feedback.sources.slack_api.pace import Clock
from feedback.sources.slack_api.source import SlackApi
from feedback.sources.slack_rows import instant
from feedback.warehouse.base import Warehouse
from tests.plugins.feedback.sources.slack_stand_in import TOKEN, SlackStandIn

STORED = """
    select channel_id, ts, thread_ts, user_id, subtype, text, edited_at
    from raw.slack_messages where not is_deleted
"""


class House:
    """Reads a world into a warehouse, on the world's own clock: nothing really waits."""

    def __init__(self, warehouse: Warehouse, stand_in: SlackStandIn):
        self.warehouse, self.stand_in, self.world = warehouse, stand_in, stand_in.world
        self.numbers = count(1)
        self.token = TOKEN

    def source(self, *channels: str, **options: Any) -> SlackApi:
        clock = self.world.clock
        return SlackApi(
            client=lambda: WebClient(self.token, base_url=self.stand_in.base_url, retry_handlers=[]),
            channels=channels or ("*",),
            clock=Clock(clock.now, clock.seconds, clock.sleep),
            **{"minutes": 600, **options},
        )

    def read(self, *channels: str, **options: Any) -> dict[str, Any]:
        """Read once, in a run of its own; ``calls`` is what the stand-in was asked."""
        before = Counter(self.stand_in.calls)
        run = Run(f"run_{next(self.numbers)}", "extract_feedback", "extract_slack_api")
        operator = ExtractOperator(
            task_id=run.task_id, source=self.source(*channels, **options), warehouse=self.warehouse
        )
        counts = operator.work(run, {}).as_dict()
        return counts | {"calls": Counter(self.stand_in.calls) - before}

    def past(self) -> Past:
        return recall(self.warehouse, "slack_api")

    def stored(self) -> dict[tuple[str, str], tuple[Any, ...]]:
        rows = [tuple(row.values()) for row in self.warehouse.rows(STORED)]
        assert len({row[:2] for row in rows}) == len(rows)
        return {row[:2]: row[2:] for row in rows}

    def truth(self, without: tuple[str, ...] = ()) -> dict[tuple[str, str], tuple[Any, ...]]:
        """What has to be stored: everything that exists in the channels the app can read."""
        return {
            (channel, ts): (
                message.get("thread_ts", ts),
                message.get("user") or message.get("bot_id"),
                message.get("subtype"),
                message.get("text") or None,
                instant(message["edited"]["ts"]) if "edited" in message else None,
            )
            for (channel, ts), message in self.world.truth().items()
            if channel not in without
        }

    def gaps(self) -> dict[str, tuple[str, str]]:
        """Part to status and reason."""
        rows = self.warehouse.rows("select part, status, reason from ops.coverage")
        return {row["part"]: (row["status"], row["reason"]) for row in rows}

    def unequal_threads(self) -> list[dict[str, Any]]:
        """Threads of which other replies are stored than Slack counts."""
        return list(
            self.warehouse.rows(
                "select ledger.thread_ts, ledger.reply_count, count(m.ts) as stored from ops.slack_threads as ledger"
                " left join raw.slack_messages as m on m.channel_id = ledger.channel_id"
                " and m.thread_ts = ledger.thread_ts and m.ts <> m.thread_ts and not m.is_deleted"
                " group by ledger.thread_ts, ledger.reply_count having count(m.ts) <> ledger.reply_count"
            )
        )
