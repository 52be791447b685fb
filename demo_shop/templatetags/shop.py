"""How the shop's pages spell money, days and shares, and the offer they may make."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from django import template
from django.http import HttpRequest

from demo_shop import offers
from purchase_intent.scoring.answer import Intent

__all__ = ["along", "band_words", "days", "euros", "give_free_delivery", "share"]

register = template.Library()


@register.filter
def euros(amount: Decimal) -> str:
    """Spell an amount of money, always with its cents: €1,234.50."""
    return f"€{amount:,.2f}"


@register.filter
def days(window: tuple[date, date]) -> str:
    """Spell the first and last day of a window: Tue 24 to Thu 26 Nov, or Mon 30 Nov to Wed 2 Dec."""
    first, last = window
    month = "" if (first.year, first.month) == (last.year, last.month) else f" {first:%b}"
    return f"{first:%a} {first.day}{month} to {last:%a} {last.day} {last:%b}"


@register.filter
def share(probability: float) -> str:
    """Spell a probability as per cent, no finer than it is known: 0.4%, 7%, 83%."""
    return f"{probability:.1%}" if probability < 0.0095 else f"{probability:.0%}"


@register.filter
def along(probability: float, length: int) -> str:
    """Spell how far a probability reaches along a bar of that length, for an SVG attribute."""
    return f"{probability * length:.1f}"


@register.filter
def band_words(band: str) -> str:
    """Spell a band: top_5 is the top 5%."""
    return f"{band.replace('_', ' ')}%"


@register.simple_tag
def give_free_delivery(request: HttpRequest, intent: Intent) -> bool:
    """Give the visitor free delivery on their order where their intent earns it; whether they have it."""
    return offers.give(request.session, intent)
