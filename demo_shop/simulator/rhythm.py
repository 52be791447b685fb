"""When shoppers come, and what the calendar does to them: hours, weekdays, seasons, sales, slow drift.

Where each curve comes from stands in docs/simulator.md.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from demo_shop.simulator.chance import Floats, Ints, Keys, join, mix, uniform
from demo_shop.simulator.plan import Plan

__all__ = ["HOUR_MS", "Rhythm"]

HOUR_MS = 3_600_000
_DAY_MS = 24 * HOUR_MS
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# Relative visits by local hour; working days peak at noon and at 20 to 21 h, weekends rise later and are flatter.
_WORKDAY = np.array(
    [34, 20, 12, 8, 8, 13, 28, 48, 66, 82, 92, 98, 106, 102, 98, 98, 100, 102, 106, 122, 140, 134, 104, 66],
    dtype=np.float64,
)
_WEEKEND = np.array(
    [48, 30, 18, 11, 8, 9, 16, 30, 54, 84, 106, 114, 112, 108, 108, 110, 110, 106, 104, 112, 124, 120, 96, 68],
    dtype=np.float64,
)
_WEEKDAY = np.array([1.08, 1.03, 1.03, 1.07, 0.96, 0.87, 0.96])
_MONTH = np.array([1.05, 0.92, 0.93, 0.93, 0.95, 0.94, 0.93, 0.93, 0.97, 1.02, 1.24, 1.21])
_MONTH_WISH = np.array([0.02, -0.06, -0.03, 0.0, 0.0, -0.04, -0.06, -0.06, 0.0, 0.03, 0.2, 0.18])
_HOUR_WISH = 0.12 * np.cos((np.arange(24) - 19.5) * np.pi / 12)

# Electronics, fashion, home, sports, beauty.
_MIX = np.array([0.30, 0.26, 0.18, 0.13, 0.13])
_SEASON = np.array(
    [
        [1.0, 1.2, 1.1, 1.2, 0.9], [0.9, 1.0, 1.0, 0.9, 1.1], [0.9, 1.2, 1.1, 1.1, 1.0], [0.9, 1.2, 1.2, 1.3, 1.0],
        [0.9, 1.1, 1.2, 1.4, 1.0], [0.9, 1.1, 1.0, 1.4, 1.0], [1.0, 1.0, 0.9, 1.3, 1.0], [1.0, 1.0, 0.9, 1.1, 0.9],
        [1.1, 1.2, 1.0, 0.9, 0.9], [1.0, 1.2, 1.0, 0.8, 1.0], [1.5, 1.0, 1.0, 0.8, 1.1], [1.4, 0.9, 1.0, 0.7, 1.4],
    ]
)  # fmt: skip
_SALE_DAYS = 4
_SALE_PRICE = 0.8


class Rhythm:
    """The calendar of one plan, tabulated by UTC hour from the warm-up to the end."""

    def __init__(self, plan: Plan) -> None:
        self.first = plan.warm_hour
        zone = ZoneInfo(plan.zone)
        moments = [(_EPOCH + timedelta(hours=h)).astimezone(zone) for h in range(self.first, plan.end_hour + 24 * 70)]
        self.local_hour = np.array([moment.hour for moment in moments])
        self.weekday = np.array([moment.weekday() for moment in moments])
        self.month = np.array([moment.year * 12 + moment.month - 1 for moment in moments])
        self.month -= self.month[0]
        self.calendar_month = np.array([moment.month - 1 for moment in moments])
        self.offset_ms = np.array([int(_offset(moment) / timedelta(milliseconds=1)) for moment in moments])
        day = np.array([moment.toordinal() for moment in moments])
        self.sale = self._sales(plan.seed, np.array([moment.day for moment in moments]))
        curve = np.where(self.weekday[:, None] >= 5, _WEEKEND / _WEEKEND.mean(), _WORKDAY / _WORKDAY.mean())
        busy = curve[np.arange(len(day)), self.local_hour] * _WEEKDAY[self.weekday] * _MONTH[self.calendar_month]
        weather = 0.9 + 0.2 * uniform(_keys(plan.seed, day), 1)
        busy = busy * weather * np.where(self.sale >= 0, 1.25, 1.0)
        if plan.sessions_per_day is None and plan.events is not None:
            # The period is to hold the events, whatever its season.
            begin = plan.first_hour - self.first
            busy /= busy[begin : begin + plan.days * 24].mean()
        self.visits = plan.rate / 24 * busy

    def _sales(self, seed: int, day: Ints) -> Ints:
        """The department on sale in each hour, -1 for none: one sale a month, four days long."""
        keys = _keys(seed, self.month)
        opening = 1 + (uniform(keys, 2) * 24).astype(np.int64)
        department = (uniform(keys, 3) * len(_MIX)).astype(np.int64)
        return np.where((day >= opening) & (day < opening + _SALE_DAYS), department, -1)

    def index(self, time: Ints) -> Ints:
        """Row of the tables for times in milliseconds."""
        return np.minimum(time // HOUR_MS - self.first, len(self.sale) - 1)

    def wish(self, index: Ints) -> Floats:
        """What hour, season and sales add to the wish to buy."""
        wish: Floats = _HOUR_WISH[self.local_hour[index]] + _MONTH_WISH[self.calendar_month[index]]
        return wish + np.where(self.sale[index] >= 0, 0.15, 0.0)

    def departments(self, index: Ints) -> Floats:
        """Shares of the departments [n, 5] in the season, a sale counting double."""
        shares = _MIX * _SEASON[self.calendar_month[index]]
        return np.asarray(shares * np.where(self.sale[index][:, None] == np.arange(len(_MIX)), 2.0, 1.0))

    def price_factor(self, time: Ints, department: Ints) -> Floats:
        """What the price on the label is multiplied with."""
        return np.where(self.sale[self.index(time)] == department, _SALE_PRICE, 1.0)

    def at_usual_hour(self, time: Ints, draws: Floats) -> Ints:
        """The same local days at an hour people shop at; `draws` in (0, 1) decide the moment."""
        index = self.index(time)
        offset = self.offset_ms[index]
        midnight = (time + offset) // _DAY_MS * _DAY_MS
        curve = np.where(self.weekday[index] >= 5, 1, 0)
        moment = np.empty(len(time))
        for kind, weights in enumerate((_WORKDAY, _WEEKEND)):
            edges = np.concatenate([[0.0], np.cumsum(weights / weights.sum())])
            rows = curve == kind
            moment[rows] = np.interp(draws[rows], edges, np.arange(25.0))
        local = midnight + (moment * HOUR_MS).astype(np.int64)
        return np.asarray(local - offset, dtype=np.int64)


def _offset(moment: datetime) -> timedelta:
    offset = moment.utcoffset()
    return timedelta() if offset is None else offset


def _keys(seed: int, numbers: Ints) -> Keys:
    return join(mix(np.full(numbers.shape, seed ^ 0x5EA50, dtype=np.uint64)), numbers)
