"""
### Extract feedback

Reads what customers said since the last run, once the company's warehouse is ready for the day, erases
what is older than `FEEDBACK_RETENTION_DAYS`, makes one item of each thread and review, masked, and
publishes the items that pass their suite.

**Starts when** the warehouse asset is updated. **Reads** the configured sources.
**Writes** `raw.*`, `feedback.items`. **Updates** the asset `feedback.items`.

**If it fails**: a source that could not be read holds back nobody: what the others brought is published,
and the last task names the source. Put right what its line says and clear the run; nothing is read twice.
If `validate` failed, nothing was published: see `ops.validations`.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import dag

from feedback.operators.extract_operator import ExtractOperator
from feedback.operators.items_operator import ItemsOperator
from feedback.operators.migrate_operator import MigrateOperator
from feedback.operators.publish_operator import PublishOperator
from feedback.operators.retention_operator import RetentionOperator
from feedback.operators.sources_operator import SourcesOperator
from feedback.operators.validate_operator import ValidateOperator
from include import settings
from include.assets import ITEMS, WAREHOUSE
from include.defaults import DAG_DEFAULTS, LONGEST
from include.erasure import RETENTION
from include.expectations.items import ITEMS_SUBJECT
from include.sources import ITEM_RULES, SOURCES
from include.warehouse import warehouse

TABLES = warehouse(settings.load())


@dag(schedule=[WAREHOUSE], tags=["feedback", "extract"], doc_md=__doc__, **DAG_DEFAULTS)
def extract_feedback() -> None:
    migrate = MigrateOperator(task_id="migrate", warehouse=TABLES)
    extract = [
        ExtractOperator(
            task_id=f"extract_{source.name}",
            source=source,
            salt=ITEM_RULES["salt"],
            warehouse=TABLES,
            pool=source.pool,
            execution_timeout=LONGEST + timedelta(minutes=source.minutes),
        )
        for source in SOURCES
    ]
    expire = RetentionOperator(
        task_id="expire", warehouse=TABLES, trigger_rule="all_done", pool="feedback_write", **RETENTION
    )
    stage = ItemsOperator(task_id="stage", warehouse=TABLES, trigger_rule="all_done", **ITEM_RULES)
    validate = ValidateOperator(task_id="validate", subject=ITEMS_SUBJECT, warehouse=TABLES)
    publish = PublishOperator(
        task_id="publish", subject=ITEMS_SUBJECT, warehouse=TABLES, outlets=[ITEMS], pool="feedback_write"
    )
    complete = SourcesOperator(task_id="complete", warehouse=TABLES)

    migrate >> extract >> expire >> stage >> validate >> publish >> complete


extract_feedback()
