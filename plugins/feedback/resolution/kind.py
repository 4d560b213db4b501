"""A kind of thing that names stand for; its instances are the pages of include/entities."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class EntityKind:
    """One kind of entity. The same name under two kinds is two entities.

    :param name: the word in every ``kind`` column.
    :param may_compete: whether the catalog may flag one of them as a competitor.
    """

    name: str
    may_compete: bool = False
