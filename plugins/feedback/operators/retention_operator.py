"""The operator that lets nothing grow older than it may."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from feedback.erasure.files import Places, copies, remove
from feedback.erasure.plan import carry_out, plan
from feedback.erasure.scope import before
from feedback.llm.enrichment import Enrichment
from feedback.model import Counts, Run, utc_now
from feedback.operators.feedback_operator import FeedbackOperator

if TYPE_CHECKING:
    from airflow.sdk import Context


class RetentionOperator(FeedbackOperator):
    """Erase the threads, reviews and texts whose last activity is longer ago than ``days``, with what was made of them.

    Nothing of it counts as deleted by a source. A copy of the warehouse goes when it is that old itself.

    :param days: how long words are kept; None for ever.
    :param enrichments: the questions whose paid answers go too.
    :param places: the files that go too.
    :param as_of: taken as now; without it the clock.
    """

    def __init__(
        self,
        *,
        days: int | None,
        enrichments: Sequence[Enrichment],
        places: Places,
        as_of: datetime | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.days = days
        self.enrichments = enrichments
        self.places = places
        self.as_of = as_of

    def work(self, run: Run, context: Context) -> Counts:
        if self.days is None:
            return Counts()
        cutoff = (self.as_of or utc_now()) - timedelta(days=self.days)
        remove(copies(self.places, before=cutoff))
        expired: Counter[str] = Counter()
        while counts := self._expire(cutoff, run):
            expired.update(counts)
            self.log.info("expired before %s UTC: %s", f"{cutoff:%Y-%m-%d %H:%M}", dict(expired))
        if expired:
            self.warehouse.compact()
        return Counts({"expired": sum(expired[target] for target in before(cutoff).rows)})

    def _expire(self, cutoff: datetime, run: Run) -> dict[str, int]:
        planned = plan(self.warehouse, before(cutoff), self.enrichments, self.places, run)
        if planned.counts:
            carry_out(self.warehouse, planned, run)
        return planned.counts
