"""Which names are worth comparing with which: few of all pairs, and nearly all of the right ones.

A new name is compared with the names that share a rare key with it - a beginning, an end, its words in any order,
a stretch of letters. The warehouse finds them by joining keys, so a million settled names are no matter. Where
there are fewer names, character n-grams find more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import TYPE_CHECKING

from feedback.resolution.normalise import is_comparable
from feedback.resolution.score import Letters
from feedback.warehouse.base import Relation, Warehouse

if TYPE_CHECKING:
    import pyarrow as pa

CANDIDATES = 10
"""Most names that a name is compared with."""

LEAST_COSINE = 0.3
"""Of n-grams; below, letters have nothing to say."""

SLICE, THREADS = 128, 2
"""How many names' n-grams are compared with all others at a time, and how many times at once."""

MOST_SHARING = 40
"""A key that more names share says nothing about them."""

PARTS = """
    select number, replace(norm, ' ', '') as whole, split_part(norm, ' ', 1) as one,
        split_part(norm, ' ', 2) as two, split_part(norm, ' ', 3) as three, split_part(norm, ' ', -1) as last
    from {names}
"""
STEPS = " union all ".join(f"select {step} as step" for step in range(1, 19))
KEYS = f"""
    select number, hash(key) as key from (
        select number, 'W' || whole as key from parts
        union all select number, 'B' || left(whole, 6) from parts where length(whole) > 5
        union all select number, 'E' || right(whole, 6) from parts where length(whole) > 5
        union all select number, 'O' || one from parts where length(one) > 2
        union all select number, 'O' || last from parts where two <> '' and length(last) > 2
        union all select number, 'T' || least(one, two) || ' ' || greatest(one, two) from parts where two <> ''
        union all select number, 'T' || least(one, three) || ' ' || greatest(one, three)
            from parts where three <> ''
        union all select number, 'T' || least(two, three) || ' ' || greatest(two, three)
            from parts where three <> ''
        union all select number, 'I' || left(one, 1) || left(two, 1) || left(three, 1)
            from parts where three <> ''
        union all select number, 'I' || whole from parts where length(whole) = 3
        union all select number, 'D' || left(whole, step - 1) || substr(whole, step + 1)
            from parts cross join ({STEPS}) as steps where step <= length(whole) and length(whole) between 4 and 9
        union all select number, 'D' || whole from parts where length(whole) between 4 and 9
        union all select number, substr(whole, step, 5)
            from parts cross join ({STEPS}) as steps where step <= length(whole) - 4
        union all select number, substr(whole, step, 7)
            from parts cross join ({STEPS}) as steps where step <= length(whole) - 6
        union all select number, 'F' || left(one, 4) || ' ' || left(last, 4) from parts where two <> ''
        union all select number, 'F' || left(last, 4) || ' ' || left(one, 4) from parts where two <> ''
    ) as keyed
"""
"""Each sort of key begins with a capital, which no folded name has; stretches of five and seven letters need none."""

NAMES = """
    select cast(row_number() over (order by norm) as integer) as number, norm, is_new from (
        select norm, true as is_new from incoming.new_names
        union all
        select norm, false as is_new from feedback.entity_names as settled
        where kind = ? and not exists (select 1 from incoming.new_names as new where new.norm = settled.norm)
    ) as names
"""
"""Numbers, and weights too, are no wider than they have to be: a million names make 70 million pairs to be sorted."""

NEW_KEYS = f"with parts as ({PARTS.format(names='incoming.block_names')} where is_new) {KEYS}"
SETTLED_KEYS = (
    f"with parts as ({PARTS.format(names='incoming.block_names')} where not is_new)"
    f" select number, key from ({KEYS}) as every"
    f" where key in (select key from incoming.new_keys group by key having count(*) <= {MOST_SHARING})"
)
RANKED = f"""
    with every as (
        select number, key from incoming.new_keys union all select number, key from incoming.settled_keys
    ),
    rare as (select key, count(*) as sharing from every group by key having count(*) between 2 and {MOST_SHARING}),
    told as (select new.number, rare.key, rare.sharing from incoming.new_keys as new join rare on rare.key = new.key),
    pairs as (
        select told.number, every.number as other,
            cast(sum(cast(1000000 / told.sharing as integer)) as integer) as weight
        from told join every on every.key = told.key and every.number <> told.number
        group by told.number, every.number
    ),
    best as (
        select number, other from pairs
        qualify row_number() over (partition by number order by weight desc, other) <= {CANDIDATES}
    )
    select one.norm, two.norm as other
    from best
    join incoming.block_names as one on one.number = best.number
    join incoming.block_names as two on two.number = best.other
"""


MOST_BY_LETTERS = 50_000
"""Names of a kind whose n-grams are all compared with those of the new ones; beyond, keys alone find candidates."""

NORMS = "select norm from feedback.entity_names where kind = ? order by norm"
COUNT = "select count(*) as n from feedback.entity_names where kind = ?"


def candidates(
    warehouse: Warehouse, kind: str, new: Sequence[str], known: Sequence[str], learnt: Iterable[str]
) -> tuple[dict[str, list[str]], Letters]:
    """Return for each new name the names that it is worth comparing with, and all of them as letters.

    :param known: names of the catalog, whether met or not.
    :param learnt: names of past decisions, to be compared again.
    """
    both = sorted({*new, *known})
    keyed = by_keys(warehouse, kind, both)
    found: dict[str, list[str]] = {name: [] for name in new}
    for name, other in zip(keyed["norm"].to_pylist(), keyed["other"].to_pylist(), strict=True):
        if name in found:
            found[name].append(other)
    others = set(both)
    if warehouse.rows(COUNT, (kind,))[0]["n"] <= MOST_BY_LETTERS:
        others |= {row["norm"] for row in warehouse.rows(NORMS, (kind,))}
    letters = Letters({*others, *learnt, *(other for near in found.values() for other in near)})
    comparable = sorted(filter(is_comparable, others))
    for name, near in by_letters(letters, new, comparable).items():
        found[name] += [other for other in near if other not in found[name]]
    return found, letters


def by_keys(warehouse: Warehouse, kind: str, new: Sequence[str]) -> pa.Table:
    """Return norm and other: of each new name of a kind the names that share its rarest keys, settled or new.

    :param new: names that are comparable, each once.
    """
    import pyarrow as pa

    relations: dict[str, Relation] = {
        "new_names": pa.table({"norm": pa.array(new, pa.string())}),
        "block_names": (NAMES, (kind,)),
        "new_keys": (NEW_KEYS, ()),
        "settled_keys": (SETTLED_KEYS, ()),
    }
    return warehouse.arrow(RANKED, incoming=relations)


def by_letters(letters: Letters, new: Sequence[str], others: Sequence[str]) -> Mapping[str, list[str]]:
    """Return for each new name the others that share most of its n-grams, the nearest first."""
    import numpy as np

    among = letters.by_gram[[letters.row[name] for name in others]].T.tocsr()

    def nearest(names: Sequence[str]) -> list[tuple[str, list[str]]]:
        found = []
        cosines = (letters.by_gram[[letters.row[name] for name in names]] @ among).toarray()
        for name, row in zip(names, cosines, strict=True):
            alike = np.flatnonzero(row >= LEAST_COSINE)
            best = alike[np.argsort(-row[alike], kind="stable")[: CANDIDATES + 1]]
            found.append((name, [others[at] for at in best if others[at] != name][:CANDIDATES]))
        return found

    slices = [new[start : start + SLICE] for start in range(0, len(new), SLICE)]
    with ThreadPoolExecutor(THREADS) as pool:  # scipy multiplies without holding the interpreter
        return dict(chain.from_iterable(pool.map(nearest, slices)))
