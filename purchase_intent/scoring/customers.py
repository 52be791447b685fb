"""What is said of customers at night: whether a purchase comes within seven days, and what stands beside it.

Where no model of the week serves, the chance is that of the next visit, by the session's champion or by rules, and what
is written says which of the two it is. What is not known is NaN.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from purchase_intent.learning.customers import Churn, CustomerModels, Spending
from purchase_intent.models import Horizon
from purchase_intent.models.bulk import Numbers, Said
from purchase_intent.scoring.columns import Rows, said_by
from purchase_intent.scoring.serving import Serving, champion

__all__ = ["BESIDE", "COLUMNS", "WEEK_DAYS", "CustomerScores", "models_beside", "score_customers", "unknown"]

BESIDE: Final = "customers"
"""Under this name the bundle of a week's model keeps the models beside it."""
COLUMNS: Final = ("score_days", "churn", "revenue_28d", "value_12m")
"""Columns of a visitor that are written with the score."""
WEEK_DAYS: Final = 7


@dataclass(frozen=True, slots=True)
class CustomerScores:
    """What is said of some visitors, a line each.

    `said` holds the chance and its band. In `columns`, by the names of COLUMNS: `score_days` is 7 where the chance is
    that of a purchase within so many days, NaN where it is that of the next visit; `churn` the probability of no visit
    within 30 days; `revenue_28d` and `value_12m` expected revenue in the shop's currency.
    """

    said: Said
    columns: Mapping[str, Numbers]


def score_customers(rows: Rows, *, orders: Numbers, revenue: Numbers) -> CustomerScores | None:
    """What the week's champion says of visitors, each at its imagined arrival; None where none serves.

    `orders` and `revenue` (in the shop's currency) are all that each visitor had brought by then. A line's answer does
    not depend on the lines beside it. Raises ForkedTooLate where a learner must not be called in this process,
    DatabaseError where nothing is known of a champion and the database is gone.
    """
    serving = champion(Horizon.WEEK)
    if serving is None:
        return None
    columns = dict(unknown(len(rows)))
    columns["score_days"] = np.full(len(rows), float(WEEK_DAYS))
    models = models_beside(serving)
    if models is not None and len(rows):
        seen = models.columns(rows.matrix)
        if isinstance(models.churn, Churn):
            columns["churn"] = models.churn.predict(seen)
        for name, model in (("revenue_28d", models.revenue), ("value_12m", models.value)):
            if isinstance(model, Spending):
                columns[name] = model.predict(seen, orders, revenue)
    return CustomerScores(said_by(serving, rows), columns)


def unknown(count: int) -> Mapping[str, Numbers]:
    """Columns that say nothing of `count` visitors."""
    return {name: np.full(count, np.nan) for name in COLUMNS}


def models_beside(serving: Serving) -> CustomerModels | None:
    """The models of churn, revenue and value in a week's bundle; None where it holds none."""
    beside = serving.model.beside.get(BESIDE)
    return None if beside is None else CustomerModels.from_json(beside, serving.model.names)
