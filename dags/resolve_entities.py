"""
### Resolve entities

Settles which entity each newly mentioned name stands for: a name of the catalog, one that was settled
before, or a new one. Where letters leave that open a model is asked, within the budget; what people decided in
`include/entities/` or `ops.entity_overrides` comes first. Ids once published are never renumbered.

**Starts when** `feedback.mentions` is updated. **Reads** `feedback.mentions`, the catalog, the overrides,
`ops.llm_answers`.
**Writes** `feedback.entity_names`, `feedback.entities`, `ops.entity_decisions`, `ops.entity_events`.
**Updates** the asset `feedback.entities`.

**If it fails**: nothing was published; the names keep the entities they had. Its line names the entry of
`include/entities/catalog.yaml`, the override or the rule that broke. Mend it and
clear the run; no answer is paid twice.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import dag

from feedback.operators.publish_operator import PublishOperator
from feedback.operators.resolve_operator import ResolveOperator
from feedback.operators.validate_operator import ValidateOperator
from include import assets, settings
from include.defaults import DAG_DEFAULTS
from include.entities import CATALOG, ENTITY_KINDS, MATCH, OVERRIDES
from include.expectations.entities import ENTITIES_SUBJECT
from include.llm import asking
from include.warehouse import warehouse

SETTINGS = settings.load()
TABLES = warehouse(SETTINGS)


@dag(schedule=[assets.ANSWERS["mentions"]], tags=["feedback", "resolve", "spends"], doc_md=__doc__, **DAG_DEFAULTS)
def resolve_entities() -> None:
    resolve = ResolveOperator(
        task_id="resolve",
        kinds=ENTITY_KINDS,
        catalog=CATALOG,
        overrides=OVERRIDES,
        match=MATCH,
        asking=asking(SETTINGS),
        warehouse=TABLES,
        pool="feedback_llm",
        execution_timeout=timedelta(hours=6),
    )
    validate = ValidateOperator(task_id="validate", subject=ENTITIES_SUBJECT, warehouse=TABLES)
    publish = PublishOperator(
        task_id="publish",
        subject=ENTITIES_SUBJECT,
        warehouse=TABLES,
        outlets=[assets.ENTITIES],
        pool="feedback_write",
    )

    resolve >> validate >> publish


resolve_entities()
