"""``make doctor``: tries what is configured and says in one line each what is missing."""

from __future__ import annotations

import argparse
import json
import re
import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from functools import partial

from feedback.digest.escape import plain
from feedback.errors import FeedbackError
from feedback.sources.base import Finding, Past, Source
from include import settings
from include.cli import environment
from include.settings import Settings

HELP = "try each configured file, table, connection and pool, and say in one line each what is missing"
STATUSES = "exit status: 0 nothing is missing, 1 something is; a note is for you to know and needs no mending"

WIDTH = 28
"""Of what was looked at: an API with one of its apps."""
MARKS = {True: "ok", False: "MISSING", None: "note"}
LEAST_FREE_BYTES = 1_000_000_000
CREDENTIALS = re.compile(r"//[^/\s]*@")
"""A user and a password inside an address."""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = STATUSES
    parser.add_argument("--json", action="store_true", help="machine-readable")


def main(options: argparse.Namespace) -> int:
    findings = []
    for one in examine(settings.load()):
        found = {"mark": MARKS[one.is_fine], "what": one.what, "line": harmless(one.line)}
        findings.append(found)
        if not options.json:  # a look may take a while, so each is told when it is over
            print(f"{found['mark']:7}  {found['what']:{WIDTH}}  {found['line']}", flush=True)
    missing = sum(found["mark"] == MARKS[False] for found in findings)
    print(json.dumps({"missing": missing, "findings": findings}, indent=2) if options.json else f"\n{told(missing)}")
    return 1 if missing else 0


def told(missing: int) -> str:
    """Return the sum of it all."""
    if not missing:
        return "nothing is missing"
    return f"{missing} {'thing is' if missing == 1 else 'things are'} missing"


def harmless(line: str) -> str:
    """Return one line without what only looks like text, nor a credential that somebody wrote into an address."""
    return CREDENTIALS.sub("//…@", plain(line))


def examine(configured: Settings) -> Iterator[Finding]:
    """Yield what each look finds; a look that fails is a finding, not an end."""
    for what, look in (
        ("settings", _settings),
        ("warehouse", _warehouse),
        ("sources", _sources),
        ("model", _model),
        ("batches", _batches),
        ("slack", _slack),
        ("home", _home),
        ("airflow", _airflow),
    ):
        yield from _looked(what, look, configured)


def _looked(what: str, look: Callable[[Settings], Iterator[Finding]], configured: Settings) -> Iterator[Finding]:
    try:
        yield from look(configured)
    except FeedbackError as error:
        yield Finding(what, False, str(error))
    except Exception as error:  # noqa: BLE001 - the other looks are worth as much
        from include.cli import trouble

        yield Finding(what, False, trouble.line("doctor", error))


def _settings(configured: Settings) -> Iterator[Finding]:
    for variable in configured.unread:
        yield Finding(variable, None, "is no variable of ours: nothing reads it")
    yield Finding("settings", True, f"every variable can be used; Python {sys.version.split()[0]}")


def _sources(configured: Settings) -> Iterator[Finding]:
    from include.sources import sources

    found = sources(configured)
    if configured.is_sample:
        yield Finding("sources", None, "none is configured: runs read the bundled sample")
    if configured.slack_export and not configured.slack_domain:
        yield Finding("FEEDBACK_SLACK_DOMAIN", None, "not set: Slack items have no permalink")
    for source in found:
        yield from _looked(source.name, partial(_source, source), configured)


def _source(source: Source, configured: Settings) -> Iterator[Finding]:
    from feedback.sources.past import recall
    from include.warehouse import warehouse as open_warehouse

    warehouse = open_warehouse(configured)
    try:
        past = recall(warehouse, source.name)
    except FeedbackError:  # a finding of its own
        past = Past(rows=warehouse.rows)
    yield from source.examine(past)


def _warehouse(configured: Settings) -> Iterator[Finding]:
    from include.warehouse import warehouse as open_warehouse

    warehouse = open_warehouse(configured)
    applied = warehouse.migrate()
    moved = f"moved forward by {', '.join(applied)}" if applied else "its schema is current"
    where = configured.warehouse_path if warehouse.engine == "duckdb" else configured.snowflake_database
    yield Finding("warehouse", True, f"{warehouse.engine} {where}; {moved}")


def _model(configured: Settings) -> Iterator[Finding]:
    from feedback.hooks.model_endpoint import model_endpoint
    from feedback.llm.batch_session import offered
    from feedback.llm.session import models_of
    from include.llm import asking
    from include.warehouse import warehouse as open_warehouse

    how = asking(configured)
    endpoint = model_endpoint("openai_default", open_warehouse(configured).engine, how)
    if endpoint is None:
        yield Finding("openai_default", None, "not set: the offline model answers, which is not a language model")
        return
    models = models_of(how, endpoint)
    status = endpoint.reached()
    yield Finding("openai_default", True, f"{endpoint.base_url} answers ({status}); model {models.small.name}")
    if how.mode == "batch":
        offered(endpoint)
        yield Finding("openai_default", True, "it has a Batch API")


def _batches(configured: Settings) -> Iterator[Finding]:
    from feedback.llm.batch_out import batches_out
    from include.warehouse import warehouse as open_warehouse

    for batch in batches_out(open_warehouse(configured)):
        since = f"{batch.created_at:%Y-%m-%d %H:%M} UTC"
        yield Finding(batch.batch_id or "a batch", None, f"out since {since}, {batch.request_count:,} requests")


def _slack(configured: Settings) -> Iterator[Finding]:
    """Whether digests and alerts can be posted: nothing is, to see it."""
    from feedback.notifications.calling import may_post
    from include.alerts import slack
    from include.digest import channels

    for channel in sorted({*channels(configured).values(), *filter(None, [configured.alert_channel])}):
        missing = may_post(slack(configured), channel)
        yield Finding(channel, not missing, missing or "digests and alerts can be posted there")


def _home(configured: Settings) -> Iterator[Finding]:
    configured.home.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(configured.home).free
    yield Finding("FEEDBACK_HOME", free > LEAST_FREE_BYTES, f"{configured.home}, {free / 1e9:.1f} GB free")
    secret = configured.home / "hash_salt"
    if secret.exists() and stat.S_IMODE(secret.stat().st_mode) != 0o600:
        yield Finding("hash_salt", False, f"{secret} may be read by others: chmod 600 it")


def _airflow(configured: Settings) -> Iterator[Finding]:
    if not environment.join(configured.home / "airflow"):
        yield Finding("airflow", None, "no Airflow has been started here yet: make ui, or docker compose up")
        return
    pools, paused = _state()
    missing = sorted(set(environment.POOLS) - pools)
    yield Finding("pools", not missing, ", ".join(missing) + ": make them with `setup`" if missing else "all there")
    if paused:
        yield Finding("paused", None, f"{', '.join(paused)} will not run until you unpause them")


def _state() -> tuple[set[str], list[str]]:
    """Return the pools there are, and which of our Dags are paused; one that pays for calls is marked."""
    from airflow.models.dag import DagModel
    from airflow.models.pool import Pool
    from airflow.utils.session import create_session
    from sqlalchemy import select

    from include.cli.chain import CHAIN

    with create_session() as session:
        pools = {str(pool) for pool in session.scalars(select(Pool.pool))}
        paused = session.scalars(select(DagModel).where(DagModel.is_paused, DagModel.dag_id.in_(CHAIN)))
        marked = {dag.dag_id: " (spends)" if "spends" in {tag.name for tag in dag.tags} else "" for dag in paused}
    return pools, [dag_id + mark for dag_id, mark in sorted(marked.items())]
