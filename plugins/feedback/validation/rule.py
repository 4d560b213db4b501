"""A rule as data: what must hold, how bad it is when it does not, whom to ask and what to do then.

Conditions are SQL of the warehouse, so that every engine judges alike. This module runs none of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Scope = Literal["row", "run"]
Severity = Literal["critical", "warning", "info"]

NOTHING = "(nothing)"
"""Stands in ``fresh`` and ``past`` for the label of an answer without rows."""

SHARE = "set_aside_share"
"""The rule that judges every batch of every subject, so that its totals tell how large batches are."""


@dataclass(frozen=True)
class Rule:
    """What must hold of every staged row, or of a batch as a whole.

    A row that breaks a critical rule is set aside with its item; a batch that breaks one is not published.
    A warning is published and told. A condition that is NULL is broken.

    :param id: lower-case words, also a column name.
    :param owner: who changes what makes it fail: ``pipeline``, ``sources`` or ``prompts``.
    :param runbook: one line: what to do when it fails.
    :param condition: SQL that is TRUE where all is right. Scope ``row``: over a row of ``staged``.
        Scope ``run``: over a row of ``measure``.
    :param measure: scope ``run`` only: a query for ``slice, failed, measured, bound, n``, a row a slice, over
        the run's relations (``relations``) and whatever is published. ``failed`` of ``n`` rows are at
        fault where the condition does not hold; where ``bound`` is NULL, there is not enough history to judge by.
    """

    id: str
    scope: Scope
    severity: Severity
    owner: str
    runbook: str
    condition: str
    measure: str = ""
