"""
### Enrich feedback

Asks a model every question that an item still owes, many items to a request, within the budget; checks
each answer; publishes, question by question, what passes its suite. Golden items are asked before them, once by each
prompt version and model: a changed prompt that is worse than what is published is blocked.

**Starts when** `feedback.items` is updated. **Reads** `feedback.items`, `ops.answers`, `ops.llm_answers`.
**Writes** `ops.llm_answers`, `ops.llm_calls`, `ops.llm_batches`, `ops.golden_answers`, `feedback.<enrichment>`,
`ops.answers`, `ops.quarantine`. **Updates** the asset of each enrichment.

**In mode batch** `ask` defers, for up to a day, while a batch is out; `ops.llm_batches` says which. To mark it failed
cancels the batch; what was done is landed by the next run.

**If it fails**: in `ask`, its line names the connection or variable; what was paid is kept and is not paid
again. In `validate`, nothing of that enrichment was published: see `ops.validations` and `ops.cases`.
Clear the failed task; no answer is asked twice.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import TaskGroup, dag

from feedback.operators.enrich_operator import EnrichOperator
from feedback.operators.publish_operator import PublishOperator
from feedback.operators.validate_operator import ValidateOperator
from include import assets, settings
from include.defaults import DAG_DEFAULTS
from include.enrichments import ENRICHMENTS
from include.entities import CATALOG, ENTITY_KINDS
from include.expectations import ANSWER_SUBJECTS, limits
from include.llm import asking
from include.warehouse import warehouse

SETTINGS = settings.load()
TABLES = warehouse(SETTINGS)


@dag(schedule=[assets.ITEMS], tags=["feedback", "enrich", "spends"], doc_md=__doc__, **DAG_DEFAULTS)
def enrich_feedback() -> None:
    ask = EnrichOperator(
        task_id="ask",
        enrichments=ENRICHMENTS,
        asking=asking(SETTINGS),
        catalog=CATALOG,
        kinds=ENTITY_KINDS,
        warehouse=TABLES,
        pool="feedback_llm",
        execution_timeout=timedelta(hours=6),
    )
    for enrichment in ENRICHMENTS:
        subject = ANSWER_SUBJECTS[enrichment.name]
        with TaskGroup(enrichment.name):
            validate = ValidateOperator(task_id="validate", subject=subject, limits=limits(SETTINGS), warehouse=TABLES)
            publish = PublishOperator(
                task_id="publish",
                subject=subject,
                warehouse=TABLES,
                outlets=[assets.ANSWERS[enrichment.name]],
                pool="feedback_write",
            )
            ask >> validate >> publish


enrich_feedback()
