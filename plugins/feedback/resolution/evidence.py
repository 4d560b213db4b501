"""Why a decision was taken, as its row in ``ops.entity_decisions`` says it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Evidence:
    """Who decided and by what.

    :param decided_by: catalog, rule, local (letters, and what was learnt of earlier decisions), llm or human.
    :param evidence: which alias, override or likeness, in words of ours.
    :param score: how likely the two are the same.
    """

    decided_by: str
    evidence: str
    score: float | None = 1.0
    model: str | None = None
    prompt_version: str | None = None
    call_id: str | None = None
