"""An erasure from its plan to its end: the files first, then one transaction.

Whoever is killed in between starts again: until the transaction the rows still say what is to be done. Once it is
over, ``compact`` takes the deleted rows out of the warehouse's own file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from feedback.erasure import files
from feedback.erasure.files import Places
from feedback.erasure.reach import Reach, reach, unmark
from feedback.erasure.removal import erase
from feedback.erasure.scope import Scope
from feedback.llm.enrichment import Enrichment
from feedback.llm.recovery import recover
from feedback.model import Run
from feedback.warehouse.base import Warehouse

POSTED = """
    select post_key, channel, coalesce(ts, 'if it arrived') as ts from ops.posts
    where kind = 'digest' and (ts is not null or status in ('posting', 'ambiguous')) order by post_key
"""


@dataclass(frozen=True)
class Plan:
    """What an erasure is about to do.

    :param posted: digests in Slack that a person has to take back: not only their lines tell of the words.
    :param owed: those that the next sender changes there to what is left of them.
    """

    scope: Scope
    reach: Reach
    files: tuple[Path, ...]
    posted: tuple[str, ...]
    owed: tuple[str, ...]

    @property
    def counts(self) -> dict[str, int]:
        """Rows by table, those with any."""
        return {table: n for table, n in sorted(self.reach.counts.items()) if n}


def plan(warehouse: Warehouse, scope: Scope, enrichments: Sequence[Enrichment], places: Places, run: Run) -> Plan:
    """Find all that holds the words of a scope; nothing of it is touched.

    What killed tasks have paid for is brought into the ledger first, where it is found. Copies of the warehouse go
    whole where somebody is erased; what is only old does not make them go.
    """
    recover(warehouse, run, places.journal)
    found = reach(warehouse, scope, enrichments, run)
    telling = files.telling(places, found.items, {norm for _, norm in found.names})
    whole = files.copies(places) if scope.reason == "erased" else []
    posted = _posted(warehouse, found, telling)
    alone = [told for key, told in posted.items() if not found.posts.get(key)]
    owed = [told for key, told in posted.items() if found.posts.get(key)]
    return Plan(scope, found, (*telling, *whole), tuple(alone), tuple(owed))


def carry_out(warehouse: Warehouse, planned: Plan, run: Run, salt: bytes | None = None) -> None:
    """Do what is planned.

    :param salt: by which the scope's author is remembered.
    """
    files.remove(planned.files)
    erase(warehouse, planned.scope, planned.reach, run, salt)


def drop(warehouse: Warehouse, run: Run) -> None:
    """Forget a plan that is not carried out."""
    warehouse.transact([unmark(run)])


def _posted(warehouse: Warehouse, found: Reach, telling: Sequence[Path]) -> dict[str, str]:
    """Return where the digests stand in Slack that tell of the words, as their rows or their files have them."""
    told = found.posts.keys() | {f"digest:{path.stem[11:]}:{path.stem[:10]}" for path in telling}
    posted = [row for row in warehouse.rows(POSTED) if row["post_key"] in told]
    return {row["post_key"]: f"{row['post_key']} in channel {row['channel']}, {row['ts']}" for row in posted}
