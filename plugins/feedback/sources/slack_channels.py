"""Which folder of a Slack export is which channel, and who may read it.

A folder carries the channel's name; its id and whether it is public stand in the listings beside it. A
listing that cannot be read refuses the whole export: without it a private channel would pass for public.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from feedback.sources.archive import Archive, all_names
from feedback.sources.base import Unreadable
from feedback.sources.json_file import parse

KINDS = ("public", "private", "direct")
"""From open to closed."""
LISTINGS = {"channels.json": "public", "groups.json": "private", "dms.json": "direct", "mpims.json": "direct"}
ABOUT = (*LISTINGS, "users.json", "org_users.json", "integration_logs.json", "canvases.json")
DAY = re.compile(r"([^/]+)/\d{4}-\d{2}-\d{2}\.json")
DIRECT = re.compile(r"D[A-Z0-9]{6,}|mpdm-.*")
"""How folders of direct messages are called, listed or not."""


@dataclass(frozen=True)
class Channel:
    """A conversation of the export.

    :param kind: ``public``, ``private`` or ``direct``.
    :param payload: as the listing has it; only its name where none does.
    """

    id: str
    name: str
    kind: str
    payload: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Contents:
    """What lies in an export: its day files by folder, and the conversations it lists.

    :param top: the folder inside the archive that holds the export, with its slash; mostly none.
    :param about: the files that speak about the workspace.
    :param others: files that are neither.
    :param listed: the conversations, the more private ones last.
    """

    top: str
    about: list[str]
    days: dict[str, list[str]]
    others: list[str]
    listed: list[Channel]

    @cached_property
    def by_name(self) -> dict[str, Channel]:
        """The listed channels by id and name; where a name or an id stands for two, the more private one."""
        by_id = {channel.id: channel for channel in self.listed}
        return {name: by_id[channel.id] for channel in self.listed for name in (channel.id, composed(channel.name))}

    def channel(self, folder: str) -> Channel:
        """Return the channel of a folder; one that no listing knows is public unless its name says otherwise."""
        name = composed(folder)
        kind = "direct" if DIRECT.fullmatch(name) else "public"
        return self.by_name.get(name) or Channel(id=name, name=name, kind=kind, payload={"name": name})


def contents(archive: Archive) -> Contents:
    """Return what lies in an export.

    :raises Unreadable: it is no export, or one of its listings is broken.
    """
    names = list(all_names(archive.names(), ".json"))
    top = _top(names)
    inside = [name.removeprefix(top) for name in names if name.startswith(top)]
    days: dict[str, list[str]] = {}
    for name in inside:
        if found := DAY.fullmatch(name):
            days.setdefault(found.group(1), []).append(name)
    if not days and "channels.json" not in inside:
        raise Unreadable(
            "not_an_export",
            f"{archive.path} holds neither channels.json nor <channel>/<day>.json: name a Slack export, ZIP or folder",
        )
    about = [name for name in inside if name in ABOUT]
    others = [name for name in inside if not DAY.fullmatch(name) and name not in ABOUT]
    listed = sorted(_listed(archive, top, inside), key=lambda channel: KINDS.index(channel.kind))
    return Contents(top, about, days, others, listed)


def composed(name: str) -> str:
    """Return a name in the one form it is compared in: a Mac writes é in a path as two characters."""
    return unicodedata.normalize("NFC", name)


def wanted(channels: Iterable[Channel], named: Collection[str]) -> list[Channel]:
    """Return the channels that may be loaded: public ones, and private ones that are named."""
    return [
        channel
        for channel in channels
        if channel.kind == "public" or (channel.kind == "private" and {channel.id, channel.name} & set(named))
    ]


def _top(names: list[str]) -> str:
    """The folder that holds the export, where somebody packed it once more."""
    tops = [name.removesuffix(listing) for name in names for listing in ABOUT if f"/{name}".endswith(f"/{listing}")]
    tops = tops or [f"/{name}".rsplit("/", 2)[0].lstrip("/") + "/" for name in names if DAY.search(name)]
    shallowest = min(tops, key=lambda top: (top.count("/"), top), default="")
    return "" if shallowest == "/" else shallowest


def _listed(archive: Archive, top: str, inside: Collection[str]) -> Iterator[Channel]:
    for listing, kind in LISTINGS.items():
        if listing not in inside:
            continue
        entries = parse(archive.read(top + listing), listing)
        if not isinstance(entries, list):
            raise Unreadable("not_a_list", f"{listing} is not a list of channels: export the workspace again")
        for entry in entries:
            if isinstance(entry, dict) and isinstance(entry.get("id"), str):
                name = entry.get("name")
                yield Channel(entry["id"], name if isinstance(name, str) else entry["id"], _kind(entry, kind), entry)


def _kind(entry: Mapping[str, Any], listed_as: str) -> str:
    if entry.get("is_im") is True or entry.get("is_mpim") is True:
        return "direct"
    return "private" if entry.get("is_private") is True and listed_as == "public" else listed_as
