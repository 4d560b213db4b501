"""Batches on every engine: the same statements write them down, land them and forget them."""

from __future__ import annotations

import pytest

from feedback.llm.asking import Asking
from feedback.llm.batch_out import batches_out, not_out
from feedback.llm.batch_session import BatchSession
from feedback.llm.batch_store import BatchStore
from feedback.llm.pack import Row
from feedback.llm.prices import Model
from feedback.llm.service import Endpoint
from feedback.llm.session import Models
from feedback.model import Run
from include.llm import PRICES
from tests.plugins.feedback.llm.batch_stand_in import BatchStandIn
from tests.plugins.feedback.llm.conftest import BOTH, INTENT, SENTIMENT
from tests.plugins.feedback.llm.items import publish

pytestmark = pytest.mark.filterwarnings("ignore:Arrow output on a DB-API result")
TEXTS = [f"The page number {n} is slow. It takes minutes." for n in range(4)]


def test_a_batch_is_written_down_landed_and_forgotten(store, http_server):
    service = BatchStandIn(http_server)
    publish(store, TEXTS)
    rows = [Row(text, None, BOTH) for text in TEXTS]

    def session():
        asking = Asking(prices=(PRICES,), mode="batch", pack=2)
        endpoint, models = Endpoint("openai_default", service.base_url, "key"), Models(Model("m"))
        batches = BatchStore(store, Run("run_1", "a_dag", "ask"))
        return BatchSession(batches, (SENTIMENT, INTENT), asking, endpoint, models, lambda *line: None)

    session().advance(rows)
    [batch] = batches_out(store)
    assert (batch.batch_id, batch.status, batch.request_count) == ("batch-1", "submitted", 2)
    assert not_out(store, rows) == []
    service.finish("expired", done=1)

    landing = session()
    assert landing.advance(rows) is None
    results = landing.results(rows)
    assert (len(results.answers), set(results.waiting.values())) == (4, {"batch_expired"})
    assert landing.paid()["calls"] == 2
    assert session().store.most_tokens == float("inf")
    calls = store.rows("select status, output_tokens from ops.llm_calls order by status")
    assert [tuple(call.values()) for call in calls] == [("failed", 0), ("settled", 10)]
    landing.close()
    assert store.rows("select count(*) as n from ops.llm_batch_rows") == [{"n": 0}]
