"""How to ask: everything a person may set about models, as plain values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True)
class Asking:
    """What an ``EnrichOperator`` is told about models.

    :param prices: price tables, a later one overriding an earlier one.
    :param model: asked first; the price table's where None.
    :param large_model: asked about texts too long for ``model``; the price table's where None.
    :param mode: online, flex, batch or offline.
    :param pack: most rows in a request.
    :param checks: whether some rows are also asked alone, to see whether sharing a request changes answers.
    :param concurrency: most requests in flight.
    :param rpm: requests per minute; learnt from the service where None. ``tpm``: the same of tokens.
    :param budget_usd: hard limit of a Dag run. ``budget_usd_day``: of a UTC day over all Dags.
    :param journal: folder on this machine where what is paid is written before it is in the warehouse.
    :param unheard: authors of golden answers that decide nothing, so that runs do not ask about them.
    :param as_of: the instant taken as now; None for the clock.
    :param allow_http: hosts that may be asked without TLS although they are not this machine.
    """

    prices: Sequence[Path]
    model: str | None = None
    large_model: str | None = None
    mode: str = "online"
    pack: int = 20
    checks: bool = True
    concurrency: int = 32
    rpm: int | None = None
    tpm: int | None = None
    budget_usd: float = 5.0
    budget_usd_day: float = 20.0
    journal: Path | None = None
    unheard: Sequence[str] = ()
    as_of: datetime | None = None
    allow_http: Sequence[str] = ()
