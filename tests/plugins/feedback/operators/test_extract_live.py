"""What a source that can be asked again hands over is kept in order: rows, then memory; what it misses is deleted."""

from dataclasses import dataclass, field
from typing import ClassVar

import pytest

from feedback.errors import CredentialRefused, ServiceUnreachable, SourceFailed
from feedback.model import Batch, Memory, Run, Walked, digest
from feedback.operators.extract_operator import ExtractOperator
from feedback.sources.base import Source


@dataclass(frozen=True)
class Counter(Source):
    """Brings the messages up to a number, remembers the number, and may break after the rows."""

    upto: int
    missing: tuple[str, ...] = ()
    error: Exception | None = None
    name: str = "counter"
    kind: ClassVar[str] = "slack"
    asked: list = field(default_factory=list)

    def extract(self, past):
        self.asked.append(past.state.get("numbers", {}).get("upto", 0))
        met = [str(number) for number in range(1, self.upto + 1) if str(number) not in self.missing]
        rows = [{"team_id": "T", "channel_id": "C", "ts": ts, "thread_ts": ts, "text": ts} for ts in met]
        rows = [row | {"payload": {}, "row_hash": digest(row["ts"])} for row in rows]
        yield Batch(self.name, "numbers", "raw.slack_messages", rows, digest(self.upto, self.missing), is_live=True)
        if self.error:
            raise self.error
        yield Walked(self.name, "raw.slack_messages", "team_id = ?", ("T",), frozenset(("T", "C", ts) for ts in met))
        yield Memory("ops.source_state", [{"source": self.name, "part": "numbers", "state": {"upto": self.upto}}])


@pytest.fixture
def extract(warehouse):
    def extracted(run_id, *source, **options):
        source = Counter(*source, **options)
        operator = ExtractOperator(task_id="extract", source=source, warehouse=warehouse)
        return operator.work(Run(run_id, "a_dag", "extract"), {}).as_dict(), source

    return extracted


def alive(warehouse):
    return [row["ts"] for row in warehouse.rows("select ts from raw.slack_messages where not is_deleted order by ts")]


def test_a_source_is_told_what_it_wanted_to_remember(extract):
    extract("run_1", 3)

    _, source = extract("run_2", 5)

    assert source.asked == [3]


def test_a_source_that_breaks_keeps_its_rows_and_remembers_nothing(extract, warehouse):
    with pytest.raises(SourceFailed, match="counter: slack is away"):
        extract("run_1", 3, error=ServiceUnreachable("slack is away"))

    assert alive(warehouse) == ["1", "2", "3"]
    assert warehouse.rows("select * from ops.source_state") == []
    assert [row["status"] for row in warehouse.rows("select status from ops.coverage")] == ["failed"]


@pytest.mark.parametrize(
    ("error", "is_tried_again"), [(ServiceUnreachable("x"), True), (CredentialRefused("x"), False)]
)
def test_only_what_may_pass_is_tried_again(extract, error, is_tried_again):
    with pytest.raises(SourceFailed) as failed:
        extract("run_1", 3, error=error)

    assert failed.value.retryable is is_tried_again


def test_what_is_gone_is_counted_and_deleted(extract, warehouse):
    extract("run_1", 3)

    counts, _ = extract("run_2", 3, missing=("2",))

    assert counts["deleted"] == 1
    assert alive(warehouse) == ["1", "3"]
