"""How a report is laid out: the template, the words it may use, and the one way by which words reach the page."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from feedback.digest import wording
from feedback.digest.chart import short
from feedback.digest.escape import cut, our_link, plain

if TYPE_CHECKING:
    from jinja2 import Environment

MOST_WORDS = 600
TEMPLATES = Path(__file__).parent / "templates"


def render(view: Mapping[str, Any]) -> str:
    """Return the page as HTML, every word of it escaped."""
    return _environment().get_template("report.html.j2").render(view)


def usd(amount: float) -> str:
    """Return dollars: whole cents for what people pay, more digits where a cent is too coarse."""
    return f"${amount:,.2f}" if amount == 0 or amount >= 0.1 else f"${amount:,.4f}"


@functools.cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "count": wording.count,
        "short": short,
        "words": wording.words,
        "source_name": wording.source_name,
        "link": our_link,
        "usd": usd,
        "percent": "{:.0%}".format,
        "cut": cut,
        "day": lambda instant: f"{instant.day} {instant:%b %Y}",
        "instant": lambda instant: f"{instant.day} {instant:%b %Y, %H:%M} UTC",
    }
    environment.globals |= {"theme_name": wording.theme_name, "plural": wording.plural}
    return environment


def _shown(value: Any) -> Any:
    """Pass every word on its way into the page: nothing invisible, nothing endless. What the template made stays."""
    return cut(plain(value), MOST_WORDS) if isinstance(value, str) and not hasattr(value, "__html__") else value
