"""What is said of customers beside what is true of them, over two simulated years; and BG/NBD with Gamma-Gamma.

    python benchmarks/bench_customer_truth.py [--arrivals 12000] [--days 730] [--seed 1] [--threads 1]

The whole path learns from the log of a shop whose customers' true chances are formulas (`tests/patrons.py`): a BG/NBD
and Gamma-Gamma population that also comes to look. Then everybody seen in the last 90 days is asked about at the last
night. Sums and ranks are held against the truth itself, not against what happened to happen, with 95% intervals of a
bootstrap over customers. BG/NBD and Gamma-Gamma of `lifetimes` are fitted on the same orders, by the formulas that made
them: their home ground. They know orders alone, and so speak only of those who have placed one.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import django
import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
REPEATS = 400
DAY_MS = 86_400_000

Numbers = NDArray[np.float64]


def rank_correlation(one: Numbers, other: Numbers) -> float:
    """Spearman's."""
    return float(np.corrcoef(rankdata(one), rankdata(other))[0, 1])


def tenths(said: Numbers, true: Numbers) -> str:
    """What was said for each one that is true in tenths of what was said, the lowest half as one: least to most."""
    order = np.argsort(-said, kind="stable")
    groups = np.array_split(order, 10)
    joined = [*groups[:5], np.concatenate(groups[5:])]
    ratios = [said[part].sum() / max(true[part].sum(), 1e-12) for part in joined]
    return f"{min(ratios):.2f} to {max(ratios):.2f}"


def line(name: str, said: Numbers, true: Numbers, *, seed: int = 1) -> str:
    """One row: how much was said for each one that is true, its interval, by tenths, and the rank correlation."""
    rng = np.random.default_rng(seed)
    turns = [rng.poisson(1.0, len(true)) for _ in range(REPEATS)]
    low, high = np.quantile([(turn @ said) / (turn @ true) for turn in turns], [0.025, 0.975])
    ranks = [rank_correlation(said[some], true[some]) for some in rng.integers(0, len(true), (200, len(true)))]
    rank_low, rank_high = np.quantile(ranks, [0.025, 0.975])
    return (
        f"    {name:34s} said {said.sum():12,.1f}  true {true.sum():12,.1f}  ratio {said.sum() / true.sum():.3f} "
        f"[{low:.3f}, {high:.3f}]  by tenths {tenths(said, true):12s}  rank {rank_correlation(said, true):.3f} "
        f"[{rank_low:.3f}, {rank_high:.3f}]"
    )


def learnt(path: Path, zone: str, *, threads: int) -> tuple[Any, Any, Any, list[str]]:
    """The ensemble of the week, the models beside it, everybody at the last night, and their names."""
    from purchase_intent.learning.customers import CustomerModels
    from purchase_intent.sources import open_log
    from purchase_intent.training.snapshots import nights_of, take_snapshots
    from purchase_intent.training.week import learn_week

    def told(step: str) -> None:
        print(f"  {step:60s}", end="\r", flush=True)

    with open_log([path], zone=zone) as log:
        ensemble, _ = learn_week(log, seed=1, threads=threads, progress=told)
        asked = take_snapshots(log, nights=nights_of(log)[-1:], every=1, progress=told)
        names = dict(log.connection.execute("SELECT row, visitor FROM texts").fetchall())
    models = CustomerModels.from_json(ensemble.beside["customers"], ensemble.names)
    return ensemble, models, asked, [names[int(row)] for row in asked.row]


class Classics:
    """BG/NBD and Gamma-Gamma of `lifetimes`, fitted on each patron's orders until a day; columns by patron."""

    def __init__(self, patrons: Any, day: float) -> None:
        with warnings.catch_warnings():
            # It sets an option of pandas that pandas 3 has done away with; nothing else of it is touched by that.
            warnings.simplefilter("ignore")
            from lifetimes import BetaGeoFitter, GammaGammaFitter

            placed: list[list[tuple[float, float]]] = [[] for _ in patrons.rate]
            for visit in patrons.visits:
                if visit.revenue > 0 and visit.day <= day:
                    placed[visit.patron].append((visit.day, visit.revenue))
            self.orders = np.array([len(own) for own in placed], np.float64)
            first = np.array([own[0][0] if own else np.nan for own in placed])
            last = np.array([own[-1][0] if own else np.nan for own in placed])
            self.again, self.recency, self.age = self.orders - 1, last - first, day - first
            has = self.orders > 0
            self.buying = BetaGeoFitter().fit(self.again[has], self.recency[has], self.age[has])
            totals = np.array([sum(revenue for _, revenue in own) for own in placed])
            self.mean = totals / np.maximum(self.orders, 1)
            self.spending = GammaGammaFitter().fit(self.orders[has], self.mean[has])

    def expected(self, days: float, chosen: NDArray[np.int64]) -> Numbers:
        """Orders expected within so many days."""
        found = self.buying.conditional_expected_number_of_purchases_up_to_time(
            days, self.again[chosen], self.recency[chosen], self.age[chosen]
        )
        return np.asarray(found, np.float64)

    def revenue(self, days: float, chosen: NDArray[np.int64]) -> Numbers:
        """Revenue expected within so many days."""
        value = self.spending.conditional_expected_average_profit(self.orders[chosen], self.mean[chosen])
        return self.expected(days, chosen) * np.asarray(value, np.float64)

    def chance(self, days: float, chosen: NDArray[np.int64]) -> Numbers:
        """The chance of an order within so many days: of being there, times that of a rate drawn from its posterior."""
        there = self.buying.conditional_probability_alive(self.again[chosen], self.recency[chosen], self.age[chosen])
        rate, days_of_scale = self.buying.params_["r"], self.buying.params_["alpha"]
        age = self.age[chosen]
        none = ((days_of_scale + age) / (days_of_scale + age + days)) ** (rate + self.again[chosen])
        return np.asarray(np.asarray(there, np.float64) * (1 - none))


def report(title: str, true: Numbers, said: dict[str, Numbers]) -> None:
    """Print one quantity, a row for each who says something of it."""
    print(f"  {title}, {len(true):,} customers")
    for name, each in said.items():
        print(line(name, each, true), flush=True)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--arrivals", type=int, default=12_000)
    parser.add_argument("--days", type=int, default=730)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "demo_shop.settings")
    django.setup()
    from tests.patrons import BEGIN, ZONE, Patrons

    patrons = Patrons.arrive(given.arrivals, days=given.days, seed=given.seed)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "patrons.parquet"
        patrons.write(path)
        ensemble, models, asked, names = learnt(path, ZONE, threads=given.threads)
    day = float(asked.night[0] / DAY_MS - BEGIN.timestamp() / 86_400)
    who = np.array([int(name.removeprefix("v")) for name in names])
    true, columns = patrons.truth(day), models.columns(asked.values)
    print(
        f"two years, {given.arrivals:,} arrivals, {len(patrons.visits):,} visits; {len(who):,} asked about at the end"
    )
    week = ensemble.predict(asked.values)
    spent = {
        28: models.revenue.predict(columns, asked.orders, asked.revenue),
        365: models.value.predict(columns, asked.orders, asked.revenue),
    }
    orders = {28: models.revenue.orders.predict(columns), 365: models.value.orders.predict(columns)}
    report("order within 7 days", true.week[who], {"the model": week})
    report("away for 30 days", 1 - true.returns[who], {"the model": models.churn.predict(columns)})
    report("revenue in 28 days", true.revenue_28[who], {"the model": spent[28]})
    report("revenue in 12 months", true.revenue_365[who], {"the model": spent[365]})
    classics = Classics(patrons, day)
    some = np.flatnonzero(classics.orders[who] > 0)
    chosen = who[some]
    print("of those who have placed an order, beside lifetimes:")
    compared: list[tuple[str, Numbers, Numbers, Callable[[NDArray[np.int64]], Numbers], str]] = [
        ("order within 7 days", true.week, week, lambda at: classics.chance(7, at), "BG/NBD"),
        ("orders in 28 days", true.orders_28, orders[28], lambda at: classics.expected(28, at), "BG/NBD"),
        ("orders in 12 months", true.orders_365, orders[365], lambda at: classics.expected(365, at), "BG/NBD"),
        ("revenue in 28 days", true.revenue_28, spent[28], lambda at: classics.revenue(28, at), "BG/NBD, Gamma-Gamma"),
        (
            "revenue in 12 months",
            true.revenue_365,
            spent[365],
            lambda at: classics.revenue(365, at),
            "BG/NBD, Gamma-Gamma",
        ),
    ]
    for title, truth, ours, theirs, name in compared:
        report(title, truth[chosen], {"the model": ours[some], name: theirs(chosen)})
    return 0


if __name__ == "__main__":
    sys.exit(main())
