"""Average link: what is alike on the whole comes together, so that one wrong yes does not pull two groups into one."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import TypeVar

Node = TypeVar("Node", bound=Hashable)

SAME = 0.5
"""Two groups become one while their members are the same more likely than not, on the average."""


def average_link(
    nodes: Iterable[Node],
    likely: Mapping[tuple[Node, Node], float],
    may_meet: Callable[[frozenset[Node], frozenset[Node]], bool] = lambda one, other: True,
) -> list[frozenset[Node]]:
    """Return the nodes in groups; the same whatever order they come in, as long as they can be ordered.

    :param likely: how likely two nodes are the same; zero where a pair is not named.
    :param may_meet: forbids two groups to become one.
    """
    groups = {number: frozenset([node]) for number, node in enumerate(sorted(nodes))}  # type: ignore[type-var]
    number_of = {node: number for number, group in groups.items() for node in group}
    sums: dict[int, dict[int, float]] = {number: {} for number in groups}
    for (one, other), value in likely.items():
        a, b = number_of[one], number_of[other]
        sums[a][b] = sums[b][a] = value
    heap = [(-value, a, b) for a, near in sums.items() for b, value in near.items() if a < b and value > SAME]
    heapq.heapify(heap)
    fresh = len(groups)
    while heap:
        _, a, b = heapq.heappop(heap)
        if a not in groups or b not in groups or not may_meet(groups[a], groups[b]):
            continue
        groups[fresh] = groups.pop(a) | groups.pop(b)
        near = _joined(sums, a, b)
        sums[fresh] = near
        for number, total in near.items():
            sums[number][fresh] = total
            average = total / (len(groups[fresh]) * len(groups[number]))
            if average > SAME:
                heapq.heappush(heap, (-average, number, fresh))
        fresh += 1
    return sorted(groups.values(), key=min)  # type: ignore[arg-type]


def _joined(sums: dict[int, dict[int, float]], a: int, b: int) -> dict[int, float]:
    """Take two groups out; return what they are to the others together."""
    near: dict[int, float] = {}
    for gone in (a, b):
        for other, total in sums.pop(gone).items():
            if other not in (a, b):
                near[other] = near.get(other, 0.0) + total
                sums[other].pop(gone)
    return near
