"""How well scores rank units by effect: uplift and Qini curves, the areas under them, and how sure those are.

Units are taken from the highest score down; equal scores enter together. With n, n1, n0 units taken, treated and
control, and y1, y0 their outcomes:

uplift curve  (y1 / n1 - y0 / n0) * n
Qini curve    y1 - y0 * n1 / n0        (Radcliffe 2007)

Both count outcomes gained by treating those taken, the first of n units, the second of the n1 that were treated. A rate
of no unit is 0. `AUUC` and `Qini` are the area between the curve and the straight line to its end, divided by that of
the best curve that the outcomes allow; 0 is chance, 1 cannot be had. They are scikit-uplift's `uplift_auc_score` and
`qini_auc_score`, to rounding, where every unit counts once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from purchase_intent.learning.intervals import DRAWS
from purchase_intent.learning.table import Column
from purchase_intent.learning.uplift.trial import Trial

__all__ = ["Curve", "Figure", "Ranking", "percentiles", "qini_curve", "ranking", "uplift_curve"]

LEVEL: Final = 0.95


class Curve(NamedTuple):
    """Points of a curve from (0, 0) on: weight of the units taken, and outcomes gained."""

    taken: Column
    gained: Column

    def area(self) -> float:
        """Between the curve and the straight line to its end."""
        return float(np.trapezoid(self.gained, self.taken) - self.taken[-1] * self.gained[-1] / 2)


class Figure(NamedTuple):
    """A figure with its 95% interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Ranking:
    """How scores rank a trial's units.

    `gain` is the mean height of the Qini curve above the line, in outcomes of a treated unit.
    """

    qini: Figure
    auuc: Figure
    gain: Figure

    @property
    def is_better_than_chance(self) -> bool:
        """Whether the Qini's whole interval is above chance."""
        return self.qini.low > 0


def percentiles(drawn: Column) -> tuple[Column, Column]:
    """The ends of the 95% percentile interval of draws, along their first axis.

    Of n draws the k-th smallest stands for a share of k / (n + 1) (Weibull 1939): by numpy's own rule 200 draws would
    leave 3% out at each side, and call a ranking by chance better than chance the more often.
    """
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0, method="weibull")
    return low, high


def uplift_curve(scores: Column, trial: Trial, weights: Column | None = None) -> Curve:
    """The uplift curve; `weights` are case weights, by default the trial's own."""
    return _uplift(_Sums.of(scores, trial, trial.weights() if weights is None else weights))


def qini_curve(scores: Column, trial: Trial, weights: Column | None = None) -> Curve:
    """The Qini curve; `weights` are case weights, by default the trial's own."""
    return _qini(_Sums.of(scores, trial, trial.weights() if weights is None else weights))


def ranking(scores: Column, trial: Trial, *, seed: int, draws: int = DRAWS) -> Ranking:
    """Qini, AUUC and gain with percentile intervals of a bootstrap over units (Efron 1979), drawn within the arms."""
    orders = [_Order.of(values, trial) for values in (scores, _best_for_qini(trial), _best_for_uplift(trial))]
    weights, rng = trial.weights(), np.random.default_rng(seed)
    arms = [np.flatnonzero(trial.treated == arm) for arm in (0, 1)]
    found = [_figures(orders, weights)]
    for _ in range(draws):
        times = np.zeros(len(trial))
        for rows in arms:
            times[rows] = np.bincount(rng.integers(0, len(rows), len(rows)), minlength=len(rows))
        found.append(_figures(orders, weights * times))
    values = np.array(found)
    low, high = percentiles(values[1:] if draws else values)
    return Ranking(*(Figure(*map(float, each)) for each in zip(values[0], low, high, strict=True)))


@dataclass(frozen=True, slots=True)
class _Order:
    """Units from the highest score down: `rows` in that order, `ends` the last place of each group of equal scores."""

    rows: NDArray[np.intp]
    ends: NDArray[np.intp]
    treated: Column
    labels: Column

    @classmethod
    def of(cls, scores: Column, trial: Trial) -> _Order:
        if np.shape(scores) != (len(trial),) or not np.isfinite(scores).all():
            raise ValueError(f"scores: shape {np.shape(scores)}; give one finite number for each of {len(trial)} units")
        rows = np.argsort(-np.asarray(scores), kind="stable")
        ordered = np.asarray(scores)[rows]
        ends = np.append(np.flatnonzero(np.diff(ordered)), len(rows) - 1)
        return cls(rows, ends, trial.treated[rows].astype(np.float64), trial.labels[rows].astype(np.float64))


class _Sums(NamedTuple):
    """Weights of the units and of their outcomes up to each end, by arm."""

    treated: Column
    control: Column
    treated_outcomes: Column
    control_outcomes: Column

    @classmethod
    def of(cls, scores: Column, trial: Trial, weights: Column) -> _Sums:
        return cls.at(_Order.of(scores, trial), weights)

    @classmethod
    def at(cls, order: _Order, weights: Column) -> _Sums:
        weight = weights[order.rows]
        parts = (order.treated, 1 - order.treated)
        units = [np.cumsum(weight * part)[order.ends] for part in parts]
        outcomes = [np.cumsum(weight * part * order.labels)[order.ends] for part in parts]
        return cls(*units, *outcomes)


def _figures(orders: list[_Order], weights: Column) -> tuple[float, float, float]:
    actual, for_qini, for_uplift = (_Sums.at(order, weights) for order in orders)
    qini = _qini(actual).area()
    taken = float(actual.treated[-1] * (actual.treated[-1] + actual.control[-1]))
    return (
        _share(qini, _qini(for_qini).area()),
        _share(_uplift(actual).area(), _uplift(for_uplift).area()),
        qini / taken if taken else 0.0,
    )


def _share(actual: float, best: float) -> float:
    return actual / best if best > 0 else 0.0


def _uplift(sums: _Sums) -> Curve:
    taken = sums.treated + sums.control
    gained = (_rate(sums.treated_outcomes, sums.treated) - _rate(sums.control_outcomes, sums.control)) * taken
    return _from_nothing(taken, gained)


def _qini(sums: _Sums) -> Curve:
    gained = sums.treated_outcomes - sums.control_outcomes * _rate(sums.treated, sums.control)
    return _from_nothing(sums.treated + sums.control, gained)


def _rate(part: Column, whole: Column) -> Column:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)


def _from_nothing(taken: Column, gained: Column) -> Curve:
    return Curve(np.append(0.0, taken), np.append(0.0, gained))


def _best_for_qini(trial: Trial) -> Column:
    """Treated with the outcome first, control with it last."""
    labels, treated = trial.labels.astype(np.float64), trial.treated.astype(np.float64)
    return labels * (2 * treated - 1)


def _best_for_uplift(trial: Trial) -> Column:
    """As scikit-uplift's perfect uplift curve: the two sure kinds first, the larger of the other two next."""
    labels, treated = trial.labels.astype(np.float64), trial.treated.astype(np.float64)
    control_responders = int(((labels == 1) & (treated == 0)).sum())
    treated_others = int(((labels == 0) & (treated == 1)).sum())
    return np.asarray(2.0 * (labels == treated) + (labels if control_responders > treated_others else treated))
