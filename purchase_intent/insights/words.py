"""How figures are said: a probability, a band, a moment, a sum, what a reason does to the odds."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django.utils.formats import number_format

from purchase_intent.adapters import current_shop
from purchase_intent.conf import config

__all__ = ["band_words", "clock", "effect", "exact_per_cent", "money", "per_cent"]


def per_cent(probability: float) -> str:
    """A probability (0 to 1) without false precision: "<1%", "3%", ">99%"."""
    if probability < 0.01:
        return "<1%"
    return ">99%" if probability > 0.99 else f"{probability * 100:.0f}%"


def exact_per_cent(probability: float) -> str:
    """A probability where small ones have to be told apart: "0.04%", "1.3%", "41%"."""
    share = probability * 100
    if share == 0:
        return "0%"
    if share < 0.01:
        return "<0.01%"
    return f"{share:.2f}%" if share < 1 else f"{share:.1f}%" if share < 10 else f"{share:.0f}%"


def band_words(band: str) -> str:
    """A band as a merchandiser reads it: "top 5%"; for none, where the score is below all."""
    return f"{band.replace('_', ' ')}%" if band.startswith("top_") else band.replace("_", " ") or "lower 80%"


def clock(moment: datetime) -> str:
    """A moment on the shop's clock, to the second, with its zone."""
    return f"{moment.astimezone(config().time_zone):%Y-%m-%d %H:%M:%S %Z}"


def money(amount: Decimal | float, currency: str | None = None) -> str:
    """A sum with its currency, by default the shop's."""
    unit = current_shop().currency if currency is None else currency
    return f"{number_format(f'{amount:.2f}', decimal_pos=2, force_grouping=True)} {unit}".rstrip()


def effect(log_odds: float) -> str:
    """What a reason does to the odds of a purchase, as a factor: "1.8 times the odds"."""
    factor = 2.718281828459045 ** min(max(log_odds, -20.0), 20.0)
    if factor > 99:
        return "more than 99 times the odds"
    return f"{factor:.1f} times the odds" if factor >= 0.95 else f"{factor:.2f} times the odds"
