"""How models are asked: the settings as the values that an operator takes."""

from __future__ import annotations

from pathlib import Path

from feedback.llm.asking import Asking
from include.approved import UNHEARD
from include.settings import ROOT, Settings

PRICES = ROOT / "include" / "prices.yaml"


def journal(settings: Settings) -> Path:
    """Return the folder where what is paid is on disk before it is in the warehouse."""
    return settings.data_home / "journal" / settings.engine


def asking(settings: Settings) -> Asking:
    """Return what the settings say about models."""
    return Asking(
        prices=(PRICES, settings.llm_prices) if settings.llm_prices else (PRICES,),
        model=settings.llm_model,
        large_model=settings.llm_large_model,
        mode=settings.llm_mode,
        pack=settings.llm_pack,
        concurrency=settings.llm_concurrency,
        rpm=settings.llm_rpm,
        tpm=settings.llm_tpm,
        budget_usd=settings.llm_budget_usd,
        budget_usd_day=settings.llm_budget_usd_day,
        journal=journal(settings),
        unheard=UNHEARD,
        as_of=settings.as_of,
        allow_http=settings.allow_http,
    )
