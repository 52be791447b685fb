"""What a customer is worth and whether the shop has lost one: small models beside the chance of the week.

Churn is the chance of no visit within 30 days. Expected revenue over a window is the expected number of orders times
the expected value of one: the visitor's own mean shrunk towards the shop's, as far as order values differ more within
visitors than between them (an empirical Bayes mean, Efron and Morris 1975). Each model is judged on snapshots that none
of its fit's outcomes reaches into, and a number that could not be judged is not given: a `Shortfall` says why.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import numpy as np
from scipy.special import expit

from purchase_intent.learning.calibration import Calibration
from purchase_intent.learning.lines import Line, history_columns
from purchase_intent.learning.table import Column, Matrix

__all__ = ["CHURN_DAYS", "REVENUE_DAYS", "VALUE_DAYS", "Churn", "CustomerModels", "OrderValue", "Shortfall", "Spending"]

CHURN_DAYS: Final = 30
"""A visitor who has not come back for so long counts as lost."""
REVENUE_DAYS: Final = 28
VALUE_DAYS: Final = 365
STEADY_ORDERS: Final = 10.0
"""Orders of evidence that predicted revenue is right, mixed into its correction on later data."""
MOST_PRIOR: Final = 1000.0


@dataclass(frozen=True, slots=True)
class Shortfall:
    """Why a model was not learnt: `what` is lacking, how much of it there is and how much is needed."""

    what: str
    found: int
    needed: int

    @property
    def words(self) -> str:
        """One line for people, such as "needs 81 days of events, there are 46"."""
        return f"needs {self.needed:,} {self.what}, there are {self.found:,}"


@dataclass(frozen=True, slots=True)
class Churn:
    """The chance that a visitor does not come back within 30 days; a line in log-odds, calibrated on later nights."""

    line: Line
    calibration: Calibration = field(default_factory=Calibration)

    def predict(self, columns: Column) -> Column:
        """The probability of each row, float64 [n]."""
        return np.asarray(expit(self.calibration(self.line.margin(columns))))


@dataclass(frozen=True, slots=True)
class OrderValue:
    """The expected value of a visitor's next order: own orders count beside `prior` orders of the shop's mean."""

    mean: float
    prior: float

    @classmethod
    def fit(cls, visitor: Column, revenue: Column) -> OrderValue:
        """From the revenue of each order and whose it was. Without visitors of two orders, the shop's mean alone."""
        _, owner = np.unique(visitor, return_inverse=True)
        orders = np.bincount(owner).astype(np.float64)
        total = np.bincount(owner, revenue)
        mean = float(revenue.mean())
        again = orders >= 2
        if not again.any():
            return cls(mean, MOST_PRIOR)
        gap = revenue - (total / orders)[owner]
        within = float((gap**2)[again[owner]].sum() / (orders[again].sum() - again.sum()))
        spread = float(((total / orders)[again] - mean).var())
        between = spread - within * float((1 / orders[again]).mean())
        prior = within / between if between > 0 else MOST_PRIOR
        return cls(mean, float(np.clip(prior, 0.5, MOST_PRIOR)))

    def predict(self, orders: Column, revenue: Column) -> Column:
        """The expected value of the next order, from the number of orders so far and what they brought together."""
        return (revenue + self.prior * self.mean) / (orders + self.prior)


@dataclass(frozen=True, slots=True)
class Spending:
    """Expected revenue over a window: orders expected, times what one brings, times a correction from later data."""

    orders: Line
    value: OrderValue
    scale: float = 1.0

    def predict(self, columns: Column, orders: Column, revenue: Column) -> Column:
        """Revenue expected of each row, float64 [n], in the shop's currency."""
        return self.scale * self.orders.predict(columns) * self.value.predict(orders, revenue)

    def corrected(self, predicted: float, happened: float) -> float:
        """The scale that later data asks for, drawn towards 1 by a few orders' worth of evidence."""
        steady = STEADY_ORDERS * self.value.mean
        return (happened + steady) / (predicted + steady) if predicted + steady > 0 else 1.0


@dataclass(frozen=True, slots=True)
class CustomerModels:
    """The models beside a week's ensemble, each or the reason why there is none; `names` are the vector's columns."""

    names: tuple[str, ...]
    churn: Churn | Shortfall
    revenue: Spending | Shortfall
    value: Spending | Shortfall

    def columns(self, matrix: Matrix) -> Column:
        """What the models see of float32 [n, d]."""
        return history_columns(matrix, self.names)

    def shortfalls(self) -> dict[str, str]:
        """Why there is no number, in words, by the name of the model that is missing."""
        models = {"churn": self.churn, "revenue": self.revenue, "value": self.value}
        return {name: model.words for name, model in models.items() if isinstance(model, Shortfall)}

    def to_json(self) -> dict[str, Any]:
        """Plain data for JSON; floats survive it exactly."""
        return {
            "churn": _churn_json(self.churn),
            "revenue": _spending_json(self.revenue),
            "value": _spending_json(self.value),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any], names: Sequence[str]) -> CustomerModels:
        """The models that `to_json` described; KeyError, ValueError or TypeError where they are none."""
        return cls(tuple(names), _churn(data["churn"]), _spending(data["revenue"]), _spending(data["value"]))


def _churn_json(model: Churn | Shortfall) -> dict[str, Any]:
    if isinstance(model, Shortfall):
        return {"shortfall": asdict(model)}
    return {"line": model.line.to_json(), "calibration": asdict(model.calibration)}


def _spending_json(model: Spending | Shortfall) -> dict[str, Any]:
    if isinstance(model, Shortfall):
        return {"shortfall": asdict(model)}
    return {"line": model.orders.to_json(), "value": asdict(model.value), "scale": model.scale}


def _churn(data: Mapping[str, Any]) -> Churn | Shortfall:
    if "shortfall" in data:
        return Shortfall(**data["shortfall"])
    return Churn(Line.from_json(data["line"]), Calibration(**data["calibration"]))


def _spending(data: Mapping[str, Any]) -> Spending | Shortfall:
    if "shortfall" in data:
        return Shortfall(**data["shortfall"])
    return Spending(Line.from_json(data["line"]), OrderValue(**data["value"]), float(data["scale"]))
