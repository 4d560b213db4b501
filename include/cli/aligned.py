"""Rows as people read them: columns of one width, numbers to the right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

NOTHING = "–"


def aligned(rows: Sequence[Sequence[Any]]) -> list[str]:
    """Return rows as lines. A column that holds a number stands right; what is None is a dash."""
    widths = [max(len(_shown(cell)) for cell in column) for column in zip(*rows, strict=True)]
    right = [any(isinstance(cell, (int, float)) for cell in column) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            _shown(cell).rjust(width) if is_right else _shown(cell).ljust(width)
            for cell, width, is_right in zip(row, widths, right, strict=True)
        ).rstrip()
        for row in rows
    ]


def _shown(cell: Any) -> str:
    return NOTHING if cell is None else f"{cell:,}" if isinstance(cell, (int, float)) else str(cell)
