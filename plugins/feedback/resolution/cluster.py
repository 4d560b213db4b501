"""Average link: what is alike on the whole comes together, so that one wrong yes does not pull two groups into one."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import NamedTuple, TypeVar

Node = TypeVar("Node", bound=Hashable)

SAME = 0.5
"""Two groups become one while their members are the same more likely than not, on the average."""


class Likely(NamedTuple):
    """How likely two nodes are the same, and how many pairs that nobody was asked about this counts as."""

    value: float
    weight: float = 1.0


def average_link(
    nodes: Iterable[Node],
    likely: Mapping[tuple[Node, Node], Likely],
    may_meet: Callable[[frozenset[Node], frozenset[Node]], bool] = lambda one, other: True,
) -> list[frozenset[Node]]:
    """Return the nodes in groups; the same whatever order they come in, as long as they can be ordered.

    :param likely: of pairs of nodes; those not named are not the same, by one pair's weight.
    :param may_meet: forbids two groups to become one.
    """
    groups = {number: frozenset([node]) for number, node in enumerate(sorted(nodes))}  # type: ignore[type-var]
    number_of = {node: number for number, group in groups.items() for node in group}
    sums: dict[int, dict[int, tuple[float, float]]] = {number: {} for number in groups}
    for (one, other), (value, weight) in likely.items():
        a, b = number_of[one], number_of[other]
        # The pair itself has a weight of one already, as every pair of the two groups has.
        sums[a][b] = sums[b][a] = (value * weight, weight - 1.0)
    heap: list[tuple[float, int, int]] = []

    def offer(a: int, b: int) -> None:
        total, extra = sums[a][b]
        pairs = len(groups[a]) * len(groups[b]) + extra
        if total > SAME * pairs:
            heapq.heappush(heap, (-total / pairs, min(a, b), max(a, b)))

    for a, near in sums.items():
        for b in near:
            if a < b:
                offer(a, b)
    fresh = len(groups)
    while heap:
        _, a, b = heapq.heappop(heap)
        if a not in groups or b not in groups or not may_meet(groups[a], groups[b]):
            continue
        groups[fresh] = groups.pop(a) | groups.pop(b)
        sums[fresh] = _joined(sums, a, b)
        for number, total in sums[fresh].items():
            sums[number][fresh] = total
            offer(number, fresh)
        fresh += 1
    return sorted(groups.values(), key=min)  # type: ignore[arg-type]


def _joined(sums: dict[int, dict[int, tuple[float, float]]], a: int, b: int) -> dict[int, tuple[float, float]]:
    """Take two groups out; return what they are to the others together."""
    near: dict[int, tuple[float, float]] = {}
    for gone in (a, b):
        for other, (total, extra) in sums.pop(gone).items():
            if other not in (a, b):
                before = near.get(other, (0.0, 0.0))
                near[other] = (before[0] + total, before[1] + extra)
                sums[other].pop(gone)
    return near
