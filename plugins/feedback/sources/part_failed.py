"""What becomes of a part of a source that cannot be read now: it is tried again, then a gap, and the others go on."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

from feedback.errors import FeedbackError, ServiceUnreachable
from feedback.model import Batch, Gap, Memory, Walked

if TYPE_CHECKING:
    from tenacity import RetryCallState

ATTEMPTS = 6
LONGEST_WAIT_S = 120.0
"""A service that asks for more is left to the next run."""

Found = Batch | Gap | Walked | Memory
T = TypeVar("T")


class PartFailed(FeedbackError):
    """A part of a source cannot be read; a later run may. Its reason is the word in ``ops.coverage``.

    :param detail: one line that names the connection or variable and what to do.
    """

    def __init__(self, reason: str, detail: str):
        super().__init__(detail)
        self.reason = reason


class Passing(PartFailed):
    """It may be over in a moment.

    :param retry_after: seconds that the service asks us to wait.
    """

    retryable = True

    def __init__(self, reason: str, detail: str, retry_after: float | None = None):
        super().__init__(reason, detail)
        self.retry_after = retry_after


def each(source: str, parts: Sequence[str], read: Callable[[str], Iterator[Found]]) -> Iterator[Found]:
    """Yield what each part brings, and a gap for one that fails; what came before it stays.

    :raises ServiceUnreachable: not one could be read, and all may be later.
    """
    failures: dict[str, PartFailed] = {}
    for part in parts:
        try:
            yield from read(part)
        except PartFailed as failed:
            failures[part] = failed
    if len(failures) == len(parts) and all(failure.retryable for failure in failures.values()):
        raise ServiceUnreachable(str(failures[parts[-1]]))
    for part, failure in failures.items():
        yield Gap(source, part, "failed", failure.reason, str(failure))


def patiently(call: Callable[[], T], sleep: Callable[[float], None]) -> T:
    """Return what a call returns, calling again after a while where it fails in passing.

    :raises Passing: it went on failing.
    """
    from tenacity import Retrying, retry_if_exception, stop_after_attempt

    again = Retrying(
        retry=retry_if_exception(_is_worth_waiting),
        wait=_wait,
        stop=stop_after_attempt(ATTEMPTS),
        sleep=sleep,
        reraise=True,
    )
    return again(call)


def _is_worth_waiting(failure: BaseException) -> bool:
    return isinstance(failure, Passing) and (failure.retry_after or 0) <= LONGEST_WAIT_S


def _wait(state: RetryCallState) -> float:
    """As long as the service asks for, else 2, 4, 8, … seconds and a little."""
    failure = state.outcome.exception() if state.outcome else None
    if isinstance(failure, Passing) and failure.retry_after is not None:
        return failure.retry_after
    return float(2**state.attempt_number) + random.random()  # noqa: S311 - so that two clients do not march in step
