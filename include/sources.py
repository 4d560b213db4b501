"""Which sources are read: what the variables name and include/known_sources.py holds, else the bundled sample."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from feedback.errors import SettingError
from feedback.hooks.slack_client import slack_client
from feedback.sources.app_store import AppStore
from feedback.sources.base import Source
from feedback.sources.google_play import GooglePlay
from feedback.sources.google_play_csv import GooglePlayCsv
from feedback.sources.itunes_feed import ItunesFeed
from feedback.sources.itunes_pages import ItunesPages
from feedback.sources.slack_api.pace import Clock
from feedback.sources.slack_api.source import SlackApi
from feedback.sources.slack_export import SlackExport
from include import known_sources, settings
from include.settings import ROOT, Settings

if TYPE_CHECKING:
    from feedback.sources.app_store_client import AppStoreClient
    from feedback.sources.google_play_client import GooglePlayClient
    from feedback.sources.web import Web

SAMPLE = ROOT / "include/sample"
FILES = (SlackExport, GooglePlayCsv, ItunesPages)
BOT_CHANNELS: tuple[str, ...] = ()
"""Slack channels, by id or name, whose bots speak for customers, such as a contact form's."""


def sources(chosen: Settings) -> tuple[Source, ...]:
    """Return the sources that the settings name, and your own.

    :raises SettingError: a variable asks for what is not built, or names an app twice.
    """
    _refuse_twice(chosen)
    if chosen.is_sample:
        return (
            SlackExport(SAMPLE / "slack_export"),
            GooglePlayCsv(SAMPLE / "google_play"),
            ItunesPages(SAMPLE / "itunes"),
        )
    found: list[Source] = []
    if chosen.slack_export:
        found.append(
            SlackExport(
                chosen.slack_export,
                channels=chosen.slack_channels,
                team=chosen.slack_team,
                store_emails=chosen.store_emails,
            )
        )
    if chosen.slack_channels:
        found.append(_slack_api(chosen))
    if chosen.app_store_apps:
        found.append(AppStore(chosen.app_store_apps, partial(_app_store, chosen)))
    if chosen.google_play_apps:
        found.append(GooglePlay(chosen.google_play_apps, partial(_google_play, chosen)))
    if chosen.google_play_csv:
        found.append(GooglePlayCsv(chosen.google_play_csv))
    if chosen.itunes_apps:
        found.append(ItunesFeed(chosen.itunes_apps, partial(_itunes, chosen)))
    if chosen.itunes_pages:
        found.append(ItunesPages(chosen.itunes_pages))
    return (*found, *known_sources.OWN)


def _slack_api(chosen: Settings) -> SlackApi:
    """With an export, the channels may be its private ones: then nothing is read where no connection is set."""
    as_of = chosen.as_of
    return SlackApi(
        client=partial(slack_client, "slack_api_default", chosen.allow_http, is_required=not chosen.slack_export),
        channels=chosen.slack_channels,
        start=chosen.slack_start,
        minutes=chosen.slack_minutes,
        store_emails=chosen.store_emails,
        clock=Clock(now=lambda: as_of) if as_of else Clock(),
    )


def salt(chosen: Settings) -> bytes:
    """Return the secret of the author hashes: as set, else one that is generated once and kept.

    :raises SettingError: several machines would each make their own.
    """
    if chosen.hash_salt:
        return chosen.hash_salt.encode()
    if chosen.engine == "snowflake" and not chosen.is_sample:
        raise SettingError("FEEDBACK_HASH_SALT is not set: on Snowflake all workers need the same; set it once")
    return _kept(chosen.home / "hash_salt")


def item_rules(chosen: Settings) -> dict[str, Any]:
    """Return what the operator that makes items has to know."""
    return {
        "salt": partial(salt, chosen),
        "phone_region": chosen.phone_region,
        "slack_domain": chosen.slack_domain,
        "bot_channels": BOT_CHANNELS,
        "hosts": known_sources.HOSTS,
    }


def _app_store(chosen: Settings) -> AppStoreClient:
    from feedback.hooks.app_store_hook import AppStoreHook

    return AppStoreHook(allow_http=chosen.allow_http).get_conn()


def _google_play(chosen: Settings) -> GooglePlayClient:
    from feedback.hooks.google_play_hook import GooglePlayHook

    return GooglePlayHook(allow_http=chosen.allow_http).get_conn()


def _itunes(chosen: Settings) -> Web:
    from feedback.hooks.itunes_hook import ItunesHook

    return ItunesHook(allow_http=chosen.allow_http).get_conn()


def _refuse_twice(chosen: Settings) -> None:
    in_feed = {app.rpartition(":")[2] for app in chosen.itunes_apps}
    if both := sorted(in_feed & set(chosen.app_store_apps)):
        raise SettingError(
            f"app {both[0]} is in FEEDBACK_APP_STORE_APPS and in FEEDBACK_ITUNES_APPS: its reviews would count"
            " twice; name it in one of them"
        )


def _kept(file: Path) -> bytes:
    """The secret in a file that only we may read; made by whoever comes first."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        mine = file.with_name(f"{file.name}.{os.getpid()}")
        with os.fdopen(os.open(mine, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as made:
            made.write(secrets.token_hex(32))
        try:
            os.link(mine, file)
        except FileExistsError:
            pass
        finally:
            mine.unlink()
    return file.read_bytes()


def watched(found: Iterable[Source]) -> frozenset[str]:
    """Return the sources of items that go on by themselves, so that their silence means something."""
    return frozenset(source.item_source for source in found if not isinstance(source, FILES))


SETTINGS = settings.load()
SOURCES = sources(SETTINGS)
WATCHED = watched(SOURCES)
ITEM_RULES = item_rules(SETTINGS)
