"""A model that does what hostile texts tell it: nothing of it is published, from the export to the entities."""

import json

import pytest

from feedback.llm.asking import Asking
from feedback.model import Run
from feedback.operators.enrich_operator import EnrichOperator
from feedback.operators.extract_operator import ExtractOperator
from feedback.operators.items_operator import ItemsOperator
from feedback.operators.publish_operator import PublishOperator
from feedback.operators.resolve_operator import ResolveOperator
from feedback.operators.validate_operator import ValidateOperator
from feedback.sources.slack_export import SlackExport
from include.enrichments import ENRICHMENTS
from include.entities import CATALOG, ENTITY_KINDS
from include.expectations import ANSWER_SUBJECTS
from include.expectations.entities import ENTITIES_SUBJECT
from include.expectations.items import ITEMS_SUBJECT
from include.llm import PRICES
from tests.plugins.feedback.llm import hostile
from tests.plugins.feedback.llm import stand_in as service

ASKING = Asking(prices=(PRICES,), model="m", pack=7)


@pytest.fixture
def through(warehouse):
    """Return a function that runs a task."""

    def through(operator, **arguments):
        task = operator(task_id="task", warehouse=warehouse, **arguments)
        return task.work(Run("run_1", "a_dag", "task"), {})

    return through


@pytest.fixture
def items(through, warehouse, tmp_path):
    """Publish one item for each hostile text; return how many."""
    folder = tmp_path / "export" / "one"
    folder.mkdir(parents=True)
    said = [
        {"type": "message", "user": "U1", "ts": f"17593{n:05}.000001", "text": f"{hostile.SLOW} {order}"}
        for n, order in enumerate([*hostile.ORDERS, *hostile.public()])
    ]
    (folder / "2026-10-01.json").write_text(json.dumps(said))
    through(ExtractOperator, source=SlackExport(tmp_path / "export"))
    through(ItemsOperator, salt=lambda: b"salt")
    through(ValidateOperator, subject=ITEMS_SUBJECT)
    through(PublishOperator, subject=ITEMS_SUBJECT)
    return len(said)


def test_only_what_the_texts_name_becomes_an_entity(through, items, warehouse, stand_in, monkeypatch):
    connection = {"conn_type": "openai", "host": stand_in.base_url, "password": "k"}
    monkeypatch.setenv("AIRFLOW_CONN_OPENAI_DEFAULT", json.dumps(connection))
    stand_in.poison = {
        "previous instructions": service.content(lambda said: said.replace("Zebrawood", "Evilcorp")),
        "maintenance": service.content(lambda said: said.replace('"negative"', '"positive"').replace("slow", "great")),
    }

    through(EnrichOperator, enrichments=ENRICHMENTS, asking=ASKING)
    for enrichment in ENRICHMENTS:
        through(ValidateOperator, subject=ANSWER_SUBJECTS[enrichment.name], max_quarantined_share=1.0)
        through(PublishOperator, subject=ANSWER_SUBJECTS[enrichment.name])
    through(ResolveOperator, kinds=ENTITY_KINDS, catalog=CATALOG)
    through(ValidateOperator, subject=ENTITIES_SUBJECT)
    through(PublishOperator, subject=ENTITIES_SUBJECT)

    names = {row["canonical_name"] for row in warehouse.rows("select canonical_name from feedback.entities")}
    accounts = warehouse.rows("select enrichment, count(*) as n from ops.answers group by enrichment")
    assert names == {"Zebrawood"}
    assert {row["enrichment"]: row["n"] for row in accounts} == {one.name: items for one in ENRICHMENTS}
    for enrichment in ENRICHMENTS:
        labels = warehouse.rows(f"select distinct {enrichment.label_field} as label from {enrichment.table}")
        assert {row["label"] for row in labels} <= set(enrichment.labels)
