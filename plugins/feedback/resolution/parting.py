"""The two sides of an entity that a person has split."""

from __future__ import annotations

from collections.abc import Sequence


def parted(names: Sequence[str], one: str, other: str) -> tuple[frozenset[str], frozenset[str]]:
    """Return names in two sides, each with the names that are more like its seed; a tie goes to the first.

    :param one: a seed, as ``other``.
    """
    from rapidfuzz.fuzz import token_sort_ratio

    nearer = {
        name for name in names if name != other and token_sort_ratio(name, one) >= token_sort_ratio(name, other)
    } | {one}
    return frozenset(nearer), frozenset(names) - nearer
