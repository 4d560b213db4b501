"""Settling names: what each new name stands for, and what a changed catalog makes of settled ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from feedback.resolution.catalog import Catalog
from feedback.resolution.register import Name, Proposal, Register, Row


def resolve(
    spellings: Mapping[Name, Mapping[str, int]],
    names: Iterable[Row],
    entities: Iterable[Row],
    catalog: Catalog,
    run_id: str,
    now: datetime,
) -> Proposal:
    """Return what a run changes so that every name met stands for an entity, and the catalog holds.

    The same names give the same ids whatever the order they came in; nothing new changes nothing.

    :param spellings: of each name met, how often each spelling of it was.
    :param names: settled rows of ``feedback.entity_names``.
    :param entities: settled rows of ``feedback.entities``.
    """
    register = Register(names, entities, catalog, run_id, now)
    met = {name: catalog.find(*name) for name in sorted({*spellings, *register.names})}
    for name, entry in met.items():  # first all entities of the catalog: whoever gets one back takes names along
        if entry is not None:
            register.establish(entry, name)
    for name, entry in met.items():
        if entry is not None:
            register.link(name, entry)
        elif name in spellings:
            register.keep(name, _commonest(spellings[name]))
    return register.proposal()


def _commonest(spellings: Mapping[str, int]) -> str:
    return min(spellings, key=lambda surface: (-spellings[surface], surface))
