"""A/A tests of what is no plain rate: revenue with a long tail, the average order, conversion adjusted by a score.

Daily looks, each by the formulas of `stats.inference.compare` and `stats.cuped`, worked out for all tests at once.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, t

from benchmarks.experiments_watched import DAYS, NAMED, RATE, UNITS_A_DAY, Column, Outcome, boundaries, outcome
from purchase_intent.stats.arms import LEAST_BELOW
from purchase_intent.stats.cuped import Adjustment
from purchase_intent.stats.inference import Kind, compare, measured
from purchase_intent.stats.summaries import Summary

WELCH = ", by Welch's error alone"
LEAST = 100
"""Units of each arm before a figure is read, as `Plan` has it."""
SIGMA = 1.2
CAP = float(np.exp(3.5 + SIGMA * norm.isf(0.01)))
"""Where orders are winsorised: at their 99% quantile."""
SCORES = np.array([0.002, 0.01, 0.03, 0.1, 0.3])
SHARES = np.array([0.4, 0.34, 0.16, 0.07, 0.03])
"""Visitors by their chance to buy, 2.5% on average."""


Mask = NDArray[np.bool_]


class Figure(NamedTuple):
    """Of each test and day: a figure, its variance, and the units behind it."""

    value: Column
    variance: Column
    n: Column


def money_errors(seed: int, count: int, share: float, units: int = UNITS_A_DAY) -> dict[str, Outcome]:
    """A/A tests of metrics of money, where the treatment has this share of twice so many units a day."""
    chance = np.random.default_rng(seed)
    arms = [_spent(chance, count, size) for size in _sizes(share, units)]
    read = np.minimum(*(arm[0] for arm in arms)) >= LEAST
    counted = np.minimum(*(arm[1] for arm in arms)) >= LEAST_BELOW
    revenue, order = ([figure(*arm) for arm in arms] for figure in (_revenue, _average_order))
    return _judged("revenue", *revenue, read=read) | _judged("average order", *order, read=read & counted)


def adjusted_errors(seed: int, count: int, share: float) -> dict[str, Outcome]:
    """A/A tests of conversion, adjusted by a calibrated score with one theta for both arms."""
    chance = np.random.default_rng(seed)
    arms = [_scored(chance, count, size) for size in _sizes(share)]
    n, y, x, xx, xy = (one + other for one, other in zip(*arms, strict=True))
    spread = xx - x * x / n
    theta, centre = (xy - x * y / n) / spread, x / n
    return _judged("conversion, adjusted", *(_adjusted(*arm, theta=theta, centre=centre) for arm in arms))


def _sizes(share: float, units: int = UNITS_A_DAY) -> list[int]:
    return [round(2 * units * each) for each in (1 - share, share)]


def figures_agree(seed: int, count: int) -> int:
    """How many p-values of the arrays were held against the product's own; the first that differs ends the run."""
    chance, checked = np.random.default_rng(seed), 0
    scored, spent = ([made(chance, count, size) for size in _sizes(0.5)] for made in (_scored, _spent))
    for cell in np.ndindex(count, DAYS):
        arms = [Summary(int(n), y, y, x, xx, xy) for n, y, x, xx, xy in (_at(arm, cell) for arm in scored)]
        adjustment = Adjustment.of(arms)
        theirs = [compare(*map(adjustment.measured, arms), widest=True).p_value]
        own = {"theta": np.array(adjustment.theta), "centre": np.array(adjustment.centre)}
        mine = [_p_value(*(_adjusted(*(each[cell] for each in arm), **own) for arm in scored))]
        for kind, figure in ((Kind.MEAN, _revenue), (Kind.RATIO, _average_order)):
            told = (_at(arm, cell) for arm in spent)
            sums = [Summary(int(n), y, yy, d=d, dd=d, dy=y) for n, d, y, yy in told]
            theirs.append(compare(*(measured(each, kind) for each in sums), widest=True).p_value)
            mine.append(_p_value(*(figure(*(each[cell] for each in arm)) for arm in spent)))
        assert np.allclose(mine, theirs, rtol=1e-9, atol=0), (cell, mine, theirs)
        checked += len(mine)
    return checked


def _at(arm: tuple[Column, ...], cell: tuple[int, ...]) -> list[float]:
    """The sums of one test and day."""
    return [float(each[cell]) for each in arm]


def _judged(name: str, control: Figure, treatment: Figure, *, read: Mask | None = None) -> dict[str, Outcome]:
    """What each rule finds at the error that it allows on each day that is read; by Welch's error alone, on all."""
    side = np.nan_to_num(np.sign(treatment.value - control.value))
    found = {}
    widest = _p_value(control, treatment)
    widest = widest if read is None else np.where(read, widest, 1.0)
    for note, p_value in (("", widest), (WELCH, _p_value(control, treatment, widest=False))):
        for rule, each in NAMED.items():
            told = side * (p_value <= 2 * norm.sf(boundaries(each)))
            found[f"{name}, {rule}{note}"] = outcome(told, np.full(DAYS, 0.5))
    return found


def _p_value(control: Figure, treatment: Figure, *, widest: bool = True) -> Column:
    """Welch's t by the wider of its error and the pooled one; 1 where there is nothing to compare."""
    arms = control, treatment
    with np.errstate(invalid="ignore", divide="ignore"):
        variance = control.variance + treatment.variance
        freedom = variance**2 / sum(arm.variance**2 / (arm.n - 1) for arm in arms)
        spread = sum(arm.variance * arm.n * (arm.n - 1) for arm in arms) / (control.n + treatment.n - 2)
        pooled = spread * (1 / control.n + 1 / treatment.n)
        distance = (treatment.value - control.value) / np.sqrt(np.maximum(variance, pooled) if widest else variance)
    return np.where(np.isfinite(distance), 2 * t.sf(np.abs(distance), freedom), 1.0)


def _spent(chance: np.random.Generator, count: int, size: int) -> tuple[Column, ...]:
    """Units, orders, what they brought and its squares, until each day's end."""
    orders = chance.binomial(size, RATE, (count, DAYS))
    cell = np.repeat(np.arange(orders.size), orders.ravel())
    amount = np.minimum(chance.lognormal(3.5, SIGMA, len(cell)), CAP)
    sums = [np.bincount(cell, each, orders.size).reshape(orders.shape) for each in (amount, amount * amount)]
    n = np.broadcast_to(size * np.arange(1, DAYS + 1.0), orders.shape)
    return n, *(np.cumsum(each, axis=1).astype(np.float64) for each in (orders, *sums))


def _revenue(n: Column, _: Column, y: Column, yy: Column) -> Figure:
    return Figure(y / n, (yy - y * y / n) / (n - 1) / n, n)


def _average_order(n: Column, orders: Column, y: Column, yy: Column) -> Figure:
    """By the delta method, nobody ordering twice; not a number before the first order."""
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = y / orders
        spread = (yy - 2 * ratio * y + ratio * ratio * orders) / (n - 1)
        return Figure(ratio, spread / (orders / n) ** 2 / n, n)


def _scored(chance: np.random.Generator, count: int, size: int) -> tuple[Column, ...]:
    """Units, buyers, scores, their squares and their products with buying, until each day's end."""
    units: NDArray[np.int64] = chance.multinomial(size, SHARES, (count, DAYS))
    bought = chance.binomial(units, SCORES)
    daily = (units.sum(axis=2), bought.sum(axis=2), units @ SCORES, units @ SCORES**2, bought @ SCORES)
    return tuple(np.cumsum(each, axis=1).astype(np.float64) for each in daily)


def _adjusted(n: Column, y: Column, x: Column, xx: Column, xy: Column, *, theta: Column, centre: Column) -> Figure:
    spread = (y - y * y / n) - 2 * theta * (xy - x * y / n) + theta**2 * (xx - x * x / n)
    return Figure(y / n - theta * (x / n - centre), spread / (n - 1) / n, n)
