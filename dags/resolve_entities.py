"""
### Resolve entities

Settles which entity each newly mentioned name stands for: a name of the catalog, one that was settled
before, or a new one. Ids once published are never renumbered.

**Starts when** `feedback.mentions` is updated. **Reads** `feedback.mentions`, the catalog.
**Writes** `feedback.entity_names`, `feedback.entities`, `ops.entity_decisions`, `ops.entity_events`.
**Updates** the asset `feedback.entities`.

**If it fails**: nothing was published; the names keep the entities they had. Its line names the entry of
`include/entities/catalog.yaml` or the rule that broke. Mend it and clear the run.
"""

from __future__ import annotations

from airflow.sdk import dag

from feedback.operators.publish_operator import PublishOperator
from feedback.operators.resolve_operator import ResolveOperator
from feedback.operators.validate_operator import ValidateOperator
from include import assets, settings
from include.defaults import DAG_DEFAULTS
from include.entities import CATALOG, ENTITY_KINDS
from include.expectations.entities import ENTITIES_SUBJECT
from include.warehouse import warehouse

TABLES = warehouse(settings.load())


@dag(schedule=[assets.ANSWERS["mentions"]], tags=["feedback", "resolve"], doc_md=__doc__, **DAG_DEFAULTS)
def resolve_entities() -> None:
    resolve = ResolveOperator(task_id="resolve", kinds=ENTITY_KINDS, catalog=CATALOG, warehouse=TABLES)
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
