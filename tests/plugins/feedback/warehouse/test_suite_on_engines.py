"""One suite over two narrow views: Great Expectations finds the same on a frame and in Snowflake itself."""

import pytest

from feedback.errors import GateBlocked
from tests.plugins.feedback.operators.test_validate_operator import answer, operator, propose, rejected

pytestmark = pytest.mark.filterwarnings("ignore")
EXPECTED = {
    "label_known": ("fail", 1, 6),
    "score_in_range": ("fail", 1, 6),
    "quote_grounded": ("pass", 0, 6),
    "answered_once": ("fail", 1, 7),
    "set_aside_share": ("pass", 0, 7),
    "unknown_rate": ("not_enough_history", 0, 4),
}


def test_a_batch_is_judged_alike(store, run):
    rows = [*(answer(n) for n in range(4)), answer(4, label="furious"), answer(5, score=None)]
    propose(store, run, rows, asked={"slack:T:C:9": "forgotten"})
    with pytest.raises(GateBlocked, match="answered_once 1/7"):
        operator(store).work(run, {})
    found = {
        row["rule"]: (row["outcome"], int(row["failed"]), int(row["total"]))
        for row in store.rows("select rule, outcome, failed, total from ops.validations")
    }
    assert {rule: found[rule] for rule in EXPECTED} == EXPECTED
    assert rejected(store) == {("slack:T:C:4", "label_known"), ("slack:T:C:5", "score_in_range")}
    left = store.rows(
        "select table_name as name from information_schema.tables where lower(table_name) like 'incoming%'"
    )
    assert left == []
