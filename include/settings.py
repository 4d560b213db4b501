"""The only reader of the environment: what each FEEDBACK_ variable means, checked once, in plain values.

.env.example lists them for people; a test holds the two together.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import feedback
from feedback.errors import SettingError
from include.connections import refuse_broken_connections
from include.variables import (
    Reader,
    asset,
    cron,
    dollars,
    instant,
    matching,
    names,
    names_like,
    one_of,
    region,
    switch,
    under,
    whole,
    zone,
)

try:
    from include import known_sources
except SettingError:
    raise
except Exception as error:  # people edit that file, and what they mistype is for them to read
    raise SettingError(f"include/known_sources.py: {type(error).__name__}: {error}") from error

ROOT = Path(__file__).resolve().parents[1]
NEEDED_API = 1
"""The ``feedback.API`` that this ``include/`` was written against."""

if feedback.API != NEEDED_API:
    raise SettingError(
        f"plugins/feedback speaks API {feedback.API}, include/ needs {NEEDED_API}:"
        " roll out plugins/ first, then the bundle"
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
    warehouse_asset_uri: str | None
    example_warehouse: bool
    retry_seconds: int
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
    unread: tuple[str, ...]

    @property
    def has_source(self) -> bool:
        """Whether any source is configured; if not, the bundled sample is used."""
        return any(
            (
                known_sources.OWN,
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
    def reads_api(self) -> bool:
        """Whether a source goes on by itself, so that the clock is now; a file is as of its newest item."""
        channels = self.slack_channels and not self.slack_export
        return any((known_sources.OWN, channels, self.app_store_apps, self.itunes_apps, self.google_play_apps))

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

    :raises SettingError: one line that names the first variable whose value, or whose name, we cannot use.
    """
    environ = os.environ if environ is None else environ
    refuse_broken_connections(environ)
    read = Reader(environ)
    return Settings(
        home=read("HOME", under(ROOT), ROOT / "var"),
        engine=read("WAREHOUSE", one_of(ENGINES), "duckdb"),
        duckdb_path=read("DUCKDB_PATH", under(ROOT), None),
        slack_export=read("SLACK_EXPORT", under(ROOT), None),
        slack_channels=read("SLACK_CHANNELS", names, ()),
        slack_start=read("SLACK_START", date.fromisoformat, None, "a date such as 2026-08-01"),
        slack_team=read("SLACK_TEAM", str, None),
        slack_domain=read(
            "SLACK_DOMAIN", matching(r"[a-z0-9][a-z0-9-]*", "the first part of <domain>.slack.com"), None
        ),
        slack_minutes=read("SLACK_MINUTES", whole(1), 20),
        app_store_apps=read("APP_STORE_APPS", names_like(r"\d+", "app ids such as 1234567890"), ()),
        itunes_apps=read("ITUNES_APPS", names_like(r"[a-z]{2}:\d+", "country:app_id such as us:1234567890"), ()),
        itunes_pages=read("ITUNES_PAGES", under(ROOT), None),
        google_play_apps=read(
            "GOOGLE_PLAY_APPS", names_like(r"\w+(\.\w+)+", "package names such as com.example.app"), ()
        ),
        google_play_csv=read("GOOGLE_PLAY_CSV", under(ROOT), None),
        llm_model=read("LLM_MODEL", str, None),
        llm_large_model=read("LLM_LARGE_MODEL", str, None),
        llm_rpm=read("LLM_RPM", whole(1), None),
        llm_tpm=read("LLM_TPM", whole(1), None),
        llm_concurrency=read("LLM_CONCURRENCY", whole(1), 32),
        llm_pack=read("LLM_PACK", whole(1), 20),
        llm_mode=read("LLM_MODE", one_of(MODES), "online"),
        llm_budget_usd=read("LLM_BUDGET_USD", dollars, 5.0),
        llm_budget_usd_day=read("LLM_BUDGET_USD_DAY", dollars, 20.0),
        llm_prices=read("LLM_PRICES", under(ROOT), None),
        llm_plan_usd=read("LLM_PLAN_USD", dollars, 1.0),
        as_of=read("AS_OF", instant, None),
        warehouse_asset=read("WAREHOUSE_ASSET", asset, ("warehouse_main", None))[0],
        warehouse_asset_uri=read("WAREHOUSE_ASSET", asset, ("warehouse_main", None))[1],
        example_warehouse=read("EXAMPLE_WAREHOUSE", switch, False),
        retry_seconds=read("RETRY_SECONDS", whole(1), 300),
        snowflake_conn_id=read("SNOWFLAKE_CONN_ID", str, "snowflake_default"),
        snowflake_database=read(
            "SNOWFLAKE_DATABASE", matching(r"[A-Za-z_][A-Za-z0-9_$]*", "a plain identifier"), "FEEDBACK"
        ),
        hash_salt=read("HASH_SALT", str, None),
        retention_days=read("RETENTION_DAYS", whole(1), None),
        store_emails=read("STORE_EMAILS", switch, False),
        phone_region=read("PHONE_REGION", region, None),
        timezone=read("TIMEZONE", zone, "UTC"),
        digest_cron=read("DIGEST_CRON", cron, "0 7 * * *"),
        digest_channel=read("DIGEST_CHANNEL", str, None),
        alert_channel=read("ALERT_CHANNEL", str, None),
        allow_http=read("ALLOW_HTTP", names, ()),
        unread=read.unread(),  # the last of all
    )
