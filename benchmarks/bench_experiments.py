"""Whether the statistics of experiments keep what they promise, and how fast they are.

    OMP_NUM_THREADS=1 nice python benchmarks/bench_experiments.py [--tests 4000] [--seed 7] [--only bandit]

Prints each figure beside its limit; ends with 1 where one is missed, unless only a report is asked for. Simulations are
seeded, so that their figures come out the same; seconds are the processor's.
"""

from __future__ import annotations

import argparse
import sys
import time
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.experiments_bandit import coverage, coverage_of_ratio, regrets
from benchmarks.experiments_money import WELCH, adjusted_errors, figures_agree, money_errors
from benchmarks.experiments_watched import RATE, errors, family_error, powers, verdicts_agree
from purchase_intent.stats.bucketing import Allocation, Holdout, Layer
from purchase_intent.stats.collect import Collector
from purchase_intent.stats.cuped import Adjustment
from purchase_intent.stats.evidence import Evidence
from purchase_intent.stats.inference import Kind
from purchase_intent.stats.plan import Guardrail, Metric, Plan
from purchase_intent.stats.summaries import Summary
from purchase_intent.stats.verdict import decide

LIFT = 0.1
FEW = 40
"""Units a day in each arm of a small shop: 34 orders by the end."""
EXPOSURES, ARMS, CHUNK = 1_000_000, 50, 50_000
UNITS = 20_000
BANDIT_SEEDS, BANDIT_UNITS, COVERAGE_RUNS = 20, 20_000, 1000
MANY_TESTS = 100_000
CUPED_TESTS = 4
"""For each other test, for a variance is harder to tell than a share."""


class Check(NamedTuple):
    """A figure and what it must be."""

    name: str
    figure: float
    limit: float
    at_least: bool = False

    @property
    def kept(self) -> bool:
        """Whether the limit holds."""
        return self.figure >= self.limit if self.at_least else self.figure <= self.limit

    def line(self) -> str:
        """As a row."""
        sign, judged = (">=" if self.at_least else "<="), ("" if self.kept else "   MISSED")
        return f"  {self.name:<56}{self.figure:>12.4f}   {sign} {self.limit:g}{judged}"


def of_errors(seed: int, tests: int) -> list[Check]:
    """False winners of A/A tests, and the same in many more tests, where chance says less."""
    found = errors(seed, tests)
    for name, each in found.items():
        print(
            f"  {name:<36} better {each.better:7.2%}  worse {each.worse:7.2%}  either {each.better + each.worse:7.2%}"
        )
    many = errors(seed + 1, MANY_TESTS)
    for name, each in many.items():
        print(f"  {name:<36} either {each.better + each.worse:7.2%} of {MANY_TESTS:,} tests")
    print(f"  verdicts of decide() that agree with the arrays: {verdicts_agree(seed, 10)}, all")
    rules = [name for name in found if name.startswith("automatic")]
    return [
        *(Check(f"false findings, either way: {name}", found[name].better + found[name].worse, 0.05) for name in rules),
        Check(f"any of three treatments, planned looks, of {MANY_TESTS:,}", family_error(seed, MANY_TESTS), 0.05),
        *(Check(f"  of {MANY_TESTS:,}: {name}", many[name].better + many[name].worse, 0.05) for name in rules),
    ]


def of_others(seed: int, tests: int) -> list[Check]:
    """A/A tests of adjusted figures and of those with a long tail, in even arms and where one has a tenth."""
    print(f"  p-values of the product that agree with the arrays: {figures_agree(seed, 3)}, all")
    checks = []
    for about, found in (
        ("50% treated", adjusted_errors(seed, tests, 0.5) | money_errors(seed, tests, 0.5)),
        ("10% treated", adjusted_errors(seed, tests, 0.1) | money_errors(seed, tests, 0.1)),
        (f"50% of {2 * FEW} a day", money_errors(seed, tests, 0.5, FEW)),
    ):
        for name, each in found.items():
            either = each.better + each.worse
            print(f"  {about}, {name:<58} better {each.better:6.2%}  worse {each.worse:6.2%}")
            if WELCH not in name:
                checks.append(Check(f"false findings, {about}: {name}", either, 0.05))
    return checks


def of_power(seed: int, tests: int) -> list[Check]:
    """A true lift of 10%."""
    found = powers(seed, tests, LIFT)
    for name, each in found.items():
        print(f"  {name:<36} found {each.better:7.2%}  units on average {each.stopped:5.2f} of a fixed test's")
    return [Check(f"power: {name}", each.better, 0.8, at_least=True) for name, each in list(found.items())[1:]]


def of_cuped(seed: int, tests: int, units: int = 2000) -> list[Check]:
    """Visitors whose calibrated score tells much of whether they buy: variance of the difference over A/A tests."""
    chance = np.random.default_rng(seed)
    plain, adjusted, theory = [], [], []
    for _ in range(CUPED_TESTS * tests):
        score = chance.beta(0.15, 0.15 * (1 - RATE) / RATE, (2, units))
        bought = (chance.random((2, units)) < score).astype(np.float64)
        arms = [Summary.of(y, x) for y, x in zip(bought, score, strict=True)]
        adjustment = Adjustment.of(arms)
        plain.append(arms[1].mean - arms[0].mean)
        adjusted.append(adjustment.measured(arms[1]).value - adjustment.measured(arms[0]).value)
        theory.append(adjustment.reduction)
    cut, expected = 1 - np.var(adjusted) / np.var(plain), float(np.mean(theory))
    print(f"  variance cut by {cut:.1%}, squared correlation {expected:.1%}")
    return [Check("CUPED: cut of variance less theory's share, absolute", abs(float(cut) - expected), 0.02)]


def of_ramp() -> list[Check]:
    """20,000 units, and the share taken in raised from 10% to 50%."""
    before = Allocation("ramp", ("control", "new", "other"), (0.5, 0.25, 0.25), traffic=0.1)
    after = replace(before, traffic=0.5)
    units = [f"visitor-{number}" for number in range(UNITS)]
    taken = [unit for unit in units if before.arm(unit)]
    moved = sum(before.arm(unit) != after.arm(unit) for unit in taken)
    print(
        f"  {len(taken):,} of {UNITS:,} taken in before, {sum(after.arm(unit) is not None for unit in units):,} after"
    )
    return [Check("units that changed arm by the ramp", moved, 0)]


def of_bucketing(repeats: int = 200_000) -> list[Check]:
    """One placement with a holdout, an exclusion group and a traffic share: four hashes."""
    allocation = Allocation(
        "speed", ("control", "new"), (0.5, 0.5), 0.9, layer=Layer("group", 0.0, 0.95), holdout=Holdout("all", 0.01)
    )
    units = [f"visitor-{number}" for number in range(1000)]
    began = time.process_time()
    for index in range(repeats):
        allocation.place(units[index % 1000])
    return [Check("bucketing, microseconds", (time.process_time() - began) / repeats * 1e6, 20)]


def exposures(seed: int) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]]:
    """A million exposures in chunks: arm, revenue with a long tail, score."""
    chance = np.random.default_rng(seed)
    for _ in range(EXPOSURES // CHUNK):
        score = chance.beta(0.15, 4.85, CHUNK)
        bought = chance.random(CHUNK) < score
        yield chance.integers(0, ARMS, CHUNK), bought * chance.lognormal(3.5, 1.2, CHUNK), score


def of_many(seed: int) -> list[Check]:
    """Conversion and winsorised revenue of 50 arms, both adjusted by the score, to a verdict."""
    names = tuple(f"arm{index}" for index in range(ARMS))
    revenue, conversion = Collector(names, winsorise=0.99), Collector(names)
    counts = np.zeros(ARMS, np.int64)
    spent = 0.0
    plan = Plan(
        names[0], names, (1 / ARMS,) * ARMS, Metric("conversion", Kind.RATE, adjusted=True), EXPOSURES,
        (Guardrail(Metric("revenue", Kind.MEAN, adjusted=True), 0.05),),
    )  # fmt: skip
    for arm, amount, score in exposures(seed):
        began = time.process_time()
        revenue.add(arm, amount, score)
        conversion.add(arm, amount > 0, score)
        counts += np.bincount(arm, minlength=ARMS)
        spent += time.process_time() - began
    began = time.process_time()
    decision = decide(
        plan,
        Evidence(
            exposed=dict(zip(names, counts.tolist(), strict=True)),
            summaries={"conversion": conversion.summaries(), "revenue": revenue.summaries()},
            day=date(2026, 3, 1),
            planned=True,
        ),
    )
    spent += time.process_time() - began
    print(f"  {EXPOSURES:,} exposures, {ARMS} arms, two metrics: {decision.verdict} at {decision.share:.0%}")
    return [Check("seconds to a verdict on a million exposures", spent, 5), Check("its memory, MB", peak(seed), 100)]


def peak(seed: int) -> float:
    """The most memory that a collector holds while it takes in two chunks, in MB: more chunks add nothing."""
    chunks = exposures(seed)
    two = [next(chunks), next(chunks)]
    tracemalloc.start()
    collector = Collector(tuple(f"arm{index}" for index in range(ARMS)), winsorise=0.99)
    for arm, amount, score in two:
        collector.add(arm, amount, score)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most / 1e6


def of_bandit() -> list[Check]:
    """Regret on the same visitors, and intervals afterwards."""
    found = regrets(BANDIT_SEEDS, BANDIT_UNITS)
    for name, values in found.items():
        print(f"  regret, {name:<12} {np.mean(values):7.1f} +- {np.std(values) / len(values) ** 0.5:.1f} purchases")
    even, mine, free, other = (np.array(values) for values in found.values())
    more = free - other
    print(f"  no floor less MABWiser, by seed {more.mean():+.1f} +- {more.std(ddof=1) / len(more) ** 0.5:.1f}")
    after = coverage(COVERAGE_RUNS)
    fewer = coverage(COVERAGE_RUNS, batches=10, size=400, rate=0.1)
    order = coverage_of_ratio(COVERAGE_RUNS)
    sizes = (("56,000 units at 3%", after), ("4,000 units at 10%", fewer), ("the average order of 10,000 units", order))
    for size, judged in sizes:
        for name, each in judged.items():
            print(f"  {size}, {name:<20} 95% intervals hold {each.covered:.1%}, an arm off by {each.bias:+.2%}")
    return [
        Check("regret over that of an even split", float(mine.mean() / even.mean()), 0.5),
        Check("regret without a floor over that of MABWiser", float(free.mean() / other.mean()), 1.15),
        Check("coverage after a bandit", after["adaptively weighted"].covered, 0.94, at_least=True),
        Check("coverage of an average order after it", order["adaptively weighted"].covered, 0.93, at_least=True),
    ]


def main() -> int:
    """Measure, print, and say by the exit code whether every limit holds."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tests", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--only", default="", help="part of the name of the parts to run")
    parser.add_argument("--report-only", action="store_true", help="end with 0 even where a limit is missed")
    options = parser.parse_args()
    parts = {
        "A/A tests, 28 daily looks": lambda: of_errors(options.seed, options.tests),
        "A/A tests of other metrics": lambda: of_others(options.seed, 5 * options.tests),
        "power": lambda: of_power(options.seed, options.tests),
        "CUPED by the intent score": lambda: of_cuped(options.seed, options.tests),
        "ramp": of_ramp,
        "speed of a placement": of_bucketing,
        "speed of an analysis": lambda: of_many(options.seed),
        "bandit": of_bandit,
    }
    missed = []
    for name, part in parts.items():
        if options.only not in name:
            continue
        began = time.process_time()
        print(name)
        checks = part()
        for check in checks:
            print(check.line())
        missed += [check.name for check in checks if not check.kept]
        print(f"  ({time.process_time() - began:.0f} s)")
    print(f"missed: {', '.join(missed)}" if missed else "every limit holds")
    return 1 if missed and not options.report_only else 0


if __name__ == "__main__":
    sys.exit(main())
