"""What models cost and hold: a dated table that a user's file may override, read when a task runs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import yaml

from feedback.errors import PriceUnknown, SettingError

MILLION = 1_000_000
SNAPSHOT = re.compile(r"-20\d\d-?\d\d-?\d\d$")
"""The date that a service appends to a model's name."""


@dataclass(frozen=True)
class Usage:
    """Tokens of one call, as the service counted them."""

    input_tokens: int = 0
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(**{name: value + getattr(other, name) for name, value in vars(self).items()})


@dataclass(frozen=True)
class Model:
    """A model as we may use it; prices in US dollars per million tokens.

    :param window: tokens of a request and its answer together that we use, which may be fewer than it has.
    :param flex: what of the price is paid in mode ``flex``; None where the model is not sold so.
    :param batch: what of the price is paid in mode ``batch``.
    :param output_parameter: the parameter that limits an answer's tokens; without it only ``max_output`` does.
    :param send: parameters that this model understands and we send along.
    """

    name: str
    input: float = 0.0
    cached: float = 0.0
    cache_write: float = 0.0
    output: float = 0.0
    window: int = 16_384
    max_output: int = 8_192
    flex: float | None = None
    batch: float = 1.0
    output_parameter: str = ""
    send: Mapping[str, Any] = field(default_factory=dict)

    @property
    def family(self) -> str:
        """The model without the date of its snapshot: answers are shared inside a family, never beyond."""
        return family(self.name)

    def cost(self, usage: Usage, is_flex: bool = False) -> float:
        """Return what a call cost."""
        plain = max(0, usage.input_tokens - usage.cached_tokens - usage.cache_write_tokens)
        dollars = (
            plain * self.input
            + usage.cached_tokens * self.cached
            + usage.cache_write_tokens * self.cache_write
            + usage.output_tokens * self.output
        ) / MILLION
        return dollars * self.share("flex") if is_flex else dollars

    def share(self, mode: str) -> float:
        """Return what of the price is paid in a mode."""
        share = {"flex": self.flex, "batch": self.batch}.get(mode)
        return 1.0 if share is None else share

    def most(self, input_tokens: int, output_tokens: int) -> float:
        """Return the most that a call can cost."""
        return (input_tokens * max(self.input, self.cache_write) + output_tokens * self.output) / MILLION


def family(name: str) -> str:
    """Return a model's name without the date of a snapshot."""
    return SNAPSHOT.sub("", name)


@dataclass(frozen=True)
class PriceTable:
    """Every model we know."""

    default_model: str
    large_model: str
    models: Mapping[str, Model]

    def model(self, name: str, is_free: bool) -> Model:
        """Return a model. On a loopback host it costs nothing and may be any.

        :raises PriceUnknown: what it costs elsewhere is not known.
        """
        known = self.models.get(name) or self.models.get(family(name))
        if is_free:
            return replace(known or Model(name), name=name, input=0.0, cached=0.0, cache_write=0.0, output=0.0)
        if known is None:
            raise PriceUnknown(
                f"the price of model {name} is unknown: name it in a YAML file and set FEEDBACK_LLM_PRICES to its path"
            )
        return replace(known, name=name)


def read(paths: Sequence[Path]) -> PriceTable:
    """Return the price table of these files; a later one overrides an earlier one model by model.

    :raises SettingError: one line that names the file and the entry we cannot use.
    """
    names: dict[str, str] = {}
    models: dict[str, Model] = {}
    for path in paths:
        content = _content(path)
        names |= {name: str(content[name]) for name in ("default_model", "large_model") if name in content}
        models |= {name: _model(path, name, entry) for name, entry in (content.get("models") or {}).items()}
    return PriceTable(models=models, **names)


def _content(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SettingError(
            f"price table {path} cannot be read ({type(error).__name__}): see FEEDBACK_LLM_PRICES"
        ) from None
    if not isinstance(content, dict) or not isinstance(content.get("models") or {}, dict):
        raise SettingError(f"price table {path} is not a mapping with `models`: write it as include/prices.yaml is")
    return content


def _model(path: Path, name: str, entry: Any) -> Model:
    """Return one entry; ``source`` is for people."""
    wanted = {known.name for known in fields(Model)} - {"name"}
    if not isinstance(entry, dict) or set(entry) - wanted - {"source"}:
        raise SettingError(f"price table {path}, model {name}: the fields are {', '.join(sorted(wanted))} and source")
    values = {key: value for key, value in entry.items() if key in wanted}
    numbers = [value for key, value in values.items() if key not in ("send", "output_parameter")]
    if not {"input", "output"} <= set(values) or not all(_is_amount(number) for number in numbers):
        raise SettingError(
            f"price table {path}, model {name}: input and output are needed, every value a number from 0"
        )
    model = Model(name=str(name), **values)
    return replace(model, cached=values.get("cached", model.input), cache_write=values.get("cache_write", model.input))


def _is_amount(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < float("inf")
