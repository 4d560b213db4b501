"""
### Triage digest

Writes what each team should read today, with a quote and a link each, posts it where a channel is set, and writes the
report on the whole. At most one digest per team and day. `watch` opens an incident where a source has fallen silent, a
Dag did not run or a channel takes no digest, and tells Slack what it could not be told before.

**Starts when** `feedback.entities` is updated, or at `FEEDBACK_DIGEST_CRON` where nothing was.
**Reads** `feedback.*`, `ops.*`. **Writes** `$FEEDBACK_HOME/digest/`, `$FEEDBACK_HOME/report/index.html`,
`ops.posts`, `ops.reports`, `ops.incidents`.

**If it fails**: no table is touched by it. Its line says which file could not be written; clear the run: what is posted
is not posted again. Slack being away is no failure. The report is written also where a digest failed.
"""

from __future__ import annotations

from airflow.sdk import AssetOrTimeSchedule, CronTriggerTimetable, dag

from feedback.operators.digest_operator import DigestOperator
from feedback.operators.golden_operator import GoldenOperator
from feedback.operators.migrate_operator import MigrateOperator
from feedback.operators.report_operator import ReportOperator
from feedback.operators.watch_operator import WatchOperator
from include import assets, settings
from include.alerts import notifier
from include.defaults import DAG_DEFAULTS
from include.digest import DIGEST, REPORT
from include.enrichments import ENRICHMENTS
from include.expectations import SUBJECTS
from include.golden import golden_file
from include.sources import WATCHED
from include.warehouse import warehouse

SETTINGS = settings.load()
TABLES = warehouse(SETTINGS)
AT_THE_LATEST = CronTriggerTimetable(SETTINGS.digest_cron, timezone=SETTINGS.timezone)


@dag(
    schedule=AssetOrTimeSchedule(timetable=AT_THE_LATEST, assets=[assets.ENTITIES]),
    tags=["feedback", "digest"],
    doc_md=__doc__,
    **DAG_DEFAULTS,
)
def triage_digest() -> None:
    migrate = MigrateOperator(task_id="migrate", warehouse=TABLES)
    golden = GoldenOperator(
        task_id="golden",
        file=golden_file(SETTINGS),
        enrichments=tuple(enrichment.name for enrichment in ENRICHMENTS),
        warehouse=TABLES,
    )
    digest = DigestOperator(task_id="digest", warehouse=TABLES, **DIGEST)
    watch = WatchOperator(
        task_id="watch",
        sources=WATCHED,
        subjects=SUBJECTS,
        woken=assets.WOKEN,
        notifier=notifier(SETTINGS),
        as_of=SETTINGS.as_of,
        warehouse=TABLES,
    )
    report = ReportOperator(task_id="report", warehouse=TABLES, trigger_rule="all_done", **REPORT)

    migrate >> [golden, digest, watch] >> report


triage_digest()
