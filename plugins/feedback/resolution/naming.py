"""One run over the names that are new, from the warehouse to a proposal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from feedback.garbage import few_collections
from feedback.resolution import judging, overrides, settled
from feedback.resolution.adjudicate import Shown
from feedback.resolution.block import candidates
from feedback.resolution.cases import Doubt
from feedback.resolution.catalog import Catalog
from feedback.resolution.catalog import read as read_catalog
from feedback.resolution.kind import EntityKind
from feedback.resolution.match import Ask, Band, Matched, Matching
from feedback.resolution.normalise import is_comparable, norm
from feedback.resolution.overrides import Override
from feedback.resolution.register import Name, Proposal, founded_by
from feedback.resolution.resolve import resolve
from feedback.resolution.score import Pair, Scorer
from feedback.resolution.settled import Settled, Written
from feedback.warehouse.base import Warehouse

Asker = Callable[[str, Mapping[str, Shown]], Ask]
"""Returns who is asked about names of a kind, given how each is shown."""


class Naming:
    """What one run finds out about names; see ``proposal``.

    :param kinds: which kinds are resolved.
    :param overrides: what people decided about pairs, free of contradictions.
    """

    def __init__(self, warehouse: Warehouse, kinds: Sequence[str], catalog: Catalog, overrides: Sequence[Override]):
        self.warehouse, self.kinds, self.catalog, self.overrides = warehouse, kinds, catalog, overrides
        self.known = {(kind, norm(name)): catalog.find(kind, norm(name)) for kind, name in catalog.names}
        self.asked = self.waiting = 0
        self.notes: list[str] = []
        self.doubts: list[Doubt] = []

    @few_collections()
    def proposal(self, asker: Asker, run_id: str, now: datetime, prompt_version: str | None = None) -> Proposal:
        """Return what is to change so that every name met stands for an entity; see ``resolve``.

        :param prompt_version: of the question, where what was decided before is to be judged again; see ``judging``.
        """
        again = {kind: self._owed(kind) for kind in self.kinds} if prompt_version else {}
        new = settled.new_names(self.warehouse, self.kinds)
        decided = [(override.kind, each) for override in self.overrides for each in override.pair]
        decided += [(kind, each) for kind, pairs in again.items() for pair in pairs for each in pair]
        near = {kind: self._near(kind, new) for kind in self.kinds}
        others = [(kind, other) for kind, (found, _) in near.items() for each in found.values() for other in each]
        renamed = settled.renamed(self.warehouse, self.kinds)
        names = [*new, *decided, *renamed]
        there = settled.settled(self.warehouse, [*names, *self.known], others)
        seen = settled.written(self.warehouse, names)
        matched = {}
        for kind, (found, scorer) in near.items():
            if scorer is not None:
                ask = asker(kind, self._shown(kind, seen, there))
                matched[kind] = self._matched(kind, found, scorer, there, ask)
        judged = {
            kind: self._judged(kind, before, seen, there, asker, prompt_version)
            for kind, before in again.items()
            if before and prompt_version
        }
        reasons = judging.reasons(self.warehouse, there.names) if judged else {}
        return resolve(
            seen.spellings,
            there.names,
            there.entities,
            self.catalog,
            run_id,
            now,
            self.overrides,
            matched,
            judged,
            reasons,
        )

    def _owed(self, kind: str) -> dict[Pair, judging.Before]:
        owed = judging.owed(self.warehouse, kind)
        return {pair: owed[pair] for pair in overrides.undecided(owed, kind, self.overrides, self.catalog)}

    def _judged(
        self,
        kind: str,
        before: Mapping[Pair, judging.Before],
        seen: Written,
        there: Settled,
        asker: Asker,
        prompt_version: str,
    ) -> list[judging.Judged]:
        """Return what holds now of pairs; what would merge two settled entities becomes a doubt."""
        shown, owners = judging.as_written(kind, seen), there.owners(kind)
        asked = judging.questions([pair for pair in before if all(each in shown and each in owners for each in pair)])
        answers = asker(kind, shown)(asked) if asked else {}
        self.asked += sum(said is not None for said in answers.values())
        found = judging.judged(answers, owners, before, prompt_version)
        for one in found:
            if one.is_same and one.is_said and owners[one.name] != owners[one.other]:
                self.doubts.append(Doubt(kind, JUDGED_SAME, frozenset((one.name, one.other))))
        return found

    def _near(self, kind: str, new: Sequence[Name]) -> tuple[dict[str, list[str]], Scorer | None]:
        """Return for each new name that letters can tell of the names it is like, and what scores them."""
        linked = {each for one in self.overrides if one.is_same and one.kind == kind for each in one.pair}
        open_names = [
            each
            for of_kind, each in new
            if of_kind == kind and (kind, each) not in self.known and each not in linked and is_comparable(each)
        ]
        if not open_names:
            return {}, None
        past = settled.decided(self.warehouse, kind)
        known = [each for of_kind, each in self.known if of_kind == kind]
        found, letters = candidates(
            self.warehouse, kind, open_names, known, (each for one in past for each in one.pair)
        )
        return found, Scorer(letters, past)

    def _matched(self, kind: str, found: dict[str, list[str]], scorer: Scorer, there: Settled, ask: Ask) -> Matched:
        apart = [one.pair for one in self.overrides if not one.is_same and one.kind == kind]
        owners = self._owners(kind, there)
        matched = Matching(found, owners, scorer, BAND, apart).run(ask)
        self.asked += len(matched.said)
        self.waiting += len(matched.waiting)
        for group in matched.oversize:
            new = {name for what, name in group if what == "name"}
            if new & matched.waiting:
                continue  # an answer may still part it
            settled_ones = {name for name, entity_id in owners.items() if ("entity", entity_id) in group}
            self.doubts.append(Doubt(kind, OVERSIZE, frozenset(new | settled_ones)))
            self.notes.append(
                f"{len(group)} names of kind {kind} look like one thing, too many to be true: make review"
            )
        return matched

    def _owners(self, kind: str, there: Settled) -> dict[str, str]:
        """Return of settled names and of those in the catalog the entity that they stand for."""
        of_catalog = {
            each: founded_by(entry) for (of_kind, each), entry in self.known.items() if entry and of_kind == kind
        }
        return there.owners(kind) | of_catalog

    def _shown(self, kind: str, seen: Written, there: Settled) -> dict[str, Shown]:
        of_catalog = {
            each: Shown(entry.name, entry.aliases[: settled.MOST_ALSO])
            for (of_kind, each), entry in self.known.items()
            if entry and of_kind == kind
        }
        return settled.shown(kind, seen, there) | of_catalog


def naming(warehouse: Warehouse, kinds: Sequence[EntityKind], catalog: Path, said: Path | None = None) -> Naming:
    """Return a run over the names of these kinds, on what people wrote down.

    :param catalog: the file of names that people know; ``said``: of what they decided about two names.
    :raises InputRefused: one line that names what contradicts what, or is no entry.
    """
    known = read_catalog(catalog, kinds)
    decided = overrides.from_rows(warehouse.rows(settled.OVERRIDES), kinds)
    decided += overrides.read(said, kinds) if said else []
    overrides.refuse_contradictions(decided, known)
    return Naming(warehouse, [kind.name for kind in kinds], known, decided)


BAND = Band()

OVERSIZE = "too_many_alike"
"""Rule of a case: names that hang together, too many to be one thing."""

JUDGED_SAME = "judged_the_same"
"""Rule of a case: a model that was asked again calls names of two settled entities the same."""


def nobody(kind: str, shown: Mapping[str, Shown]) -> Ask:
    """Leave every question to letters."""
    return dict.fromkeys
