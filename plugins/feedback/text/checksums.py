"""Checksums and plans of numbers, as python-stdnum knows them."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from importlib import import_module


def is_valid(name: str, value: str, **options: bool) -> bool:
    """Whether the module of python-stdnum takes the value for one of its numbers."""
    try:
        return _validator(name)(value, **options)
    except (LookupError, ValueError):
        # stdnum.cn.ric stumbles over places that it does not know.
        return False


def compact(value: str) -> str:
    """The number without blanks and punctuation: the same for every way of writing it."""
    return re.sub(r"\W", "", value).upper()


@cache
def _validator(name: str) -> Callable[..., bool]:
    is_valid: Callable[..., bool] = import_module(f"stdnum.{name}").is_valid
    return is_valid
