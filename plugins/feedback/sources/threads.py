"""The raw messages of one Slack thread to one item."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from feedback.model import Item, content_hash
from feedback.sources.authors import author_hash
from feedback.sources.slack_rows import instant
from feedback.sources.unasked import unasked_reason
from feedback.text.mrkdwn import Names
from feedback.text.questions import is_question
from feedback.text.redaction import mask
from feedback.text.slack_message import words

ECHO = re.compile(
    r"\W*(?:\+1|same(?: here| issue| problem| question)?|me too|us too|ditto|bump|following|any (?:updates?|news))?\W*",
    re.IGNORECASE,
)
"""Replies that join a question instead of answering it, a thumb alone among them."""
SPOKEN = (None, "thread_broadcast", "reply_broadcast", "me_message", "file_share", "file_comment")
"""Subtypes in which a person says something; joins, topics, tombstones and what Slack invents next do not."""

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Workspace:
    """What has to be known around a thread.

    :param salt: secret of the author hashes.
    :param domain: first part of <domain>.slack.com; without it no permalink can be known.
    :param team: the workspace whose domain it is; of all if None.
    :param bot_channels: ids or names of channels whose bots speak for customers, such as a form's.
    :param channel_names: by channel id.
    :param private_channels: ids.
    :param team_users: ids of the users who are ours; ``outsiders``: of those who are known not to be.
    """

    salt: bytes
    phone_region: str | None = None
    domain: str | None = None
    team: str | None = None
    bot_channels: frozenset[str] = frozenset()
    channel_names: Mapping[str, str] = field(default_factory=dict)
    private_channels: frozenset[str] = frozenset()
    team_users: frozenset[str] = frozenset()
    outsiders: frozenset[str] = frozenset()


def thread_item(
    rows: Sequence[Row], workspace: Workspace, keep_empty: bool = False, text: str | None = None
) -> Item | None:
    """Return the item of a thread; None where nobody says a word, unless it is kept because it is published.

    :param rows: every row of the thread in ``raw.slack_messages``.
    :param text: as it is published, where nobody has said or changed a word since: a channel's new name inside
        it is no reason to ask again.
    """
    thread = _Thread(sorted((row for row in rows if not row["is_deleted"]), key=_time), workspace)
    if not thread.rows or not (thread.spoken or keep_empty):
        return None
    team, channel, ts = (thread.rows[0][name] for name in ("team_id", "channel_id", "thread_ts"))
    text = mask(thread.text, workspace.phone_region) if text is None else text
    reason = unasked_reason(text)
    return Item(
        item_id=f"slack:{team}:{channel}:{ts}",
        source="slack",
        source_key=f"{team}:{channel}:{ts}",
        permalink=permalink(workspace.domain if workspace.team in (None, team) else None, channel, ts),
        author_hash=author_hash(workspace.salt, team, thread.author),
        channel_or_app=workspace.channel_names.get(channel, channel),
        text=text,
        rating=None,
        language=None,
        territory=None,
        app_version=None,
        visibility="private" if channel in workspace.private_channels else "public",
        posted_at=instant(ts),
        last_activity_at=max([instant(ts), *thread.activity]),
        message_count=len(thread.spoken),
        author_count=len({row["user_id"] for row, _ in thread.spoken}),
        has_reply_by_team=any(user in workspace.team_users for user, _ in thread.replies),
        is_unanswered=thread.asks and not thread.is_answered,
        content_hash=content_hash(text, None),
        is_askable=reason is None,
        unasked_reason=reason,
        updated_at=max(row["changed_at"] for row in rows),
    )


def permalink(domain: str | None, channel: str, ts: str) -> str | None:
    """Return where a person can read a thread."""
    return f"https://{domain}.slack.com/archives/{channel}/p{ts.replace('.', '')}" if domain else None


class _Thread:
    """What is said in a thread, and by whom. Speakers and mentioned users are letters in order of appearance."""

    def __init__(self, rows: Sequence[Row], workspace: Workspace):
        self.rows = rows
        self.workspace = workspace
        self.letters: dict[str, str] = {}

    @cached_property
    def spoken(self) -> list[tuple[Row, str]]:
        """The rows in which somebody says something, with the words."""
        names = Names(self._speaker, self.workspace.channel_names)
        said = []
        for row in self.rows:
            message = json.loads(row["payload"])
            if not self._speaks(row, message):
                continue
            before = dict(self.letters)
            self._speaker(row["user_id"] or "")
            if text := words(message, names):
                said.append((row, text))
            else:
                self.letters = before
        return said

    @property
    def text(self) -> str:
        """One message alone is just its words; a talk names its speakers, further lines of a message indented."""
        if len(self.spoken) == 1:
            return self.spoken[0][1]
        lines = (f"{self._speaker(row['user_id'] or '')}: {text}".replace("\n", "\n  ") for row, text in self.spoken)
        return "\n".join(lines)

    @property
    def activity(self) -> list[datetime]:
        return [max(instant(row["ts"]), row["edited_at"] or datetime.min) for row, _ in self.spoken]

    @property
    def root(self) -> tuple[Row, str] | None:
        """The message that began the thread, where it is here and says something."""
        first = self.spoken[0] if self.spoken else None
        return first if first and first[0]["ts"] == first[0]["thread_ts"] else None

    @property
    def author(self) -> str | None:
        return self.root[0]["user_id"] if self.root else None

    @property
    def asks(self) -> bool:
        return self.root is not None and is_question(self.root[1])

    @property
    def replies(self) -> list[tuple[str, str]]:
        """What others than its author said."""
        said = ((row["user_id"], text) for row, text in self.spoken if row["ts"] != row["thread_ts"])
        return [(user, text) for user, text in said if user and user != self.author]

    @property
    def is_answered(self) -> bool:
        """Whether somebody replied who may be of the team, and more than that he has the same question."""
        outsiders = self.workspace.outsiders
        return any(user not in outsiders and not ECHO.fullmatch(text) for user, text in self.replies)

    def _speaks(self, row: Row, message: Mapping[str, Any]) -> bool:
        opted_in = {
            row["channel_id"],
            self.workspace.channel_names.get(row["channel_id"]),
        } & self.workspace.bot_channels
        if _is_bot(row, message):
            return bool(opted_in)
        return row["subtype"] in SPOKEN

    def _speaker(self, user: str) -> str:
        if user == "USLACKBOT":
            return "Slackbot"
        key = user.partition("|")[0]
        return self.letters.setdefault(key, f"Speaker {_letters(len(self.letters))}")


def _is_bot(row: Row, message: Mapping[str, Any]) -> bool:
    """Programs post with a bot id; a person's client gives each message an id of its own."""
    is_program = bool(message.get("bot_id")) and not message.get("client_msg_id")
    return row["subtype"] == "bot_message" or row["user_id"] == "USLACKBOT" or is_program


def _time(row: Row) -> tuple[datetime, str]:
    return instant(row["ts"]), row["ts"]


def _letters(number: int) -> str:
    """0 is A, 25 is Z, 26 is AA."""
    return (_letters(number // 26 - 1) if number >= 26 else "") + chr(ord("A") + number % 26)
