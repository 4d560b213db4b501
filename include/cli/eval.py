"""``make eval``: the golden set asked with the current prompts and model, before they go live."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

from include import settings
from include.cli.aligned import aligned
from include.cli.lock import run_lock

if TYPE_CHECKING:
    from feedback.validation.scores import Share
    from include.evaluation import Evaluation, Judged

HELP = (
    "ask the golden set with the current prompts and model: how right, what flips against what is published, what cost"
)
STATUSES = "exit status: 0 the gate would publish, 3 its golden rule would block"
HOLDS, BLOCKS = 0, 3
NOTHING = "no golden answers: put rows into ops.golden, correct answers in make review, or run the sample first"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = STATUSES
    parser.add_argument("--json", action="store_true", help="machine-readable")


def main(options: argparse.Namespace) -> int:
    from include.evaluation import evaluate

    configured = settings.load()
    with run_lock(configured.home):  # a run beside it would pay for the same questions
        found = evaluate(configured, _progress)
    if options.json:
        print(json.dumps(asdict(found) if found else {}, indent=2))
    else:
        print("\n".join(page(found)) if found else NOTHING)
    return HOLDS if found is None or all(one.holds for one in found.judged) else BLOCKS


def _progress(line: str, *values: object, **numbers: object) -> None:
    print(line % values, file=sys.stderr)


def page(found: Evaluation) -> Iterator[str]:
    """Yield the lines that a person reads."""
    from feedback.digest.wording import NOT_A_MODEL

    header = ["enrichment", "golden", "right", "precision", "recall", "F1", "flips", "better", "worse", "the gate"]
    yield from aligned([header, *map(_row, found.judged)])
    yield ""
    told = f"answered by {found.model}"
    yield f"{told}: {NOT_A_MODEL}" if found.model == "offline" else told
    latency = f", {found.seconds:.1f} s a call" if found.seconds is not None else ": the ledger knew every answer"
    yield f"{found.calls} calls, US$ {found.cost_usd:.4f}{latency}; intervals are of 95 %"
    if found.stopped:
        yield f"not all was asked ({found.stopped}): run it again"
    for one in found.judged:
        if not one.is_approved:
            yield f"{one.enrichment}: prompt {one.prompt_version} is not in include/approved.py"


def _row(one: Judged) -> list[str | int | None]:
    score = one.scores
    shares = [_share(share) for share in (score.share, score.precision, score.recall, score.f1)]
    return [one.enrichment, score.items, *shares, score.flips, score.better, score.worse, _verdict(one)]


def _share(share: Share) -> str:
    return f"{share.value:.0%} [{share.low:.0%}, {share.high:.0%}]"


def _verdict(one: Judged) -> str:
    if one.standing is None or one.standing.bound is None:
        return "reports only"
    lower = f"{one.standing.share.low:.0%}, at least {one.standing.bound:.0%}"
    return f"{'holds' if one.holds else 'blocks'}: {lower}"
