"""Whose workspace it is that an app reads, and who is in it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from feedback.model import Batch, Memory, Renamed
from feedback.sources.base import Past
from feedback.sources.slack_api.calls import Calls
from feedback.sources.slack_api.walk import entries
from feedback.sources.slack_channels import Channel
from feedback.sources.slack_rows import channel_row, user_row

PART = "workspace"
"""The part of ``ops.source_state`` that says whose words these are."""


class Directory:
    """A workspace's name, channels and users, as rows where they are new.

    :raises CredentialRefused: when it is made, if Slack refuses the token.
    """

    def __init__(self, source: str, calls: Calls, past: Past, store_emails: bool):
        self.source, self.calls, self.past, self.store_emails = source, calls, past, store_emails
        self.identity = calls("auth.test")
        self.team = str(self.identity["team_id"])
        host = urlsplit(str(self.identity.get("url"))).hostname or ""
        self.domain = host.removesuffix(".slack.com") if host.endswith(".slack.com") else None

    def renamed(self, channels: Sequence[Channel]) -> Iterator[Renamed]:
        """Yield the other names under which channels of this workspace are stored.

        A channel that is shared with another workspace proves nothing: it has one id in both.
        """
        own = [one.id for one in channels if not (one.payload.get("is_ext_shared") or one.payload.get("is_org_shared"))]
        stored = self.past.rows("select distinct team_id, id from raw.slack_channels where team_id <> ?", (self.team,))
        for team in sorted({row["team_id"] for row in stored if row["id"] in own}):
            yield Renamed(self.source, team, self.team)

    def of_channels(self, channels: Sequence[Channel]) -> Iterator[Batch]:
        """Yield the channels that are new or have changed."""
        yield from self._changed(
            "raw.slack_channels",
            [
                channel_row({**one.payload, "id": one.id}, self.team, one.kind == "private", self.store_emails)
                for one in channels
            ],
        )

    def of_users(self, today: str) -> Iterator[Batch | Memory]:
        """Yield the users that are new or have changed, once a day."""
        if self.past.state.get(PART, {}).get("users_on") == today:
            return
        users = entries(self.calls, "users.list", "members")
        yield from self._changed("raw.slack_users", [user_row(one, self.team, self.store_emails) for one in users])
        yield self.memory(today)

    def memory(self, users_on: str | None = None) -> Memory:
        """What is remembered of the workspace: permalinks need its domain."""
        users_on = users_on or self.past.state.get(PART, {}).get("users_on")
        state = {"team": self.team, "domain": self.domain, "users_on": users_on}
        return Memory("ops.source_state", [{"source": self.source, "part": PART, "state": state}])

    def _changed(self, table: str, rows: list[dict[str, Any]]) -> Iterator[Batch]:
        stored = self.past.rows(f"select id, row_hash from {table} where team_id = ?", (self.team,))
        hashes = {row["id"]: row["row_hash"] for row in stored}
        if changed := [row for row in rows if hashes.get(row["id"]) != row["row_hash"]]:
            yield Batch(self.source, table.split("_")[-1], table, changed, secrets.token_hex(32), is_live=True)
