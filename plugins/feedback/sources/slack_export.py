"""A Slack export, ZIP or folder, of any age. Only files that are new by content are parsed."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from feedback.errors import InputRefused
from feedback.model import Batch, Gap, digest
from feedback.sources import slack_days, slack_rows
from feedback.sources.archive import Archive, open_archive
from feedback.sources.base import Finding, Part, Past, Source, Unreadable, fingerprint, grouped, load_id, newest
from feedback.sources.json_file import parse
from feedback.sources.slack_channels import Contents, contents, wanted
from feedback.sources.slack_skipped import skipped


@dataclass(frozen=True)
class SlackExport(Source):
    """The public channels of an export; private ones only where they are named, direct messages never.

    :param channels: private channels to load too, by id or name.
    :param team: the workspace, where the messages do not say.
    """

    path: Path
    channels: Collection[str] = ()
    team: str | None = None
    store_emails: bool = False
    name: str = "slack_export"
    kind = "slack"
    pool = "feedback_slack"  # never beside the API, which may move the workspace that is being loaded

    def extract(self, past: Past) -> Iterator[Batch | Gap]:
        sha = _sha_of_file(self.path)
        if sha and (known := past.refusals(self.path.name, sha)):
            yield from known
            return
        try:
            archive = open_archive(self.path)
            found = contents(archive)
        except Unreadable as refused:
            yield refused.gap(self.name, self.path.name, sha)
            return
        yield from _Reading(self, archive, found, past).everything()

    def examine(self, past: Past) -> Iterator[Finding]:
        found = contents(open_archive(self.path))
        channels = [found.channel(folder) for folder in found.days]
        public = len(wanted(channels, self.channels))
        days = sum(map(len, found.days.values()))
        yield Finding(self.name, True, f"{self.path}, {days:,} day files, {public} of {len(channels)} channels to load")


class _Reading:
    """One pass over one export."""

    def __init__(self, source: SlackExport, archive: Archive, found: Contents, past: Past):
        self.source = source
        self.archive = archive
        self.found = found
        self.past = past
        self.by_folder = {folder: found.channel(folder) for folder in found.days}
        everyone = {channel.id: channel for channel in (*self.by_folder.values(), *found.listed)}
        self.channels = wanted(everyone.values(), source.channels)

    def everything(self) -> Iterator[Batch | Gap]:
        unread = {channel.id: channel for channel in self.by_folder.values() if channel not in self.channels}
        yield from skipped(self.source.name, self.archive, self.found, list(unread.values()), self.past)
        yield from self.look.gaps
        yield from self._channels()
        for name in ("org_users.json", "users.json"):
            if name in self.found.about:
                yield from self._users(name)
        for group in grouped(self.look.parts):
            yield from self._messages(group)

    @cached_property
    def look(self) -> slack_days.Look:
        loaded = [folder for folder, channel in self.by_folder.items() if channel in self.channels]
        names = [name for folder in loaded for name in self.found.days[folder]]
        return slack_days.look(self.source.name, names, self._read, self.past)

    @cached_property
    def team(self) -> str:
        """The workspace: as its channels were loaded before, as set, as the messages say, else by its channels.

        :raises InputRefused: what is set would load the same channels a second time under another name.
        """
        ids = sorted(channel.id for channel in self.found.listed if channel.kind == "public") or sorted(self.by_folder)
        before = Counter(self.past.teams[one] for one in ids if one in self.past.teams)
        votes = before or self.look.teams or {f"export-{digest(*ids)[:12]}": 1}
        team = min(votes, key=lambda team: (-votes[team], team))
        if before and self.source.team not in (None, team):
            raise InputRefused(
                f"{self.source.path} is loaded already as workspace {team}: unset FEEDBACK_SLACK_TEAM,"
                " or load it into another FEEDBACK_HOME"
            )
        return self.source.team or team

    def _channels(self) -> Iterator[Batch]:
        rows = [
            slack_rows.channel_row(
                {**channel.payload, "id": channel.id}, self.team, channel.kind == "private", self.source.store_emails
            )
            for channel in self.channels
        ]
        identity = digest(self.source.name, self.team, *(row["row_hash"] for row in rows))
        yield from self._batch("channels", "raw.slack_channels", rows, identity)

    def _users(self, name: str) -> Iterator[Batch | Gap]:
        content = self._read(name)
        part = Part(name, len(content), fingerprint(content))
        identity = load_id(self.source.name, [part], self.team, self.source.store_emails)
        if identity in self.past.loads:
            return
        try:
            users = parse(content, name)
            if not isinstance(users, list):
                raise Unreadable("not_a_list", f"{name} is not a list of users: export the workspace again")
        except Unreadable as refused:
            yield refused.gap(self.source.name, name, part.sha)
            return
        known = [user for user in users if isinstance(user, dict) and isinstance(user.get("id"), str)]
        rows = [(user["id"], 0, slack_rows.user_row(user, self.team, self.source.store_emails)) for user in known]
        yield from self._batch(name, "raw.slack_users", newest(rows), identity)

    def _messages(self, group: list[Part]) -> Iterator[Batch | Gap]:
        edits = json.dumps([self.look.edits.get(slack_days.folder(part.name)) for part in group], sort_keys=True)
        identity = load_id(self.source.name, group, self.team, edits)
        rows: list[tuple[Any, Any, dict[str, Any]]] = []
        for part in group:
            if identity in self.past.loads or part.name in self.look.refused:
                yield from self.past.refusals(part.name, part.sha)
                continue
            try:
                found, without_ts = self._rows(part)
            except Unreadable as refused:
                yield refused.gap(self.source.name, part.name, part.sha)
                continue
            rows += found
            if without_ts:
                detail = f"{part.name}: {without_ts} entries have no timestamp and were left out"
                yield Gap(self.source.name, part.name, "refused", "no_timestamp", detail, without_ts, part.sha)
        span = group[0].name if len(group) == 1 else f"{group[0].name} … {group[-1].name}"
        yield from self._batch(span, "raw.slack_messages", newest(rows), identity)

    def _rows(self, part: Part) -> tuple[list[tuple[Any, Any, dict[str, Any]]], int]:
        """The rows of a day file with their keys and versions, and how many entries are none."""
        messages, without_ts = slack_days.messages(self._read(part.name), part.name)
        folder = slack_days.folder(part.name)
        channel, edits = self.by_folder[folder].id, self.look.edits.get(folder, {})
        rows = []
        for message in messages:
            row = slack_rows.message_row(slack_days.with_edit(message, edits.get(message["ts"])), self.team, channel)
            version = (row["subtype"] == "tombstone", row["edited_at"] or datetime.min)
            rows.append(((channel, row["ts"]), version, row))
        return rows, without_ts

    def _batch(self, part: str, target: str, rows: list[dict[str, Any]], identity: str) -> Iterator[Batch]:
        if rows and identity not in self.past.loads:
            yield Batch(self.source.name, part, target, rows, identity)

    def _read(self, name: str) -> bytes:
        return self.archive.read(self.found.top + name)


def _sha_of_file(path: Path) -> str | None:
    """What tells this archive from another; folders are told apart file by file."""
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
