"""The only reader of the environment: what each FEEDBACK_ variable means, checked once, in plain values.

.env.example lists them for people; a test holds the two together.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import feedback
from feedback.errors import SettingError

ROOT = Path(__file__).resolve().parents[1]
NEEDED_API = 1
"""The ``feedback.API`` that this ``include/`` was written against."""

if feedback.API != NEEDED_API:
    raise SettingError(
        f"plugins/feedback speaks API {feedback.API}, include/ needs {NEEDED_API}: roll out plugins/ first, then the bundle"
    )

MODES = ("online", "flex", "batch", "offline")
ENGINES = ("duckdb", "snowflake")


@dataclass(frozen=True)
class Settings:
    """Every variable, read. Paths are absolute; times are UTC without zone."""

    home: Path
    engine: str
    duckdb_path: Path | None
    slack_export: Path | None
    slack_channels: tuple[str, ...]
    slack_start: date | None
    slack_team: str | None
    slack_domain: str | None
    slack_minutes: int
    app_store_apps: tuple[str, ...]
    itunes_apps: tuple[str, ...]
    itunes_pages: Path | None
    google_play_apps: tuple[str, ...]
    google_play_csv: Path | None
    llm_model: str | None
    llm_large_model: str | None
    llm_rpm: int | None
    llm_tpm: int | None
    llm_concurrency: int
    llm_pack: int
    llm_mode: str
    llm_budget_usd: float
    llm_budget_usd_day: float
    llm_prices: Path | None
    llm_plan_usd: float
    as_of: datetime | None
    warehouse_asset: str
    snowflake_conn_id: str
    snowflake_database: str
    hash_salt: str | None
    retention_days: int | None
    store_emails: bool
    phone_region: str | None
    timezone: str
    digest_cron: str
    digest_channel: str | None
    alert_channel: str | None
    allow_http: tuple[str, ...]

    @property
    def has_source(self) -> bool:
        """Whether any source is configured; if not, the bundled sample is used."""
        return any(
            (
                self.slack_export,
                self.slack_channels,
                self.app_store_apps,
                self.itunes_apps,
                self.itunes_pages,
                self.google_play_apps,
                self.google_play_csv,
            )
        )

    @property
    def is_sample(self) -> bool:
        """Whether a run would work on the bundled sample."""
        return not self.has_source

    @property
    def data_home(self) -> Path:
        """Where warehouse, report, digests and alerts live: the sample keeps to a home of its own."""
        return self.home / "sample" if self.is_sample else self.home

    @property
    def warehouse_path(self) -> Path:
        """The DuckDB file in use; the sample never touches a configured one."""
        configured = None if self.is_sample else self.duckdb_path
        return configured or self.data_home / "warehouse.duckdb"


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Return the settings, each checked.

    :raises SettingError: one line that names the first variable whose value we cannot use.
    """
    read = _Reader(os.environ if environ is None else environ)
    return Settings(
        home=read("HOME", _path, ROOT / "var"),
        engine=read("WAREHOUSE", _one_of(ENGINES), "duckdb"),
        duckdb_path=read("DUCKDB_PATH", _path, None),
        slack_export=read("SLACK_EXPORT", _path, None),
        slack_channels=read("SLACK_CHANNELS", _names, ()),
        slack_start=read("SLACK_START", date.fromisoformat, None, "a date such as 2026-08-01"),
        slack_team=read("SLACK_TEAM", str, None),
        slack_domain=read("SLACK_DOMAIN", _matching(r"[a-z0-9][a-z0-9-]*", "the first part of <domain>.slack.com"), None),
        slack_minutes=read("SLACK_MINUTES", _whole(1), 20),
        app_store_apps=read("APP_STORE_APPS", _names, ()),
        itunes_apps=read("ITUNES_APPS", _names, ()),
        itunes_pages=read("ITUNES_PAGES", _path, None),
        google_play_apps=read("GOOGLE_PLAY_APPS", _names, ()),
        google_play_csv=read("GOOGLE_PLAY_CSV", _path, None),
        llm_model=read("LLM_MODEL", str, None),
        llm_large_model=read("LLM_LARGE_MODEL", str, None),
        llm_rpm=read("LLM_RPM", _whole(1), None),
        llm_tpm=read("LLM_TPM", _whole(1), None),
        llm_concurrency=read("LLM_CONCURRENCY", _whole(1), 32),
        llm_pack=read("LLM_PACK", _whole(1), 20),
        llm_mode=read("LLM_MODE", _one_of(MODES), "online"),
        llm_budget_usd=read("LLM_BUDGET_USD", _dollars, 5.0),
        llm_budget_usd_day=read("LLM_BUDGET_USD_DAY", _dollars, 20.0),
        llm_prices=read("LLM_PRICES", _path, None),
        llm_plan_usd=read("LLM_PLAN_USD", _dollars, 1.0),
        as_of=read("AS_OF", _instant, None),
        warehouse_asset=read("WAREHOUSE_ASSET", str, "warehouse_main"),
        snowflake_conn_id=read("SNOWFLAKE_CONN_ID", str, "snowflake_default"),
        snowflake_database=read("SNOWFLAKE_DATABASE", _matching(r"[A-Za-z_][A-Za-z0-9_$]*", "a plain identifier"), "FEEDBACK"),
        hash_salt=read("HASH_SALT", str, None),
        retention_days=read("RETENTION_DAYS", _whole(1), None),
        store_emails=read("STORE_EMAILS", _switch, False),
        phone_region=read("PHONE_REGION", _matching(r"[A-Z]{2}", "two capital letters such as DE"), None),
        timezone=read("TIMEZONE", _zone, "UTC"),
        digest_cron=read("DIGEST_CRON", _matching(r"\S+( \S+){4}", "five cron fields"), "0 7 * * *"),
        digest_channel=read("DIGEST_CHANNEL", str, None),
        alert_channel=read("ALERT_CHANNEL", str, None),
        allow_http=read("ALLOW_HTTP", _names, ()),
    )


class _Reader:
    """Reads FEEDBACK_<name>; an empty variable is an unset one, as compose passes them."""

    def __init__(self, environ: Mapping[str, str]):
        self.environ = environ

    def __call__(self, name: str, parse: Callable[[str], Any], default: Any, wanted: str | None = None) -> Any:
        variable = f"FEEDBACK_{name}"
        value = self.environ.get(variable, "").strip()
        if not value:
            return default
        try:
            return parse(value)
        except (ValueError, KeyError, OSError) as error:
            raise SettingError(f"{variable}={value!r} is not {wanted or error}: correct it or unset it") from None


def _path(value: str) -> Path:
    path = Path(value).expanduser()
    return path if path.is_absolute() else ROOT / path


def _names(value: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.strip() for name in value.split(",") if name.strip()))


def _one_of(choices: tuple[str, ...]) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if value not in choices:
            raise ValueError(f"one of {', '.join(choices)}")
        return value

    return parse


def _matching(pattern: str, wanted: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError(wanted)
        return value

    return parse


def _whole(least: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        if not value.isdecimal() or int(value) < least:
            raise ValueError(f"a whole number of at least {least}")
        return int(value)

    return parse


def _dollars(value: str) -> float:
    try:
        amount = float(value)
    except ValueError:
        amount = -1.0
    if not 0 <= amount < float("inf"):
        raise ValueError("an amount of US dollars such as 2.50")
    return amount


def _switch(value: str) -> bool:
    words = {"1": True, "true": True, "on": True, "yes": True, "0": False, "false": False, "off": False, "no": False}
    if value.lower() not in words:
        raise ValueError("on or off")
    return words[value.lower()]


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ValueError, KeyError, OSError):
        raise ValueError("a time zone such as Europe/Berlin") from None
    return value


def _instant(value: str) -> datetime:
    try:
        instant = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError("an ISO instant such as 2026-11-02T09:00:00Z") from None
    return instant.astimezone(UTC).replace(tzinfo=None) if instant.tzinfo else instant
