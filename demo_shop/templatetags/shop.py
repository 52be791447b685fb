"""How the shop's pages spell money, days and steps."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from django import template

__all__ = ["days", "euros"]

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
