"""Which new names stand for the same thing, and for which settled entity: scored, asked about where that is not sure,
brought together by average link.

An answer moves a likelihood by as much as whoever answers is usually right; it is no last word, for a model errs.
People are: what they link or keep apart is so.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, product

from feedback.resolution.cluster import SAME, Likely, average_link
from feedback.resolution.score import Decided, Pair, Scorer, ordered

Node = tuple[str, str]
"""What is brought together: ``("entity", its id)``, or ``("name", norm)`` for a name that stands for none yet."""

Edge = tuple[Node, Node]
"""Two nodes in order."""


@dataclass(frozen=True)
class Band:
    """Between which likelihoods somebody is asked, and how often that may be.

    :param right: how often who answers is right.
    :param per_thousand: candidates shown for each 1,000 new names; ``least``: so many always may be.
    """

    low: float = 0.05
    high: float = 0.95
    right: float = 0.95
    per_thousand: int = 240
    least: int = 100

    def most(self, names: int) -> int:
        return max(self.least, names * self.per_thousand // 1000)


@dataclass(frozen=True)
class Question:
    """For which of these names does this one stand, if for any?"""

    name: str
    offered: tuple[str, ...]


@dataclass(frozen=True)
class Said:
    """An answer: one of the names that were offered, or None for none of them.

    :param by: llm, and which ``model`` in which ``call_id`` by which ``prompt_version``.
    """

    chosen: str | None
    model: str | None = None
    prompt_version: str | None = None
    call_id: str | None = None


Ask = Callable[[Sequence[Question]], Mapping[Question, Said | None]]
"""Answers questions: None where nothing usable was said; what it leaves out waits for the next run."""


@dataclass
class Matched:
    """What came of it.

    :param groups: of new names and entities that are one, each with more than one node.
    :param told: of each answer the names that it says something about.
    :param waiting: new names whose question was not answered.
    :param oversize: what hangs together, one name by another, and is too large to be one thing: only what is alike
        on the whole comes together there, and a person looks.
    """

    groups: list[frozenset[Node]] = field(default_factory=list)
    likely: dict[Pair, float] = field(default_factory=dict)
    said: dict[Question, Said] = field(default_factory=dict)
    told: list[tuple[Question, str]] = field(default_factory=list)
    waiting: frozenset[str] = frozenset()
    oversize: list[frozenset[Node]] = field(default_factory=list)


MOST_TOGETHER = 50
"""New names and entities in a group; more are no spellings of one thing."""

WEIGHT_OF_TOLD = 3.0
"""How many pairs that only letters judge one weighs that was asked about: names of one thing may share few letters."""

NOTHING_KNOWN = Likely(0.0, 0.0)
"""Of two settled entities, which are not compared: only new names may speak for their being one."""

MOST_OFFERED = 10
"""Names that one question offers."""

MOST_MEMBERS = 10
"""Names of an entity that a new one is compared with."""

BRIDGES = 2
"""New names that must each speak for two settled entities being one, where their own names are not alike: a single yes
merges nothing that is settled."""


class Matching:
    """Matches the new names of one kind.

    :param candidates: of each new name the names it is worth comparing with.
    :param owners: of settled names their entity.
    :param apart: pairs of names that a person keeps apart.
    """

    def __init__(
        self,
        candidates: Mapping[str, Sequence[str]],
        owners: Mapping[str, str],
        scorer: Scorer,
        band: Band,
        apart: Iterable[Pair] = (),
    ):
        self.candidates, self.owners, self.scorer, self.band = candidates, owners, scorer, band
        apart = list(apart)
        self.apart = {frozenset(map(self.node, pair)) for pair in apart}
        self.members: dict[str, list[str]] = defaultdict(list)
        for name in sorted(owners):
            self.members[owners[name]].append(name)
        self._together: dict[str, list[str]] = {}
        pairs = {
            ordered(name, other) for name, near in candidates.items() for each in near for other in self._of_one(each)
        }
        kept_apart = {ordered(*each) for pair in apart for each in product(*map(self._names_of, pair))}
        self.pairs = sorted(pairs - kept_apart)
        self.matched = Matched()
        self._asked: set[Pair] = set()
        self._answered: set[Pair] = set()
        self._told: set[Pair] = set()
        self._shown = 0

    def run(self, ask: Ask) -> Matched:
        """Ask what is not sure, and bring together what is the same."""
        most = self.band.most(len(self.candidates))
        self.scorer.learn(among=self.pairs)
        self._score()
        if not self.scorer.has_learnt and self.pairs:  # learn from a first part of the questions which others matter
            self._ask(ask, most // 3)
            self.scorer.learn(self._decided(), self.pairs)
            if self.scorer.has_learnt:
                self._score()
        self._ask(ask, most - self._shown)
        self._bring_together()
        return self.matched

    def node(self, name: str) -> Node:
        return ("entity", self.owners[name]) if name in self.owners else ("name", name)

    def _names_of(self, name: str) -> list[str]:
        """Return the names of what a name stands for."""
        return self.members[self.owners[name]] if name in self.owners else [name]

    def _of_one(self, name: str) -> list[str]:
        """Return a candidate and other names of its entity: who is like one of them only is not of them."""
        if name not in self._together:
            known = [other for other in self._names_of(name) if other != name and self.scorer.knows(other)]
            self._together[name] = [name, *known[: MOST_MEMBERS - 1]]
        return self._together[name]

    def _score(self) -> None:
        open_pairs = [pair for pair in self.pairs if pair not in self._answered]
        self.matched.likely |= zip(open_pairs, self.scorer(open_pairs), strict=True)

    def _ask(self, ask: Ask, most: int) -> None:
        questions = self._questions(most)
        self._asked |= {ordered(question.name, other) for question in questions for other in question.offered}
        said = ask(questions) if questions else {}
        self.matched.waiting |= frozenset(question.name for question in questions if question not in said)
        for question, answer in said.items():
            self._answered |= {ordered(question.name, other) for other in question.offered}
            if answer is not None:
                self.matched.said[question] = answer
                self._believe(question, answer)

    def _questions(self, most: int) -> list[Question]:
        """Return the questions that tell most for their number of candidates, at most so many of these."""
        seen = set(self._asked)
        doubts: list[tuple[float, str, str]] = []
        for name in sorted(self.candidates, key=lambda name: (-self._doubt(name), name)):
            offered = self._offered(name, seen)
            seen |= {ordered(name, other) for other in offered}
            doubts += [(-self._unsure(name, other), name, other) for other in offered]
        chosen: dict[str, list[str]] = defaultdict(list)
        for _, name, other in sorted(doubts)[:most]:
            chosen[name].append(other)
        self._shown += min(most, len(doubts))
        return [Question(name, tuple(offered)) for name, offered in sorted(chosen.items())]

    def _offered(self, name: str, seen: set[Pair]) -> list[str]:
        """Return the likeliest names, each of another thing that a name may stand for; none where it is sure of one."""
        best: dict[Node, tuple[float, str]] = {}
        for other in self.candidates[name]:
            if (value := self.matched.likely.get(ordered(name, other))) is not None:
                node = self.node(other)
                best[node] = max(best.get(node, (0.0, "")), (value, other))
        unsure = sorted((one for one in best.values() if one[0] > self.band.low), reverse=True)
        offered = [other for _, other in unsure if ordered(name, other) not in seen][:MOST_OFFERED]
        if offered and any(self._to(name, other).value >= self.band.high for _, other in best.values()):
            return []
        return offered

    def _to(self, name: str, other: str) -> Likely:
        """Return how likely a name is what another one stands for: as it was told, else as it is to its names."""
        pairs = [pair for each in self._of_one(other) if (pair := ordered(name, each)) in self.matched.likely]
        if told := [self._of(pair) for pair in pairs if pair in self._told]:
            return Likely(max(told), WEIGHT_OF_TOLD)
        return Likely(sum(map(self._of, pairs)) / max(1, len(pairs)))

    def _doubt(self, name: str) -> float:
        return max((self._unsure(name, other) for other in self.candidates[name]), default=0.0)

    def _unsure(self, name: str, other: str) -> float:
        value = self._of(ordered(name, other))
        return min(value, 1 - value)

    def _of(self, pair: Pair) -> float:
        return self.matched.likely.get(pair, 0.0)

    def _believe(self, question: Question, said: Said) -> None:
        """Move what was likely by what was said, as far as who says it is usually right.

        Who chose one of two names that are like each other has said nothing about the second.
        """
        right, wrong = self.band.right, 1 - self.band.right
        for other in question.offered:
            pair = ordered(question.name, other)
            if said.chosen not in (None, other) and self._of(ordered(said.chosen or "", other)) > self.band.low:
                continue
            yes, no = (right, wrong / len(question.offered)) if other == said.chosen else (wrong, right)
            value = self._of(pair)
            self.matched.likely[pair] = value * yes / (value * yes + (1 - value) * no)
            self._told.add(pair)
            self.matched.told.append((question, other))

    def _decided(self) -> list[Decided]:
        return [Decided(pair, self.matched.likely[pair]) for pair in sorted(self._told)]

    def _bring_together(self) -> None:
        """Group nodes; pairs inside a group that nobody compared are scored too, else they would count as unlike."""
        components = self._components()
        component_of = {node: number for number, nodes in enumerate(components) for node in nodes}
        names: dict[Node, list[str]] = defaultdict(list)
        for name in sorted({*self.candidates, *(other for near in self.candidates.values() for other in near)}):
            names[self.node(name)].append(name)
        likely: dict[Edge, Likely] = {}
        for pair in self.matched.likely:
            one, other = map(self.node, pair)
            edge = (min(one, other), max(one, other))
            if edge not in likely and component_of.get(one, -1) == component_of.get(other, -2):
                likely[edge] = self._to(*sorted(pair, key=lambda name: (name in self.owners, name)))
        for component in components:
            if len(component) <= MOST_TOGETHER:
                likely |= self._missing(component, names, likely)
            inside = {edge: likely[edge] for edge in combinations(component, 2) if edge in likely}
            settled = [node for node in component if node[0] == "entity"]
            inside |= dict.fromkeys(combinations(settled, 2), NOTHING_KNOWN)
            groups = average_link(component, inside, self._may_meet(inside))
            self.matched.groups += [group for group in groups if 1 < len(group) <= MOST_TOGETHER]
            if len(component) > MOST_TOGETHER:
                self.matched.oversize.append(frozenset(component))

    def _components(self) -> list[list[Node]]:
        """Return the nodes that likely pairs hold together, in one way or another."""
        root: dict[Node, Node] = {}

        def find(node: Node) -> Node:
            while root.setdefault(node, node) != node:
                root[node] = root[root[node]]
                node = root[node]
            return node

        for pair, value in self.matched.likely.items():
            if value > SAME:
                one, other = sorted(find(self.node(name)) for name in pair)
                root[other] = one
        together: dict[Node, list[Node]] = defaultdict(list)
        for node in sorted(root):
            together[find(node)].append(node)
        return [nodes for nodes in together.values() if len(nodes) > 1]

    def _missing(
        self, nodes: Sequence[Node], names: Mapping[Node, list[str]], likely: Mapping[Edge, Likely]
    ) -> dict[Edge, Likely]:
        """Return how likely those are the same that no candidate pair connects; entities are not compared."""
        edges = [
            edge for edge in combinations(nodes, 2) if edge not in likely and any(node[0] == "name" for node in edge)
        ]
        pairs = [ordered(names[one][0], names[other][0]) for one, other in edges]
        return dict(zip(edges, map(Likely, self.scorer(pairs)), strict=True))

    def _may_meet(self, likely: Mapping[Edge, Likely]) -> Callable[[frozenset[Node], frozenset[Node]], bool]:
        def entities(group: frozenset[Node]) -> set[Node]:
            return {node for node in group if node[0] == "entity"}

        def may_meet(one: frozenset[Node], other: frozenset[Node]) -> bool:
            settled = entities(one), entities(other)
            if all(settled):
                bridges = len(_bridges(settled, one | other, likely))
                if not bridges or (bridges < BRIDGES and not self._are_alike(*settled)):
                    return False
            return self.apart.isdisjoint(frozenset(edge) for edge in product(one, other))

        return may_meet

    def _are_alike(self, one: set[Node], other: set[Node]) -> bool:
        """Say whether the names of two sides that are settled are the same more likely than not, on the average."""
        sides = [
            [name for _, entity_id in sorted(side) for name in self.members[entity_id] if self.scorer.knows(name)]
            for side in (one, other)
        ]
        likely = self.scorer([ordered(*pair) for pair in product(*(names[:MOST_MEMBERS] for names in sides))])
        return sum(likely) > SAME * len(likely)


def _bridges(settled: tuple[set[Node], set[Node]], nodes: Iterable[Node], likely: Mapping[Edge, Likely]) -> set[Node]:
    """Return the new names that speak for both sides being one."""

    def speaks(node: Node, entities: set[Node]) -> bool:
        edges = (edge for e in entities for edge in ((node, e), (e, node)))
        return any(likely[edge].value > SAME for edge in edges if edge in likely)

    return {node for node in nodes if node[0] == "name" and all(speaks(node, side) for side in settled)}
