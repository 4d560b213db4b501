"""No word of a customer or a model reaches a count, a log, an error or a ledger that promises not to hold it."""

import json
import logging

from feedback.llm.asking import Asking
from feedback.model import Run
from feedback.operators.enrich_operator import EnrichOperator
from feedback.operators.extract_operator import ExtractOperator
from feedback.operators.items_operator import ItemsOperator
from feedback.operators.publish_operator import PublishOperator
from feedback.operators.validate_operator import ValidateOperator
from feedback.sources.slack_export import SlackExport
from include.enrichments import ENRICHMENTS
from include.expectations import ANSWER_SUBJECTS
from include.expectations.items import ITEMS_SUBJECT
from include.llm import PRICES
from tests.plugins.feedback.llm import stand_in as service
from tests.plugins.feedback.llm.stand_in import StandIn

CUSTOMER, MODEL = "zanzibarquux", "ignatiusblorp"
MAY_HOLD_WORDS = ("llm_answers", "golden", "reports", "quarantine")
FAULTS = [
    service.status(400, f"{CUSTOMER} said {MODEL}"),
    service.content(lambda said: f"{MODEL} {said[:40]}", finish=f"{MODEL} {CUSTOMER}"),
    service.answers(lambda said: said["sentiment"].update(label=MODEL, quote=MODEL, score=f"{CUSTOMER}")),
    service.answers(lambda said: said.update(mentions={MODEL: [CUSTOMER]})),
    service.answers(lambda said: said["mentions"]["mentions"][0].update({MODEL: 1, "kind": CUSTOMER})),
]


def test_no_word_leaks(warehouse, tmp_path, http_server, monkeypatch, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    stand_in = StandIn(http_server)
    stand_in.poison = {f"number {number}.": fault for number, fault in enumerate(FAULTS)}
    connection = {"conn_type": "openai", "host": stand_in.base_url, "password": "a-secret-key"}
    monkeypatch.setenv("AIRFLOW_CONN_OPENAI_DEFAULT", json.dumps(connection))
    said = [
        {
            "type": "message",
            "user": "U1",
            "ts": f"17593128{n:02}.000001",
            "text": f"{CUSTOMER} has number {n}. So there",
        }
        for n in range(len(FAULTS) + 3)
    ]
    days = {"one/2026-10-01.json": json.dumps(said), "one/2026-10-02.json": f'[{{"text": "{CUSTOMER}'}
    (tmp_path / "export/one").mkdir(parents=True)
    for name, content in days.items():
        (tmp_path / "export" / name).write_text(content)
    shared = {"warehouse": warehouse}
    asking = Asking(prices=(PRICES,), model="m", pack=2)
    enrichment = ENRICHMENTS[0].name
    tasks = [
        ExtractOperator(task_id="extract", source=SlackExport(tmp_path / "export"), **shared),
        ItemsOperator(task_id="stage", salt=lambda: b"salt", **shared),
        ValidateOperator(task_id="validate", subject=ITEMS_SUBJECT, **shared),
        PublishOperator(task_id="publish", subject=ITEMS_SUBJECT, **shared),
        EnrichOperator(task_id="ask", enrichments=ENRICHMENTS, asking=asking, **shared),
        ValidateOperator(task_id="judge", subject=ANSWER_SUBJECTS[enrichment], max_quarantined_share=1.0, **shared),
        PublishOperator(task_id="show", subject=ANSWER_SUBJECTS[enrichment], **shared),
    ]

    told = [repr(task.work(Run("run_1", "a_dag", task.task_id), {})) for task in tasks]

    tables = warehouse.rows("select table_name as name from information_schema.tables where table_schema = 'ops'")
    for table in {row["name"] for row in tables} - set(MAY_HOLD_WORDS):
        told.append(f"{table}: {warehouse.rows(f'select * from ops.{table}')}")
    about = "subject, row_key, item_id, rule, reason, severity, status, content_hash, prompt_version"
    told.append(f"quarantine: {warehouse.rows(f'select {about} from ops.quarantine')}")
    told += [f"rejects: {warehouse.rows('select * from staging.rejects')}", *capfd.readouterr()]
    told += [f"{record.name}: {record.getMessage()}" for record in caplog.records]
    assert warehouse.rows("select count(*) as n from ops.quarantine")[0]["n"] > 0
    assert [line[:300] for line in told if CUSTOMER in line or MODEL in line or "a-secret-key" in line] == []
