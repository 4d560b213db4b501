"""Every source there is: the kinds that variables choose, and your own, which need no variable.

Your own are tables and views of the warehouse, and classes of your own (docs/extending.md). For example:

    OWN = (
        TableSource(
            name="tickets",
            table="SUPPORT.PUBLIC.TICKETS",
            key="TICKET_ID",
            title="SUBJECT",
            text="BODY",
            author="REQUESTER_ID",
            posted_at="CREATED_AT",
            updated_at="UPDATED_AT",
            url="URL",
            hosts=("support.example.com",),
        ),
    )
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from feedback.errors import SettingError
from feedback.sources.app_store import AppStore
from feedback.sources.base import Source
from feedback.sources.google_play import GooglePlay
from feedback.sources.google_play_csv import GooglePlayCsv
from feedback.sources.itunes_feed import ItunesFeed
from feedback.sources.itunes_pages import ItunesPages
from feedback.sources.slack_api.source import SlackApi
from feedback.sources.slack_export import SlackExport

OWN: tuple[Source, ...] = ()

CHOSEN: tuple[type[Source], ...] = (
    SlackExport,
    SlackApi,
    AppStore,
    GooglePlay,
    GooglePlayCsv,
    ItunesFeed,
    ItunesPages,
)
"""The classes that include/sources.py makes sources of, as the variables say."""


def kinds(own: Iterable[Source]) -> tuple[str, ...]:
    """Return what ``source`` may say of an item.

    :raises SettingError: a name is taken, or is none that can stand in an id.
    """
    found = dict.fromkeys(source.kind for source in CHOSEN)
    taken = {*found, *(source.name for source in CHOSEN)}
    for source in own:
        if not re.fullmatch(r"[a-z][a-z0-9_]*", source.name):
            raise _refusal(f"a source cannot be named {source.name!r}: use small letters, digits and _")
        if source.name in taken:
            raise _refusal(f"there is a source {source.name} already: name the other one otherwise")
        taken.add(source.name)
        found[source.item_source] = None
    return tuple(found)


def hosts(own: Iterable[Source]) -> tuple[str, ...]:
    """Return where the links of your own sources may lead.

    :raises SettingError: one is no host.
    """
    found = {host: source for source in own for host in source.hosts}
    for host, source in found.items():
        if not re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", host):
            raise _refusal(f"{source.name}: {host!r} is no host such as support.example.com")
    return tuple(sorted(found))


def _refusal(line: str) -> SettingError:
    return SettingError(f"include/known_sources.py: {line}")


KINDS = kinds(OWN)
HOSTS = hosts(OWN)
