"""Where the right answers come from that people gave in a file, and how far the published ones agree with them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from feedback.resolution.normalise import norm
from feedback.warehouse.base import Warehouse
from include.enrichments import ENRICHMENTS
from include.settings import ROOT, Settings


def golden_file(settings: Settings) -> Path | None:
    """Return the file of right answers: the sample has one; yours are rows of ``ops.golden``."""
    return ROOT / "include" / "sample" / "golden.jsonl" if settings.is_sample else None


def agreement(warehouse: Warehouse) -> list[dict[str, Any]]:
    """Return for each enrichment how many of the answered golden items agree, with a lower bound of the share.

    Keys: enrichment, right, total, share, lower_bound (Wilson, 97.5 %). Empty without golden answers.
    """
    from feedback.llm.golden import agreements

    golden = [
        row | {"answer": _labels(row["enrichment"], json.loads(row["answer"]))}
        for row in warehouse.rows("select item_id, enrichment, answer from ops.golden order by item_id, enrichment")
    ]
    answers = _answers(warehouse) if golden else {}
    return [
        {
            "enrichment": found.enrichment,
            "right": found.agreed,
            "total": found.n,
            "share": round(found.share, 3),
            "lower_bound": round(found.lower_bound, 3),
        }
        for found in agreements(golden, answers).values()
    ]


def _labels(enrichment: str, answer: Any) -> Any:
    """Return a golden answer as labels; a mention counts by its name as compared."""
    return [norm(mention["surface"]) for mention in answer] if enrichment == "mentions" else answer


def _answers(warehouse: Warehouse) -> dict[tuple[str, str], list[str]]:
    asked = warehouse.rows("select item_id, enrichment from ops.answers where status = 'answered'")
    answers: dict[tuple[str, str], list[str]] = {(row["item_id"], row["enrichment"]): [] for row in asked}
    for enrichment in ENRICHMENTS:
        column = "norm" if enrichment.name == "mentions" else "label"
        for row in warehouse.rows(f"select item_id, {column} as label from {enrichment.table}"):
            answers.setdefault((row["item_id"], enrichment.name), []).append(row["label"])
    return answers
