"""Whatever is wrong with staged rows, in whichever combination: no published row breaks a critical rule about rows."""

import shutil
import tempfile
from collections import Counter
from datetime import timedelta
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feedback.errors import GateBlocked
from feedback.model import Run, utc_now
from feedback.operators.publish_operator import PublishOperator
from feedback.operators.validate_operator import ValidateOperator
from feedback.validation.relations import relations
from feedback.warehouse.duckdb import DuckDBWarehouse
from feedback.warehouse.merge import append, stage
from include.expectations import ANSWER_SUBJECTS
from include.expectations.items import ITEMS_SUBJECT
from include.warehouse import DDL
from tests.plugins.feedback.operators.test_publish_operator import item
from tests.plugins.feedback.operators.test_validate_operator import answer, pair, propose

SENTIMENT, AREA = ANSWER_SUBJECTS["sentiment"], ANSWER_SUBJECTS["area"]
RUN = Run("run_1", "a_dag", "a_task")
ROWS = 40

WORDS = st.sampled_from(["", "  ", "furious", "\u202e", "'; drop table feedback.items; --", "neutral", None])
NUMBERS = st.sampled_from([None, -1.01, 1.01, float("nan"), float("inf"), 0.0, 1e308])
FLAGS = st.sampled_from([True, False, None])
ANSWER_DAMAGE = st.fixed_dictionaries(
    {},
    optional={
        "label": WORDS,
        "score": NUMBERS,
        "confidence": NUMBERS,
        "quote": WORDS,
        "is_grounded": FLAGS,
        "has_personal_data": FLAGS,
        "decided_by": WORDS,
        "model": WORDS,
        "answered_at": st.none(),
        "item_id": st.integers(0, ROWS - 1).map("slack:T:C:{}".format),
    },
)
LIST_DAMAGE = st.fixed_dictionaries(
    {},
    optional={
        "label": WORDS | st.sampled_from(["search", "performance"]),
        "confidence": NUMBERS,
        "quote": WORDS,
        "is_grounded": FLAGS,
        "has_personal_data": FLAGS,
        "decided_by": WORDS,
        "content_hash": st.none(),
    },
)
ITEM_DAMAGE = st.fixed_dictionaries(
    {},
    optional={
        "item_id": st.integers(0, ROWS - 1).map("slack:T:C:{}".format),
        "source": WORDS,
        "text": st.sampled_from(["", None, " ", "words"]),
        "rating": st.sampled_from([None, 0, 6, -1]),
        "visibility": WORDS,
        "message_count": st.sampled_from([0, -1, None]),
        "author_count": st.sampled_from([0, 99, None]),
        "is_askable": FLAGS,
        "has_personal_data": FLAGS,
        "posted_at": st.sampled_from([utc_now() + timedelta(days=9), utc_now().replace(year=1970), None]),
        "content_hash": st.none(),
    },
)


def published_item(number):
    row = {name: value for name, value in item(number).items() if name != "has_personal_data"}
    return row | {"first_run_id": "r", "run_id": "r"}


def area(number):
    return {name: value for name, value in answer(number).items() if name != "score"}


def damaged(damage):
    return st.dictionaries(st.integers(0, ROWS - 1), damage, max_size=ROWS)


def broken(warehouse, subject):
    """The published rows that break a critical row rule, judged by the rule's own SQL."""
    rules = [rule for rule in subject.rules if rule.scope == "row" and rule.severity == "critical"]
    columns = "*, true as is_grounded, false as has_personal_data"
    clause, params = relations(subject, RUN.run_id)
    clause = clause.replace(
        f"staged as (select * from {subject.judged.staged} where run_id = ?)",
        f"staged as (select {columns} from {subject.judged.published} where run_id = ?)",
    )
    return [
        rule.id
        for rule in rules
        if warehouse.rows(
            f"{clause} select 1 as x from (select coalesce({rule.condition}, false) as k from staged) where not k",
            params,
        )
    ]


def judged_and_published(warehouse, subject):
    """Run the gate with thresholds that let most of it pass, then publish; a blocked batch publishes nothing."""
    try:
        gate = ValidateOperator(task_id="validate", subject=subject, max_quarantined_share=1.0, warehouse=warehouse)
        gate.work(RUN, {})
    except GateBlocked:
        return
    PublishOperator(task_id="publish", subject=subject, warehouse=warehouse).work(RUN, {})


def fresh(migrated, folder):
    path = Path(folder) / "warehouse.duckdb"
    shutil.copy(migrated, path)
    return DuckDBWarehouse(path, DDL)


# Forty rows an example: a batch costs as much with one as with forty.
RARELY = settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


@RARELY
@given(damage=damaged(ANSWER_DAMAGE))
def test_no_published_answer_breaks_a_critical_rule(_migrated, damage):  # noqa: PT019 - a path
    with tempfile.TemporaryDirectory() as folder:
        warehouse = fresh(_migrated, folder)
        append(warehouse, "feedback.items", [published_item(n) for n in range(ROWS)])
        rows = [answer(n) | damage.get(n, {}) for n in range(ROWS)]
        propose(warehouse, RUN, rows)
        judged_and_published(warehouse, SENTIMENT)
        assert broken(warehouse, SENTIMENT) == []
        assert damage or warehouse.rows("select count(*) as n from feedback.sentiment") == [{"n": ROWS}]


@RARELY
@given(damage=damaged(LIST_DAMAGE))
def test_no_published_row_of_several_breaks_a_critical_rule(_migrated, damage):  # noqa: PT019 - a path
    """An item has two areas; what is wrong with one of them sets aside both."""
    with tempfile.TemporaryDirectory() as folder:
        warehouse = fresh(_migrated, folder)
        append(warehouse, "feedback.items", [published_item(n) for n in range(ROWS // 2)])
        own = [{"item_id": f"slack:T:C:{n // 2}", "label": ("search", "performance")[n % 2]} for n in range(ROWS)]
        rows = [area(n) | own[n] | damage.get(n, {}) for n in range(ROWS)]
        stage(warehouse, "area", rows, RUN)
        counts = Counter(row["item_id"] for row in rows)
        pairs = [pair(item, "staged", []) | {"enrichment": "area", "rows_out": n} for item, n in counts.items()]
        stage(warehouse, "asked", pairs, RUN)
        judged_and_published(warehouse, AREA)
        assert broken(warehouse, AREA) == []
        alone = "select item_id from feedback.area group by item_id having count(*) <> 2"
        assert damage or warehouse.rows(alone) == []


@RARELY
@given(damage=damaged(ITEM_DAMAGE))
def test_no_published_item_breaks_a_critical_rule(_migrated, damage):  # noqa: PT019 - a path
    with tempfile.TemporaryDirectory() as folder:
        warehouse = fresh(_migrated, folder)
        rows = [item(n, has_personal_data=False) | damage.get(n, {}) for n in range(ROWS)]
        stage(warehouse, "items", rows, RUN)
        judged_and_published(warehouse, ITEMS_SUBJECT)
        assert broken(warehouse, ITEMS_SUBJECT) == []
        assert damage or warehouse.rows("select count(*) as n from feedback.items") == [{"n": ROWS}]
