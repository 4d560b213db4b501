"""The day files of a Slack export: one look at all, and the messages of one.

The look reads each file without parsing it and tells what the whole export has to be known for: which
content is there, whose workspace it is, and which messages were edited by an event.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from feedback.model import Gap
from feedback.sources.base import Part, Past, Unreadable, fingerprint
from feedback.sources.json_file import parse
from feedback.sources.slack_rows import edited_ts, instant, is_message

TEAM = re.compile(rb'"team": ?"([TE][A-Z0-9]+)"')
WRITTEN = ("text", "blocks", "attachments", "files", "edited")
"""What an edit changes of a message."""

Message = dict[str, Any]


@dataclass
class Look:
    """What one look at every day file told.

    :param parts: the files that can be read.
    :param teams: how often the messages name a workspace.
    :param edits: the newest version that an event tells of a message, by folder and ``ts``.
    :param refused: what is known already to be no day file, by name.
    :param gaps: the files that cannot be read.
    """

    parts: list[Part] = field(default_factory=list)
    teams: Counter[str] = field(default_factory=Counter)
    edits: dict[str, dict[str, Message]] = field(default_factory=dict)
    refused: dict[str, list[Gap]] = field(default_factory=dict)
    gaps: list[Gap] = field(default_factory=list)


def look(source: str, names: Iterable[str], read: Callable[[str], bytes], past: Past) -> Look:
    """Look at the day files. A file that was refused before, and is the same, is not looked into."""
    seen = Look()
    for name in names:
        try:
            content = read(name)
        except Unreadable as refused:
            seen.gaps.append(refused.gap(source, name, None))
            continue
        part = Part(name, len(content), fingerprint(content))
        seen.parts.append(part)
        if known := past.refused_whole(part):
            seen.refused[name] = known
            continue
        seen.teams.update(team.decode() for team in TEAM.findall(content))
        if b'"message_changed"' in content:
            _collect_edits(seen.edits.setdefault(folder(name), {}), name, content)
    return seen


def folder(name: str) -> str:
    """Return the folder of a day file."""
    return name.split("/", 1)[0]


def messages(content: bytes, name: str) -> tuple[list[Message], int]:
    """Return the messages of a day file, and how many entries are none because they lack a timestamp.

    :raises Unreadable: the file is no list of messages.
    """
    entries = parse(content, name)
    if not isinstance(entries, list):
        raise Unreadable("not_a_list", f"{name} is not a list of messages: export the workspace again")
    good = [entry for entry in entries if is_message(entry)]
    return good, len(entries) - len(good)


def with_edit(message: Message, edit: Mapping[str, Any] | None) -> Message:
    """Return the message as its later version has it: an event may know more than the export, or less."""
    if edit is None or _edited_at(edit) <= _edited_at(message):
        return message
    kept = {key: value for key, value in message.items() if key not in WRITTEN}
    return kept | {key: edit[key] for key in WRITTEN if key in edit}


def _collect_edits(edits: dict[str, Message], name: str, content: bytes) -> None:
    try:
        events, _ = messages(content, name)
    except Unreadable:
        return
    for event in events:
        changed = event.get("message")
        if event.get("subtype") == "message_changed" and isinstance(changed, dict) and is_message(changed):
            edit = {"edited": {"ts": event["ts"]}, **changed}
            edits[changed["ts"]] = with_edit(edits.get(changed["ts"], {}), edit)


def _edited_at(message: Mapping[str, Any]) -> tuple[bool, Any]:
    ts = edited_ts(message)
    return (True, instant(ts)) if ts else (False, None)
