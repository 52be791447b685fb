"""Uplift on a real experiment: Kevin Hillstrom's e-mail test, 64,000 customers, three arms.

    INTENT_DATA=FOLDER python benchmarks/bench_uplift.py [--splits 20] [--others 5] [--seed 1] [--threads 1]

The primary comparison is the women's e-mail on visits: each split learns from a random half of the customers of both
arms and is judged on the other half, as often as `--splits` says; the other comparisons as often as `--others`. Beside
the two learners stands the plain way: scikit-uplift's `TwoModels` over LightGBM with its defaults. Intervals are
percentiles over the splits, which share customers; the bootstrap's, within one split, stand beside them. At the end the
whole of the primary comparison is learnt from by cross-fitting, with groups and profit. Every Qini and AUUC is held
against scikit-uplift's on the same scores: it ends with 1 where one differs by more than 1e-9, or where the interval of
the primary comparison's Qini holds 0.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from purchase_intent.learning import Table
from purchase_intent.learning.uplift import (
    Learner,
    Money,
    Ranking,
    Trial,
    fit_uplift,
    learn_uplift,
    ranking,
)

COLUMNS = ["recency", "history_segment", "history", "mens", "womens", "zip_code", "newbie", "channel"]
WOMEN, MEN, NOBODY = "Womens E-Mail", "Mens E-Mail", "No E-Mail"
COMPARISONS = ((WOMEN, "visit"), (MEN, "visit"), (WOMEN, "conversion"), (MEN, "conversion"))
MONEY = Money(margin=10.0, contact=0.5)
"""A visit is taken to be worth 10, an e-mail to cost 0.5: made up, to show the curve."""
TOLERANCE = 1e-9

Scores = NDArray[np.float64]
Score = Callable[[Trial, Trial], Scores]


def trial_of(customers: pd.DataFrame, email: str, outcome: str) -> Trial:
    """One e-mail against none."""
    both = customers[customers["segment"].isin([email, NOBODY])].reset_index(drop=True)
    treated, labels = (both["segment"] == email).to_numpy(), both[outcome].to_numpy()
    return Trial(Table.from_frame(both[COLUMNS]), treated.astype(np.uint8), labels, np.arange(len(both)))


def ours(learner: Learner, *, seed: int, threads: int) -> Score:
    """One of our learners with all four members."""
    return lambda known, asked: (
        fit_uplift(known, learner, seed=seed, threads=threads).effects(asked.table.values, threads=threads).uplift
    )


def plain(known: Trial, asked: Trial) -> Scores:
    """Two LightGBM classifiers with their defaults, by scikit-uplift; categories as integers."""
    from lightgbm import LGBMClassifier
    from sklift.models import TwoModels

    made = [LGBMClassifier(n_jobs=1, verbosity=-1, random_state=1) for _ in range(2)]
    model = TwoModels(*made, method="vanilla").fit(frame(known), known.labels.astype(int), known.treated.astype(int))
    return np.asarray(model.predict(frame(asked)), dtype=np.float64)


def frame(trial: Trial) -> pd.DataFrame:
    return pd.DataFrame(trial.table.values, columns=list(trial.table.names))


def checked(scores: Scores, trial: Trial, *, seed: int, draws: int) -> Ranking:
    """Our figures, once they are scikit-uplift's too."""
    from sklift.metrics import qini_auc_score, uplift_auc_score

    found = ranking(scores, trial, seed=seed, draws=draws)
    given = (trial.labels.astype(int), scores, trial.treated.astype(int))
    for own, theirs in ((found.qini, qini_auc_score(*given)), (found.auuc, uplift_auc_score(*given))):
        if abs(own.value - theirs) > TOLERANCE:
            sys.exit(f"{own.value} here, {theirs} by scikit-uplift")
    return found


def split_figures(trial: Trial, ways: dict[str, Score], splits: int, seed: int) -> dict[str, list[Ranking]]:
    """What each way reaches on the other half, split by split; the first with a bootstrap of its own."""
    found: dict[str, list[Ranking]] = {name: [] for name in ways}
    for number in range(splits):
        order = np.random.default_rng([seed, number]).permutation(len(trial))
        known, asked = (trial.take(half) for half in np.array_split(order, 2))
        for name, way in ways.items():
            draws = 200 if number == 0 else 0
            found[name].append(checked(way(known, asked), asked, seed=seed, draws=draws))
        told(f"split {number + 1} of {splits}")
    told("")
    return found


def interval(values: list[float]) -> str:
    low, high = np.quantile(values, [0.025, 0.975])
    return f"{np.mean(values):.4f} [{low:.4f}, {high:.4f}]"


def report(title: str, found: dict[str, list[Ranking]]) -> None:
    print(f"\n{title}, {len(next(iter(found.values())))} splits")
    print(f"  {'':14}{'Qini':>28}{'AUUC':>28}{'first split, bootstrap':>32}")
    for name, rankings in found.items():
        first = rankings[0].qini
        own = f"{first.value:.4f} [{first.low:.4f}, {first.high:.4f}]"
        qini, auuc = ([getattr(each, part).value for each in rankings] for part in ("qini", "auuc"))
        print(f"  {name:14}{interval(qini):>28}{interval(auuc):>28}{own:>32}")


def report_whole(trial: Trial, *, seed: int, threads: int) -> None:
    """Cross-fitted on all customers: both rankings, groups, profit."""
    found = learn_uplift(trial, seed=seed, money=MONEY, threads=threads, progress=told)
    told("")
    figures: dict[str, Any] = dict(found.model.figures)
    print("\nWomen's e-mail on visits, cross-fitted on all customers")
    for learner, each in found.rankings.items():
        qini = each.qini
        kept = ", kept" if learner is found.model.learner else ""
        print(f"  {learner.value:10} Qini {qini.value:.4f} [{qini.low:.4f}, {qini.high:.4f}]{kept}")
    print(f"  spread believed {found.model.spread:.2f}; cuts {figures['cuts']}")
    for group in figures["groups"]:
        if group["uplift"] is None:
            print(f"  {group['group']:12}{group['share']:7.1%} of them; too few to measure it on")
            continue
        print(
            f"  {group['group']:12}{group['share']:7.1%} of them; {group['control_rate']:.2%} without, "
            f"{group['treated_rate']:.2%} with; {100 * group['uplift']:+.2f} points "
            f"[{100 * group['low']:+.2f}, {100 * group['high']:+.2f}], predicted {100 * group['predicted']:+.2f}"
        )
    points = {f"{point['share']:.0%}": point for point in figures["profit"]["points"]}
    for name, point in {"chosen": figures["profit"]["chosen"], **{key: points[key] for key in ("50%", "100%")}}.items():
        print(
            f"  treating {name:7} ({point['share']:.0%}): profit of 1,000 customers {point['profit']:,.0f} "
            f"[{point['low']:,.0f}, {point['high']:,.0f}]"
        )


def told(step: str) -> None:
    print(f"\r{step:60}", end="\r" if not step else "", file=sys.stderr, flush=True)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("splits", 20), ("others", 5), ("seed", 1), ("threads", 1)):
        options.add_argument(f"--{name}", type=int, default=default)
    given = options.parse_args()
    folder = os.environ.get("INTENT_DATA")
    if not folder:
        sys.exit("INTENT_DATA names no folder of real data")
    warnings.simplefilter("ignore", FutureWarning)  # in scikit-uplift
    customers = pd.read_parquet(Path(folder) / "experiments" / "hillstrom.parquet")
    ways: dict[str, Score] = {
        learner.value: ours(learner, seed=given.seed, threads=given.threads) for learner in Learner
    } | {"plain": plain}
    began = time.process_time()
    worst = 0.0
    for place, (email, outcome) in enumerate(COMPARISONS):
        splits = given.splits if place == 0 else given.others
        found = split_figures(trial_of(customers, email, outcome), ways, splits, given.seed)
        report(f"{email} against none, {outcome}", found)
        if place == 0:
            worst = min(float(np.quantile([each.qini.value for each in found[name]], 0.025)) for name in Learner)
    report_whole(trial_of(customers, WOMEN, "visit"), seed=given.seed, threads=given.threads)
    print(f"\n{time.process_time() - began:.0f} s of the processor; every figure is scikit-uplift's to {TOLERANCE:g}")
    if worst <= 0:
        sys.exit("the interval of the primary comparison holds 0")


if __name__ == "__main__":
    main()
