"""What of a Slack export is not meant to be read, counted: direct messages, private channels, other files."""

from __future__ import annotations

from collections.abc import Iterator

from feedback.model import Gap, digest
from feedback.sources.archive import Archive
from feedback.sources.base import Past, Unreadable
from feedback.sources.slack_channels import Channel, Contents
from feedback.sources.slack_days import messages


def skipped(source: str, archive: Archive, found: Contents, unread: list[Channel], past: Past) -> Iterator[Gap]:
    """Yield a gap for each kind of thing that is left out.

    :param unread: the channels with messages that are not loaded.
    """
    if unsafe := [name[:200] for name in archive.unsafe()]:
        detail = f"{archive.path.name} holds paths that lead outside it, such as {unsafe[0]!r}: they were not read"
        yield Gap(source, unsafe[0], "refused", "unsafe_path", detail, len(unsafe))
    if others := found.others:
        yield Gap(source, "other files", "skipped", "not_messages", f"no messages in {others[0]}, …", len(others))
    direct = [channel for channel in unread if channel.kind == "direct"]
    if direct:
        gap = Gap(source, "direct messages", "skipped", "direct_messages", "direct messages are never loaded")
        yield _counted(gap, archive, found, direct, past)
    for channel in unread:
        if channel.kind == "private":
            detail = f"#{channel.name} is private: name it in FEEDBACK_SLACK_CHANNELS to load it"
            gap = Gap(source, channel.name, "skipped", "private_channel", detail)
            yield _counted(gap, archive, found, [channel], past)


def _counted(gap: Gap, archive: Archive, found: Contents, channels: list[Channel], past: Past) -> Gap:
    """The gap with its number of messages; they are counted once, and not looked at again."""
    names = [name for folder, days in found.days.items() if found.channel(folder) in channels for name in days]
    sha = digest(*names)
    known = past.refusals(gap.part, sha)
    count = sum(_messages(archive, found.top + name) for name in names) if not known else known[0].row_count
    return Gap(gap.source, gap.part, gap.status, gap.reason, gap.detail, count, sha)


def _messages(archive: Archive, name: str) -> int:
    try:
        return len(messages(archive.read(name), name)[0])
    except Unreadable:
        return 0
