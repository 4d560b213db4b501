"""The operator that brings one source's words into the raw tables."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from feedback.errors import FeedbackError, SourceFailed
from feedback.model import Batch, Counts, Gap, Memory, Renamed, Run, Walked
from feedback.operators.feedback_operator import FeedbackOperator
from feedback.sources.base import Past, Source
from feedback.sources.deletions import miss, settle
from feedback.sources.forgotten import forgotten
from feedback.sources.past import cover, recall, remember
from feedback.sources.slack_rekey import rekey
from feedback.warehouse.merge import load

if TYPE_CHECKING:
    from airflow.sdk import Context

TELL_S = 5.0
"""How often a long load tells how far it is."""


class ExtractOperator(FeedbackOperator):
    """Load what is new in a source, each batch once, and write what could not be read to ``ops.coverage``.

    What the source wants to remember is written after the rows it handed over before, and what a clean walk
    missed is deleted, or waits for a person. Refused input and a part that cannot be read now are a warning: the
    rest is loaded. A source that cannot be reached at all fails the task. Nothing of an erased author is loaded.

    :param source: where the words come from.
    :param salt: returns the secret of the author hashes; needed once an author is erased.
    """

    def __init__(self, *, source: Source, salt: Callable[[], bytes] | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.source = source
        self.salt = salt

    def work(self, run: Run, context: Context) -> Counts:
        past = recall(self.warehouse, self.source.name)
        erased = forgotten(self.warehouse, self.salt)
        counts = Counter(rows=0, changed=0, deleted=0, skipped=0, refused=0, failed=0)
        gaps: list[Gap] = []
        covered = set(past.gaps)
        told_at = time.monotonic()
        for found in self._found(past, gaps, run):
            if isinstance(found, Batch):
                if not covered.issuperset(gaps):  # once it is loaded, nobody looks again at what it leaves out
                    cover(self.warehouse, self.source.name, [*past.gaps, *gaps], run)
                    covered.update(gaps)
                counts["rows"] += len(found.rows)
                counts["changed"] += load(self.warehouse, erased.without_theirs(found), run) or 0
                if time.monotonic() - told_at > TELL_S:
                    told_at = time.monotonic()
                    self._tell(counts)
            elif isinstance(found, Walked):
                miss(self.warehouse, found, run)
            elif isinstance(found, Memory):
                remember(self.warehouse, found, run)
            elif isinstance(found, Renamed):
                rekey(self.warehouse, found)
            else:
                gaps.append(found)
                counts[found.status] += found.row_count or 1
        counts["deleted"], waiting = settle(self.warehouse, self.source, run)
        counts["refused"] += len(waiting)
        gaps += waiting
        cover(self.warehouse, self.source.name, gaps, run)
        if counts["rows"]:
            self._tell(counts)
        if waits := [gap.detail for gap in gaps if gap.status != "skipped"]:
            told = (self.source.name, counts["refused"], counts["failed"])
            self.log.warning("%s: %s refused, %s not read yet; ops.coverage says why", *told)
        return Counts(dict(counts), notes=tuple(waits))

    def _tell(self, counts: Counter[str]) -> None:
        self.log.info("%s: %s rows read, %s new or changed", self.source.name, counts["rows"], counts["changed"])

    def _found(self, past: Past, gaps: list[Gap], run: Run) -> Iterator[Batch | Gap | Walked | Memory | Renamed]:
        try:
            yield from self.source.extract(past)
        except (FeedbackError, OSError) as error:
            reason = f"{self.source.name}: {_told(error)}"
            lost = Gap(self.source.name, "all", "failed", "out_of_reach", reason)
            cover(self.warehouse, self.source.name, [*past.gaps, *gaps, lost], run)
            failed = SourceFailed(reason)
            failed.retryable = isinstance(error, FeedbackError) and error.retryable
            raise failed from error


def _told(error: FeedbackError | OSError) -> str:
    if isinstance(error, FeedbackError):
        return str(error)
    return f"{error.filename or 'a file'} cannot be read ({error.strerror}): let us read it"
