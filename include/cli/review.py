"""``make review``: batches that a gate stopped, rows it set aside or that are gone, names; and a person's word."""

from __future__ import annotations

import argparse
import getpass
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from feedback.digest.escape import cut, plain
from feedback.errors import SettingError
from include import settings
from include.cli.aligned import aligned
from include.warehouse import warehouse as open_warehouse

if TYPE_CHECKING:
    from feedback.warehouse.base import Warehouse

HELP = "list what waits for a person: batches, deletions, names, rows set aside; accept, drop, or have it done again"
STATUSES = "exit status: 0 listed or decided, 1 there is no open case of that id"

OPEN = """
    select c.case_id, c.subject, c.run_id, c.rules, c.opened_at, count(g.row_key) as gone
    from ops.cases as c
    left join staging.gone as g on g.case_id = c.case_id and not g.is_kept
    where c.state = 'open'
    group by c.case_id, c.subject, c.run_id, c.rules, c.opened_at
    order by c.opened_at, c.case_id
"""
GONE = """
    select case_id, row_key from staging.gone
    where not is_kept and case_id is not null
    qualify row_number() over (partition by case_id order by row_key) <= 3
    order by case_id, row_key
"""
NAMES = """
    select c.case_id, n.norm, count(*) over (partition by c.case_id) as n,
        row_number() over (partition by c.case_id order by n.norm) as at
    from ops.cases as c join ops.case_names as n on n.case_id = c.case_id
    where c.state = 'open'
    order by c.case_id, n.norm
"""
DELETIONS = "deletions of "
MOST_NAMES = 8
RE_JUDGE = (
    "have a real model judge again which names are one, where the offline model or an earlier prompt decided;"
    " most names keep their id, every change is an event"
)
MOST_ROWS, MOST_TEXT = 20, 200
DECISIONS = {"accept": "accepted", "drop": "dropped", "re_ask": "re_asked"}
NEXT = {
    "accept": "the next run of its Dag publishes it",
    "drop": "it stays set aside until its text or prompt moves",
    "re_ask": "the next run does it again",
}
NEXT_OF_NAMES = {
    "accept": "the next run makes these names one for good (ops.entity_overrides)",
    "drop": "these names stay as they are",
    "re_ask": "the next run has a model decide about them again",
}
NEXT_OF_GONE = {
    "accept": "the next run deletes them",
    "drop": "they stay as they are",
    "re_ask": "the next run looks for them again",
}


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = STATUSES
    choice = parser.add_mutually_exclusive_group()
    for decision in DECISIONS:
        meaning = (
            f"{NEXT[decision]}; of rows that are gone: {NEXT_OF_GONE[decision]}; of names: {NEXT_OF_NAMES[decision]}"
        )
        choice.add_argument(f"--{decision.replace('_', '-')}", metavar="ID", help=meaning)
    choice.add_argument("--re-judge", action="store_true", help=RE_JUDGE)
    parser.add_argument("--answer", metavar="LABELS", help="with --accept of a row: the right labels instead, or none")
    parser.add_argument("--author", help="who decides (default: your login)")
    parser.add_argument("--json", action="store_true", help="machine-readable list")


def main(options: argparse.Namespace) -> int:
    from feedback.resolution.judging import request
    from feedback.validation.cases import decide
    from feedback.validation.review import waiting as set_aside
    from include.entities import MATCH

    warehouse = open_warehouse(settings.load())
    warehouse.migrate()
    if options.re_judge:
        request(warehouse, options.author or _login(), MATCH.prompt_version)
        print("the next run of resolve_entities judges them again, where a real model is configured")
        return 0
    waiting = [dict(row) for row in warehouse.rows(OPEN)]
    for decision, state in DECISIONS.items():
        if case := getattr(options, decision):
            author = options.author or _login()
            if rows := [row for row in set_aside(warehouse) if row["id"] == case]:
                _decide_row(warehouse, rows[0], decision, author, options.answer)
                print(f"{case}: {NEXT[decision]}")
                return 0
            if _is_of_names(_subject(waiting, case)):
                _decide_names(warehouse, case, state, author)
            else:
                decide(warehouse, case, state, author)
            print(f"{case} is {state}: {_next(waiting, case)[decision]}")
            return 0
    for row in waiting:
        row["examples"] = [gone["row_key"] for gone in warehouse.rows(GONE) if gone["case_id"] == row["case_id"]]
    for name in warehouse.rows(NAMES):
        case = next(row for row in waiting if row["case_id"] == name["case_id"])
        case["names"] = name["n"]
        case["examples"] += [name["norm"]] * (name["at"] <= MOST_NAMES)
    rows = set_aside(warehouse)
    if options.json:
        print(json.dumps([*waiting, *map(_shown, rows)], indent=2, default=str))
    else:
        print("\n".join([*listed(waiting), *rows_listed(rows)]))
    return 0


def _decide_names(warehouse: Warehouse, case: str, state: str, author: str) -> None:
    from feedback.resolution.cases import settle
    from feedback.resolution.judging import refuse_answered
    from feedback.resolution.naming import naming
    from include.entities import CATALOG, ENTITY_KINDS, MATCH, OVERRIDES

    if state == "dropped":
        settle(warehouse, case, state, author)
        return
    people = naming(warehouse, ENTITY_KINDS, CATALOG, OVERRIDES)
    if state == "re_asked":
        refuse_answered(warehouse, case, MATCH.prompt_version, people.overrides, people.catalog)
    settle(warehouse, case, state, author, MATCH.prompt_version, people.overrides, people.catalog)


def _decide_row(warehouse: Warehouse, row: dict[str, Any], decision: str, author: str, answer: str | None) -> None:
    from feedback.validation import review
    from include.expectations import SUBJECTS

    labels = None if answer is None else [label.strip() for label in answer.split(",") if label.strip()]
    if decision == "drop":
        review.drop(warehouse, row, author)
    elif decision == "re_ask":
        review.ask_again(warehouse, row, author)
    else:
        subject = next(subject for subject in SUBJECTS if subject.name == row["subject"])
        review.release(warehouse, row, subject, author, labels)


def rows_listed(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield what was set aside row by row: why, what was answered to which words, where they can be read."""
    if not rows:
        return
    yield ""
    yield f"{len(rows):,} set aside; the same words decide about a row:"
    for row in rows[:MOST_ROWS]:
        shown = _shown(row)
        yield f"{shown['id']}  {shown['subject']}  {shown['rules']}: {shown['reason']}"
        yield from (f"              {name}: {shown[name]}" for name in ("text", "answer", "permalink") if shown[name])
    if len(rows) > MOST_ROWS:
        yield f"and {len(rows) - MOST_ROWS:,} more in ops.quarantine"
    yield '  with the right answer:  make review ARGS="--accept <id> --answer <label>[,<label>]"'


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    said = json.loads(row["evidence"] or "[]")
    words = [str(one[name]) for one in said for name in ("label", "surface", "quote") if one.get(name) is not None]
    return {
        **{name: row[name] for name in ("id", "subject", "item_id", "rules", "reason", "permalink")},
        "text": cut(plain(row["text"] or ""), MOST_TEXT),
        "answer": cut(plain(" · ".join(words)), MOST_TEXT),
    }


def listed(waiting: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield what waits, a line each, and how to decide it."""
    if not waiting:
        yield "nothing waits for a decision"
        return
    rows = [[row["case_id"], row["subject"], f"{row['opened_at']:%Y-%m-%d %H:%M}", _why(row)] for row in waiting]
    yield from aligned([["case", "about", "since", "why"], *rows])
    yield ""
    yield f"{len(waiting)} wait{'s' * (len(waiting) == 1)}; decide each once:"
    yield from aligned([[f"  {_call(decision)}", _meaning(waiting, decision)] for decision in DECISIONS])


def _call(decision: str) -> str:
    return f'make review ARGS="--{decision.replace("_", "-")} <case>"'


def _meaning(waiting: Sequence[Mapping[str, Any]], decision: str) -> str:
    """What a decision does to the kinds of cases that wait."""
    return "; ".join(dict.fromkeys(_next(waiting, row["case_id"])[decision] for row in waiting))


def _why(row: Mapping[str, Any]) -> str:
    """The rules that stopped a batch; of rows that are gone, and of names, how many and a few."""
    keys = ", ".join(cut(plain(key), 60) for key in row.get("examples", ()))
    if _is_of_names(row["subject"]):
        more = ", …" if row.get("names", 0) > len(row["examples"]) else ""
        return f"{row['rules']}, {row.get('names', 0):,} names: {keys}{more}"
    if not row["subject"].startswith(DELETIONS):
        return f"{row['rules']}, in {row['run_id']}"
    return f"{row['gone']:,} rows are gone there: {keys}{', …' if row['gone'] > len(row['examples']) else ''}"


def _next(waiting: Sequence[Mapping[str, Any]], case: str) -> Mapping[str, str]:
    """What comes of each decision about a case."""
    subject = _subject(waiting, case)
    if subject.startswith(DELETIONS):
        return NEXT_OF_GONE
    return NEXT_OF_NAMES if _is_of_names(subject) else NEXT


def _subject(waiting: Sequence[Mapping[str, Any]], case: str) -> str:
    return next((str(row["subject"]) for row in waiting if row["case_id"] == case), "")


def _is_of_names(subject: str) -> bool:
    from feedback.resolution.cases import SUBJECT

    return subject.startswith(SUBJECT)


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        raise SettingError("--author: this process has no login, so say who decides") from None
