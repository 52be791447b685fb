"""How the shop's pages spell money, days and steps."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from django import template

__all__ = ["day", "euros"]

register = template.Library()


@register.filter
def euros(amount: Decimal) -> str:
    """Spell an amount of money: € 1,234.50; whole euros stay whole only where they are limits, so always cents."""
    return f"€{amount:,.2f}"


@register.filter
def day(value: date) -> str:
    """Spell a day: Tue 24 Nov."""
    return f"{value:%a} {value.day} {value:%b}"
