"""Geometry of the inline SVG charts: plain numbers in, plain numbers out; the template draws them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Bar:
    """One rectangle; ``kind`` is its colour class, ``title`` what a pointer or screen reader is told."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    title: str


@dataclass(frozen=True)
class Tick:
    """One label at an axis."""

    at: float
    text: str


@dataclass(frozen=True)
class Chart:
    """Bars in a box, with the labels of both axes."""

    width: float
    height: float
    bars: tuple[Bar, ...]
    columns: tuple[Tick, ...] = ()
    levels: tuple[Tick, ...] = ()


def stacked(series: Sequence[tuple[str, Sequence[float]]], names: Sequence[str], width: float, height: float) -> Chart:
    """Stack the series, the first at the bottom, one column for each name."""
    top = nice(max((sum(values) for values in zip(*(values for _, values in series), strict=True)), default=0))
    step = width / max(1, len(names))
    bars: list[Bar] = []
    for column, name in enumerate(names):
        level = height
        for kind, values in series:
            tall = height * values[column] / top
            level -= tall
            if values[column]:
                title = f"{name}: {values[column]:,} {kind}"
                bars.append(Bar(_r(step * column + step * 0.14), _r(level), _r(step * 0.72), _r(tall), kind, title))
    columns = tuple(Tick(_r(step * (column + 0.5)), name) for column, name in enumerate(names))
    levels = tuple(Tick(_r(height * (1 - part)), short(top * part)) for part in (0, 0.5, 1))
    return Chart(width, height, tuple(bars), columns, levels)


def spark(values: Sequence[float], names: Sequence[str], top: float, width: float = 132, height: float = 28) -> Chart:
    """Draw one small bar for each value; every spark of a table shares its top, so that they can be compared."""
    step = width / max(1, len(values))
    bars = []
    for column, (value, name) in enumerate(zip(values, names, strict=True)):
        tall = max(1.0, height * value / top) if top else 1.0
        kind = "now" if column == len(values) - 1 else "past"
        bars.append(Bar(_r(step * column + 1), _r(height - tall), _r(step - 2), _r(tall), kind, f"{name}: {value:,}"))
    return Chart(width, height, tuple(bars))


def nice(most: float) -> float:
    """Return a round number at or above the greatest value, so that axes read well; 1 for nothing."""
    if most <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(most))
    return next(power * factor for factor in (1, 1.6, 2, 4, 6, 8, 10, 20) if power * factor >= most)


def short(number: float) -> str:
    """Return a number that fits an axis or a tile: 950, 12.4k, 3.1M."""
    for size, letter in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e4, "k")):
        if abs(number) >= size:
            return f"{number / min(size, 1e3 if letter == 'k' else size):,.1f}".removesuffix(".0") + letter
    return f"{number:,.0f}" if number == int(number) or number >= 100 else f"{number:,.2g}"


def _r(number: float) -> float:
    return round(number, 2)
