"""Where our tables live: the DuckDB file of this home, or the Snowflake database that the settings name."""

from __future__ import annotations

from feedback.errors import SettingError
from feedback.warehouse.base import Warehouse
from include.settings import ROOT, Settings

DDL = ROOT / "include" / "sql" / "ddl"


def warehouse(settings: Settings) -> Warehouse:
    """Return the warehouse that a run works on; nothing is opened yet.

    :raises SettingError: Snowflake is asked for, but what it needs is not set. The sample never goes there.
    """
    if settings.engine == "duckdb":
        from feedback.warehouse.duckdb import DuckDBWarehouse

        return DuckDBWarehouse(settings.warehouse_path, DDL)
    if settings.is_sample:
        raise SettingError(
            "FEEDBACK_WAREHOUSE=snowflake needs a source, as the bundled sample stays on DuckDB: set one of"
            " FEEDBACK_SLACK_EXPORT, FEEDBACK_SLACK_CHANNELS, FEEDBACK_APP_STORE_APPS, FEEDBACK_ITUNES_APPS,"
            " FEEDBACK_ITUNES_PAGES, FEEDBACK_GOOGLE_PLAY_APPS, FEEDBACK_GOOGLE_PLAY_CSV, or name a table in"
            " include/known_sources.py"
        )
    if settings.hash_salt is None:
        raise SettingError(
            "FEEDBACK_WAREHOUSE=snowflake needs FEEDBACK_HASH_SALT: one secret, the same on every worker"
            " (for example from `openssl rand -hex 32`)"
        )
    from feedback.warehouse.snowflake import SnowflakeWarehouse

    return SnowflakeWarehouse(settings.snowflake_conn_id, settings.snowflake_database, DDL)
