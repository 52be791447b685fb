"""Churn, revenue and value, learnt from the same snapshots as the chance of the week, and judged before they are kept.

Each is fitted on nights whose outcomes were all known when the nights it is judged on began; the value of a year, whose
outcomes reach too far for that, is judged on visitors it was not fitted on. Its figures are those of before it is
corrected by what it was judged on. Then it is fitted again on everything. A model that cannot be fitted and judged so
is left out, with what is lacking.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from purchase_intent.learning.calibration import Calibration
from purchase_intent.learning.customers import (
    CHURN_DAYS,
    REVENUE_DAYS,
    VALUE_DAYS,
    Churn,
    CustomerModels,
    OrderValue,
    Shortfall,
    Spending,
)
from purchase_intent.learning.lines import Line, history_columns
from purchase_intent.learning.metrics import figures
from purchase_intent.sources import EventLog
from purchase_intent.training.dataset import NAMES
from purchase_intent.training.snapshots import DAY_MS, Snapshots

__all__ = ["FIT_NIGHTS", "LATER_NIGHTS", "VALUE_NIGHTS", "customer_models", "nights_apart", "visitors_apart"]

FIT_NIGHTS: Final = 14
LATER_NIGHTS: Final = 7
VALUE_NIGHTS: Final = 28
LATER_SHARE: Final = 0.2
"""Of the nights that could be fitted on, once the gap is taken out, for judging; LATER_NIGHTS at least."""
FOLDS: Final = 3
"""The value of a year is judged on one visitor in so many."""
LEAST: Final = 30
"""Cases of either kind, or orders, that a fit needs; a third of them to be judged on."""

Mask = NDArray[np.bool_]


class _Orders(NamedTuple):
    """The orders of a log: whose, when [ms], and their revenue."""

    visitor: NDArray[Any]
    time: NDArray[np.int64]
    revenue: NDArray[np.float64]

    @classmethod
    def of(cls, log: EventLog) -> _Orders:
        found = log.connection.execute("SELECT visitor, time, revenue FROM orders ORDER BY row").fetchnumpy()
        return cls(found["visitor"], np.asarray(found["time"]), np.asarray(found["revenue"], np.float64))

    def value(self, *, before: int | None = None) -> OrderValue | None:
        """What an order brings, from those before a moment; None where there is none."""
        chosen = np.ones(len(self.time), bool) if before is None else self.time < before
        return OrderValue.fit(self.visitor[chosen], self.revenue[chosen]) if chosen.any() else None


def customer_models(log: EventLog, snapshots: Snapshots) -> tuple[CustomerModels, dict[str, Any]]:
    """The models that the log allows, and by name their figures or, in words, what is lacking."""
    days = int((log.last - log.first).total_seconds() // 86_400)
    columns = history_columns(snapshots.values, NAMES)
    orders = _Orders.of(log)
    judged: dict[str, Any] = {}
    churn = _churn(snapshots, columns, days, judged)
    revenue = _spending(
        "revenue",
        snapshots,
        columns,
        orders,
        nights_apart(snapshots, snapshots.orders_28, REVENUE_DAYS, days),
        judged,
    )
    value = _spending("value", snapshots, columns, orders, visitors_apart(snapshots, days), judged)
    models = CustomerModels(NAMES, churn, revenue, value)
    return models, {**judged, **{name: {"lacking": words} for name, words in models.shortfalls().items()}}


def nights_apart(
    snapshots: Snapshots, outcome: NDArray[np.float64], window: int, days: int
) -> tuple[Mask, Mask] | Shortfall:
    """Snapshots to fit on, and later ones to judge on, into whose nights no outcome of `window` days reaches.

    `outcome` is NaN where it is not known; `days` is how long the log is. A Shortfall where that is too short.
    """
    known = ~np.isnan(outcome)
    needed = 2 * window + FIT_NIGHTS + LATER_NIGHTS
    if days < needed or not known.any():
        return Shortfall("days of events", days, needed)
    first, last = int(snapshots.night[known].min()), int(snapshots.night[known].max())
    spare = (last - first) // DAY_MS + 1 - window
    later = last - (max(LATER_NIGHTS, int(spare * LATER_SHARE)) - 1) * DAY_MS
    return known & (snapshots.night + window * DAY_MS <= later), known & (snapshots.night >= later)


def visitors_apart(snapshots: Snapshots, days: int) -> tuple[Mask, Mask] | Shortfall:
    """Snapshots to fit a year's value on, and those of other visitors to judge it on; a Shortfall for a short log."""
    known = ~np.isnan(snapshots.orders_365)
    if days < VALUE_DAYS + VALUE_NIGHTS or not known.any():
        return Shortfall("days of events", days, VALUE_DAYS + VALUE_NIGHTS)
    later = snapshots.visitor % FOLDS == 0
    return known & ~later, known & later


def _churn(snapshots: Snapshots, columns: NDArray[np.float64], days: int, judged: dict[str, Any]) -> Churn | Shortfall:
    slices = nights_apart(snapshots, snapshots.returned, CHURN_DAYS, days)
    if isinstance(slices, Shortfall):
        return slices
    fit, later = slices
    lost = 1.0 - snapshots.returned
    for what, part, least in (("fit", fit, LEAST), ("later", later, LEAST // 3)):
        fewest = int(min(lost[part].sum(), (1 - lost[part]).sum()))
        if fewest < least:
            return Shortfall(f"visitors who came back and who did not ({what} nights)", fewest, least)
    weights = snapshots.stands_for
    line = Line.fit("chance", columns[fit], lost[fit], weights[fit])
    calibration = Calibration.fit(
        line.margin(columns[later]), lost[later].astype(np.uint8), weights[later], int(lost[later].sum())
    )
    judged["churn"] = figures(lost[later], Churn(line).predict(columns[later]), weights[later])
    known = fit | later | ~np.isnan(lost)
    return Churn(Line.fit("chance", columns[known], lost[known], weights[known]), calibration)


def _spending(
    name: str,
    snapshots: Snapshots,
    columns: NDArray[np.float64],
    orders: _Orders,
    slices: tuple[Mask, Mask] | Shortfall,
    judged: dict[str, Any],
) -> Spending | Shortfall:
    if isinstance(slices, Shortfall):
        return slices
    fit, later = slices
    is_year = name == "value"
    count = snapshots.orders_365 if is_year else snapshots.orders_28
    spent = snapshots.revenue_365 if is_year else snapshots.revenue_28
    for what, part, least in (("fit", fit, LEAST), ("later", later, LEAST // 3)):
        buyers = len(np.unique(snapshots.visitor[part & (count > 0)]))
        if buyers < least:
            return Shortfall(f"returning buyers ({what} nights)", buyers, least)
    begin = None if is_year else int(snapshots.night[later].min())
    value = orders.value(before=begin)
    everything = orders.value()
    if value is None or everything is None:
        return Shortfall("orders", 0, LEAST)
    weights = snapshots.stands_for
    draft = Spending(Line.fit("count", columns[fit], count[fit], weights[fit]), value)
    predicted = draft.predict(columns[later], snapshots.orders[later], snapshots.revenue[later])
    expected, happened = float(weights[later] @ predicted), float(weights[later] @ spent[later])
    # Snapshots of one visitor share their orders: a correction is drawn by whole windows' sums, not by each.
    overlap = float(max(1.0, _overlap(snapshots, later)))
    draft = replace(draft, scale=draft.corrected(expected / overlap, happened / overlap))
    judged[name] = _judged(predicted, spent[later], weights[later], draft)
    known = ~np.isnan(count)
    return replace(draft, orders=Line.fit("count", columns[known], count[known], weights[known]), value=everything)


def _overlap(snapshots: Snapshots, chosen: Mask) -> float:
    """How many of the chosen snapshots a visitor has, on average over snapshots."""
    _, counts = np.unique(snapshots.visitor[chosen], return_counts=True)
    return float((counts**2).sum() / counts.sum())


def _judged(
    predicted: NDArray[np.float64], happened: NDArray[np.float64], weights: NDArray[np.float64], model: Spending
) -> dict[str, float]:
    """Sums of revenue, expected and happened, before the correction `scale`; what the highest tenth brought."""
    order = np.argsort(-predicted, kind="stable")
    tenth = np.cumsum(weights[order]) <= weights.sum() / 10
    total = float(weights @ happened)
    return {
        "rows": float(len(predicted)),
        "expected": float(weights @ predicted),
        "happened": total,
        "scale": model.scale,
        "order_value": model.value.mean,
        "top_tenth": float((weights * happened)[order][tenth].sum()) / total if total > 0 else 0.0,
    }
