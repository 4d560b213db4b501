"""Settling names: what each new name stands for, and what people make of settled ones."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from feedback.resolution.catalog import Catalog
from feedback.resolution.evidence import Evidence
from feedback.resolution.judging import Judged, hanging_on
from feedback.resolution.match import Matched, Node
from feedback.resolution.normalise import commonest
from feedback.resolution.overrides import Override
from feedback.resolution.register import Name, Proposal, Register, Row
from feedback.resolution.score import Pair, ordered

Spellings = Mapping[Name, Mapping[str, int]]


def resolve(
    spellings: Spellings,
    names: Iterable[Row],
    entities: Iterable[Row],
    catalog: Catalog,
    run_id: str,
    now: datetime,
    overrides: Sequence[Override] = (),
    matched: Mapping[str, Matched] | None = None,
    judged: Mapping[str, Sequence[Judged]] | None = None,
    reasons: Mapping[str, Pair] | None = None,
) -> Proposal:
    """Return what a run changes so that every name met stands for an entity, and catalog and overrides hold.

    The same names give the same ids whatever the order they came in; nothing new changes nothing.

    :param spellings: of each name met, how often each spelling of it was.
    :param names: settled rows of ``feedback.entity_names``: those that anything here may touch.
    :param entities: settled rows of ``feedback.entities``, likewise.
    :param matched: of each kind what matching has found; a name that waits is not settled.
    :param judged: of each kind what is said now about pairs that were decided before; ``reasons``: of each decision by
        which one of these names is where it is, the pair that it was about.
    """
    register = Register(names, entities, catalog, run_id, now)
    met = sorted({*spellings, *register.names})
    known = {name: entry for name in met if (entry := catalog.find(*name)) is not None}
    for name, entry in known.items():  # first all entities of the catalog: whoever gets one back takes names along
        register.establish(entry, name)
    for kind, again in (judged or {}).items():  # before the catalog and people, who have the last word
        _judge(register, spellings, kind, again, reasons or {})
    for name, entry in known.items():
        register.link(name, entry)
    _overrule(register, spellings, overrides)
    for kind, found in (matched or {}).items():
        _gather(register, spellings, kind, found)
    waiting = {(kind, norm) for kind, found in (matched or {}).items() for norm in found.waiting}
    for name in sorted(spellings.keys() - known.keys() - waiting):
        register.keep(name, commonest(spellings[name]))
    return register.proposal()


def _overrule(register: Register, spellings: Spellings, overrides: Sequence[Override]) -> None:
    """Do what people said, first what belongs together, then what does not."""
    for override in sorted(overrides, key=lambda one: (not one.is_same, one.kind, one.pair)):
        one, other = ((override.kind, norm) for norm in sorted(override.pair))
        known = register.names.keys() | (spellings.keys() if override.is_same else set())
        if not known >= {one, other}:
            continue  # a name that was never met
        score = 1.0 if override.is_same else 0.0
        evidence = Evidence("human", f"{override.where}, by {override.author}", score)
        if override.is_same:
            if one not in register.names and other not in register.names:
                register.keep(one, commonest(spellings[one]))
            register.unite(one, other, evidence)
        else:
            register.part(one, other, evidence, {name: commonest(spellings[name]) for name in (one, other)})


def _judge(
    register: Register, spellings: Spellings, kind: str, judged: Sequence[Judged], reasons: Mapping[str, Pair]
) -> None:
    """Note what is said now, and part what only a decision that does not hold has brought together."""
    reason_of = {
        name: reasons[row["decision_id"]] for name, row in register.names.items() if row["decision_id"] in reasons
    }
    for one in judged:
        verdict = "same" if one.is_same else "different"
        pair = ordered(one.name, one.other)
        hanging = [name for name in pair if ordered(*reason_of.get((kind, name), ("", ""))) == pair]
        register.decide((kind, one.name), one.other, verdict, one.evidence)
        if one.is_same or not one.is_said or not hanging:
            continue
        name, other = hanging[0], pair[pair[0] == hanging[0]]
        there = {
            each: reason_of[kind, each]
            for _, each in register.members(register.current_of((kind, name)))
            if (kind, each) in reason_of
        }
        there.pop(other, None)  # two that hang on each other: one of them stays
        surfaces = {(kind, each): commonest(spellings[kind, each]) for each in (name, other)}
        register.part((kind, name), (kind, other), one.evidence, surfaces, hanging_on(name, there))


def _gather(register: Register, spellings: Spellings, kind: str, matched: Matched) -> None:
    """Settle the groups that matching has found, each name by the decision that speaks most for it."""
    decided = _answers(register, kind, matched)
    near: dict[str, list[tuple[float, str]]] = defaultdict(list)
    for (one, other), likely in matched.likely.items():
        near[one].append((likely, other))
        near[other].append((likely, one))
    for group in matched.groups:
        new = sorted(norm for what, norm in group if what == "name" and (kind, norm) not in register.names)
        new = [norm for norm in new if norm not in matched.waiting]
        if not new:
            continue
        roots = sorted({register.reached(entity_id, (kind, new[0])) for what, entity_id in group if what == "entity"})
        if not roots:
            founder = min(new, key=lambda norm: (-sum(spellings[kind, norm].values()), norm))
            register.keep((kind, founder), commonest(spellings[kind, founder]))
            roots = [register.current_of((kind, founder))]
        for norm in (norm for norm in new if (kind, norm) not in register.names):
            decision_id, score = _reason(register, (kind, norm), near[norm], group, decided)
            register.place((kind, norm), register.winner(roots), decision_id, score)
        for other in roots[1:]:
            decision_id = register.names[kind, new[0]]["decision_id"]
            register.merge(other, register.current(roots[0]), (kind, new[0]), decision_id)


def _answers(register: Register, kind: str, matched: Matched) -> dict[Pair, str]:
    """Note what a model was asked; return the decisions that say that two names are the same."""
    same: dict[Pair, str] = {}
    for question, other in matched.told:
        said, pair = matched.said[question], ordered(question.name, other)
        is_chosen = other == said.chosen
        evidence = Evidence(
            "llm",
            f"{'chosen' if is_chosen else 'not chosen'} among {len(question.offered)} names",
            round(matched.likely[pair], 4),
            said.model,
            said.prompt_version,
            said.call_id,
        )
        name = (kind, question.name)
        decision_id = register.decide(name, other, "same" if is_chosen else "different", evidence)
        if is_chosen:
            same[pair] = decision_id
    return same


def _reason(
    register: Register,
    name: Name,
    near: Sequence[tuple[float, str]],
    group: frozenset[Node],
    decided: Mapping[Pair, str],
) -> tuple[str, float]:
    """Return the decision by which a name is in its group, and how likely it is: its likeliest other name there."""

    def is_inside(other: str) -> bool:
        settled = (name[0], other)
        return ("name", other) in group or (
            settled in register.names and ("entity", register.current_of(settled)) in group
        )

    inside = sorted(((likely, other) for likely, other in near if is_inside(other)), reverse=True)
    likely, other = inside[0] if inside else (0.5, None)
    if other and (asked := decided.get(ordered(name[1], other))):
        return asked, round(likely, 4)
    evidence = Evidence("local", "alike in letters and words, and as decided of names like these", round(likely, 4))
    return register.decide(name, other, "same", evidence), round(likely, 4)
