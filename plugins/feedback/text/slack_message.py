"""A Slack message, of any age and shape, to plain text.

Blocks, else the text field; then attachments, then what its files say. Whatever has another shape than
Slack documents is passed over: a stranger's message never stops a load.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from feedback.text import mrkdwn
from feedback.text.mrkdwn import Names

DEEPEST = 12
"""Blocks nest to five levels or so; what nests deeper was made to hurt."""
UPLOADED = re.compile(
    r"^<@\w+(?:\|[^<>]*)?> (?:uploaded|shared|commented on)(?: <@\w+(?:\|[^<>]*)?>[’']s)?[^<\n]*<[^<>]*>"
    r"(?: and commented)?:? ?"
)
"""How Slack worded a file share before 2018: only what follows are a person's words."""


def words(message: Mapping[str, Any], names: Names) -> str:
    """Return what the message says, plain; empty where it holds no words, such as a bare file."""
    body = _blocks(message.get("blocks"), names) or _text(message, names)
    parts = [body, *_attachments(message, names), *_file_words(message, names)]
    said = "\n".join(part for part in parts if part)
    titles = [f"[file: {title}]" for title in _titles(message)] if said else []
    return "\n".join([said, *titles]).replace("\r\n", "\n").replace("\x00", "").strip()


def _text(message: Mapping[str, Any], names: Names) -> str:
    text = _str(message.get("text"))
    if message.get("subtype") in ("file_share", "file_comment"):
        text = UPLOADED.sub("", text)
    return mrkdwn.plain(text, names).strip()


def _blocks(blocks: Any, names: Names) -> str:
    return "\n".join(part for block in _dicts(blocks) if (part := _block(block, names).strip("\n")))


def _block(block: Mapping[str, Any], names: Names) -> str:
    kind = block.get("type")
    if kind == "rich_text":
        return "\n".join(_rich(element, names, 0) for element in _dicts(block.get("elements")))
    if kind == "markdown":
        return mrkdwn.emojis(_str(block.get("text")))
    if kind in ("section", "header"):
        return "\n".join(_object(part, names) for part in [block.get("text"), *_dicts(block.get("fields"))])
    if kind == "context":
        return " ".join(_object(part, names) for part in _dicts(block.get("elements")))
    if kind == "table":
        return "\n".join(_row(row, names) for row in _list(block.get("rows")))
    return ""


def _row(row: Any, names: Names) -> str:
    return " | ".join(_block(cell, names) or _object(cell, names) for cell in _dicts(row))


def _object(part: Any, names: Names) -> str:
    """A text object: mrkdwn or plain_text."""
    if not isinstance(part, Mapping):
        return ""
    text = _str(part.get("text"))
    return mrkdwn.plain(text, names) if part.get("type") == "mrkdwn" else mrkdwn.emojis(text)


def _rich(element: Mapping[str, Any], names: Names, depth: int) -> str:
    """One element of rich text; its texts are literal, not mrkdwn."""
    kind = _str(element.get("type"))
    if kind in RICH:
        return RICH[kind](element, names)
    if depth >= DEEPEST:
        return ""
    inner = [_rich(child, names, depth + 1) for child in _dicts(element.get("elements"))]
    if kind == "rich_text_list":
        numbered = element.get("style") == "ordered"
        return "\n".join(f"{f'{number}.' if numbered else '-'} {line}" for number, line in enumerate(inner, 1))
    joined = "".join(inner)
    if kind == "rich_text_preformatted":
        return f"```\n{joined}\n```"
    if kind == "rich_text_quote":
        return "\n".join(f"> {line}" for line in joined.split("\n"))
    return joined


def _rich_emoji(element: Mapping[str, Any], names: Names) -> str:
    try:
        character = "".join(chr(int(code, 16)) for code in _str(element["unicode"]).split("-"))
        return character.encode().decode()
    except (KeyError, ValueError, OverflowError):
        return mrkdwn.emojis(f":{_str(element.get('name'))}:")


def _rich_text(element: Mapping[str, Any], names: Names) -> str:
    style = element.get("style")
    text = _str(element.get("text"))
    return f"`{text}`" if isinstance(style, Mapping) and style.get("code") and text.strip() else text


RICH: dict[str, Callable[[Mapping[str, Any], Names], str]] = {
    "text": _rich_text,
    "emoji": _rich_emoji,
    "link": lambda element, names: mrkdwn.link(
        re.sub(r"^(?:mailto|tel):", "", _str(element.get("url"))), _str(element.get("text"))
    ),
    "user": lambda element, names: "@" + names.user(_str(element.get("user_id"))),
    "channel": lambda element, names: (
        "#" + (names.channels.get(_str(element.get("channel_id"))) or _str(element.get("channel_id")))
    ),
    "usergroup": lambda element, names: "@group",
    "broadcast": lambda element, names: "@" + _str(element.get("range")),
    "color": lambda element, names: _str(element.get("value")),
    "date": lambda element, names: _str(element.get("fallback")) or mrkdwn.date(_str(element.get("timestamp"))),
}


def _attachments(message: Mapping[str, Any], names: Names) -> Iterator[str]:
    for attachment in _dicts(message.get("attachments")):
        lines = [mrkdwn.plain(_str(attachment.get(part)), names) for part in ("pretext", "title", "text")]
        for field in _dicts(attachment.get("fields")):
            title, value = _str(field.get("title")), _str(field.get("value"))
            lines.append(mrkdwn.plain(f"{title}: {value}" if title and value else title or value, names))
        lines.append(_blocks(attachment.get("blocks"), names))
        said = "\n".join(line.strip() for line in lines if line.strip())
        yield said or mrkdwn.plain(_str(attachment.get("fallback")), names).strip()


def _files(message: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """``files`` since 2018, ``file`` before."""
    return _dicts(message.get("files")) or _dicts([message.get("file")])


def _titles(message: Mapping[str, Any]) -> list[str]:
    return [title for file in _files(message) if (title := _str(file.get("title")) or _str(file.get("name")))]


def _file_words(message: Mapping[str, Any], names: Names) -> Iterator[str]:
    for file in _files(message):
        comment = file.get("initial_comment")
        if isinstance(comment, Mapping) and (said := _str(comment.get("comment"))):
            yield mrkdwn.plain(said, names)
        yield _str(file.get("plain_text")) or _str(file.get("preview")) or _transcript(file)


def _transcript(file: Mapping[str, Any]) -> str:
    transcript = file.get("transcription") or file.get("transcript")
    preview = transcript.get("preview") if isinstance(transcript, Mapping) else None
    return _str(preview.get("content")) if isinstance(preview, Mapping) else ""


def _str(value: Any) -> str:
    return value if isinstance(value, str) else str(value) if isinstance(value, int) else ""


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _dicts(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in _list(value) if isinstance(one, dict)]
