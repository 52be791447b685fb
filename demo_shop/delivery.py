"""What delivery costs and how long it takes."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

__all__ = ["FREE_FROM", "STANDARD", "cost", "window"]

STANDARD = Decimal("4.90")
"""Euros for one order."""

FREE_FROM = Decimal("49.00")
"""Orders of this many euros and more are delivered free."""


def cost(goods: Decimal) -> Decimal:
    """Return what delivery costs, in euros, for goods of that many euros."""
    return Decimal(0) if goods >= FREE_FROM else STANDARD


def window(today: date) -> tuple[date, date]:
    """Return the first and the last day on which an order of today arrives: two to four working days on."""
    return _working_days_on(today, 2), _working_days_on(today, 4)


def _working_days_on(day: date, count: int) -> date:
    while count:
        day += timedelta(days=1)
        count -= day.weekday() < 5
    return day
