"""Simulated experiments that are looked at every day: how often they err, and how often they find what is there."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from purchase_intent.stats.evidence import Evidence
from purchase_intent.stats.inference import Kind
from purchase_intent.stats.monitoring import Look, Monitoring
from purchase_intent.stats.plan import Metric, Plan
from purchase_intent.stats.power import Spread, units_needed
from purchase_intent.stats.summaries import Summary
from purchase_intent.stats.verdict import Verdict, decide

RATE = 0.03
DAYS = 28
UNITS_A_DAY = 500
"""In each arm."""
PLANNED = Monitoring(looks=DAYS)
UNPLANNED = Monitoring(looks=0)
NAMED = {"planned looks": PLANNED, "unplanned looks": UNPLANNED}

Column = NDArray[np.float64]


class Outcome(NamedTuple):
    """Shares of the tests that found the treatment better, and worse, and the mean share of the units at the end."""

    better: float
    worse: float
    stopped: float


def simulated(seed: int, count: int, units: int, lift: float = 0.0, days: int = DAYS) -> tuple[Column, Column]:
    """Successes until each day's end of `count` tests, control and treatment, `units` a day in each arm."""
    chance = np.random.default_rng(seed)
    control = np.cumsum(chance.binomial(units, RATE, (count, days)), axis=1).astype(np.float64)
    treatment = np.cumsum(chance.binomial(units, RATE * (1 + lift), (count, days)), axis=1).astype(np.float64)
    return control, treatment


def scores(control: Column, treatment: Column, units: int) -> Column:
    """The score statistic of each test and day, as `proportions.compare_rates` works it out."""
    n = units * np.arange(1, control.shape[1] + 1)
    pooled = (control + treatment) / (2 * n)
    variance = pooled * (1 - pooled) * (2 / n) * 2 * n / (2 * n - 1)
    return np.asarray((treatment - control) / n / np.sqrt(np.maximum(variance, 1e-300)))


def boundaries(monitoring: Monitoring, end: float = 1.0, alpha: float | None = None) -> Column:
    """What the product's rule asks for at each day's look, where the last is at `end` of the planned units."""
    shares = [end * (day + 1) / DAYS for day in range(DAYS)]
    planned = monitoring.looks > 0
    rules = [
        monitoring.applied(Look(share, tuple(shares[:day]) if planned else (), planned=planned), alpha)
        for day, share in enumerate(shares)
    ]
    return np.array([rule.boundary if rule else np.inf for rule in rules])


def outcome(z: Column, limits: Column) -> Outcome:
    """Where tests first pass a limit, and on which side."""
    beyond = np.abs(z) >= limits
    found, first = beyond.any(axis=1), np.argmax(beyond, axis=1)
    side = np.take_along_axis(z, first[:, None], axis=1)[:, 0]
    stopped = np.where(found, first + 1, z.shape[1]) / z.shape[1]
    return Outcome(float((found & (side > 0)).mean()), float((found & (side < 0)).mean()), float(stopped.mean()))


def errors(seed: int, count: int) -> dict[str, Outcome]:
    """A/A tests by rule; a fixed test for comparison, looked at once and every day."""
    z = scores(*simulated(seed, count, UNITS_A_DAY), UNITS_A_DAY)
    fixed = np.full(DAYS, norm.isf(0.025))
    once = np.where(np.arange(DAYS) == DAYS - 1, fixed, np.inf)
    return {
        "fixed test, at the end": outcome(z, once),
        "fixed test, watched daily": outcome(z, fixed),
        **{f"automatic rule, {name}": outcome(z, boundaries(rule)) for name, rule in NAMED.items()},
    }


def family_error(seed: int, count: int, treatments: int = 3) -> float:
    """Share of A/A/A/A tests in which any treatment is ever found to differ: Holm's first step decides that."""
    chance = np.random.default_rng(seed)
    arms = np.cumsum(chance.binomial(UNITS_A_DAY, RATE, (treatments + 1, count, DAYS)), axis=2).astype(np.float64)
    strongest = np.max([np.abs(scores(arms[0], arm, UNITS_A_DAY)) for arm in arms[1:]], axis=0)
    return float((strongest >= boundaries(PLANNED, alpha=PLANNED.alpha / treatments)).any(axis=1).mean())


def powers(seed: int, count: int, lift: float) -> dict[str, Outcome]:
    """What is found of a true lift for which a fixed test has a power of 80%, with more traffic where looks cost it."""
    fixed = units_needed(Spread(RATE, RATE * (1 - RATE), Kind.RATE), lift)
    found = {}
    for name, rule, more in (
        ("fixed test", Monitoring(looks=1, reserve=0.0), 1.0),
        ("planned looks, 10% more", PLANNED, 1.1),
        ("unplanned looks, 80% more", UNPLANNED, 1.8),
    ):
        units = round(fixed * more / 2 / DAYS)
        z = scores(*simulated(seed, count, units, lift), units)
        if rule.looks == 1:
            limits = np.where(np.arange(DAYS) == DAYS - 1, norm.isf(0.025), np.inf)
        else:
            # Unplanned looks are tuned to what a fixed test would need; they may go on beyond it.
            limits = boundaries(rule, 1.0 if rule.looks else more)
        result = outcome(z, limits)
        found[name] = result._replace(stopped=result.stopped * more)
    return found


def verdicts_agree(seed: int, count: int) -> int:
    """How many daily verdicts of `decide` were held against the arrays above; the first that differs ends the run."""
    checked = 0
    for rule in NAMED.values():
        plan = Plan("a", ("a", "b"), (0.5, 0.5), Metric("y", Kind.RATE), 2 * UNITS_A_DAY * DAYS, monitoring=rule)
        plan = replace(plan, least=2)
        control, treatment = simulated(seed, count, UNITS_A_DAY)
        z, limits = scores(control, treatment, UNITS_A_DAY), boundaries(rule)
        for test in range(count):
            previous: tuple[float, ...] = ()
            for day in range(DAYS):
                decision = decide(plan, _evidence(control[test, day], treatment[test, day], day, previous, rule))
                expected = Verdict.HOLD
                if abs(z[test, day]) >= limits[day]:
                    expected = Verdict.SHIP if z[test, day] > 0 else Verdict.ROLL_BACK
                assert decision.verdict is expected, (test, day, decision)
                previous = (*previous, decision.share)
                checked += 1
    return checked


def _evidence(a: float, b: float, day: int, previous: tuple[float, ...], rule: Monitoring) -> Evidence:
    n = UNITS_A_DAY * (day + 1)
    return Evidence(
        exposed={"a": n, "b": n},
        summaries={"y": {"a": Summary.of_successes(int(a), n), "b": Summary.of_successes(int(b), n)}},
        day=date(2026, 3, 1),
        previous=previous if rule.looks else (),
        planned=rule.looks > 0,
    )
