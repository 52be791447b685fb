"""The chance of the week beside recency-frequency rules, on the same nights of a later time range.

    INTENT_DATA=FOLDER python benchmarks/bench_customers.py [--cut 2016-09-16T07:00:00Z] [--most 400000]
        [--members NAME...] [--threads 1]

Learns from the Google Merchandise Store's log before the cut and asks about each visitor on one night in seven from the
cut on (its own night, so that no order counts twice). Beside the model: a logistic regression on recency and
frequency, the same with earlier orders, and the plain table of recency by frequency. Average precision and log-loss
with 95% intervals of a bootstrap over visitors, and those of the differences, paired. No limit is held: a few dozen
buyers do not carry one.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import django
import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

REPEATS = 300
DAYS = (1.0, 3.0, 7.0, 14.0, 30.0)
VISITS = (1.5, 2.5, 4.5)
DAY_MS = 86_400_000

Numbers = NDArray[np.float64]
Drawn = Callable[[Numbers, Numbers], Callable[[Numbers], float]]


def recency_frequency(values: NDArray[np.float32], names: tuple[str, ...]) -> tuple[Numbers, Numbers, Numbers]:
    """Days since the latest visit, visits, and orders so far."""
    column = {name: values[:, names.index(name)].astype(np.float64) for name in names}
    return column["since_last_session"] / 86_400, column["past_sessions"], column["past_purchases"]


def table_rule(train: tuple[Numbers, Numbers], bought: Numbers, test: tuple[Numbers, Numbers]) -> Numbers:
    """The share of buyers in each cell of recency by frequency, mixed with 20 visitors of the whole share."""
    cells = [
        np.searchsorted(DAYS, days) * (len(VISITS) + 1) + np.searchsorted(VISITS, visits)
        for days, visits in (train, test)
    ]
    count = np.bincount(cells[0], minlength=100)
    share = (np.bincount(cells[0], bought, minlength=100) + 20 * bought.mean()) / (count + 20)
    return np.asarray(share[cells[1]])


def drawn_precision(label: Numbers, score: Numbers) -> Callable[[Numbers], float]:
    """Average precision as a function of the visitors' weights; equal scores form one group."""
    order = np.argsort(-score, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(score[order]) != 0, True))
    hit = label[order]

    def figure(weights: Numbers) -> float:
        mass = weights[order]
        hits, flagged = np.cumsum(mass * hit)[ends], np.cumsum(mass)[ends]
        gain = np.diff(hits, prepend=0.0)
        return float((gain * hits / np.maximum(flagged, 1e-12)).sum() / max(hits[-1], 1e-12))

    return figure


def drawn_loss(label: Numbers, score: Numbers) -> Callable[[Numbers], float]:
    """Log-loss as a function of the visitors' weights."""
    nats = -np.where(label > 0, np.log(score), np.log1p(-score))
    return lambda weights: float(weights @ nats / weights.sum())


def intervals(label: Numbers, scores: dict[str, Numbers], drawn_by: Drawn, *, seed: int) -> list[str]:
    """Each score's figure with its interval, and that of the first one's lead over it."""
    rng = np.random.default_rng(seed)
    figures = {name: drawn_by(label, score) for name, score in scores.items()}
    turns = [rng.poisson(1.0, len(label)).astype(np.float64) for _ in range(REPEATS)]
    drawn = {name: np.array([figure(weights) for weights in turns]) for name, figure in figures.items()}
    first, lines = next(iter(scores)), []
    for name, figure in figures.items():
        low, high = np.quantile(drawn[name], [0.025, 0.975])
        lead_low, lead_high = np.quantile(drawn[first] - drawn[name], [0.025, 0.975])
        lead = "" if name == first else f"   model minus it [{lead_low:+.5f}, {lead_high:+.5f}]"
        lines.append(f"    {name:34s} {figure(np.ones(len(label))):.5f} [{low:.5f}, {high:.5f}]{lead}")
    return lines


def learnt(
    path: Path, cut: datetime, *, most: int, members: Sequence[str] | None, threads: int
) -> tuple[Any, Any, Any]:
    """The model of what came before the cut, its snapshots, and those from the cut on."""
    from purchase_intent.learning import IntentEnsemble
    from purchase_intent.sources import open_log
    from purchase_intent.training.snapshots import nights_of, take_snapshots
    from purchase_intent.training.week import MEMBERS_OF_WEEK, slicing_of, week_sample

    def told(step: str) -> None:
        print(f"  {step}", end="\r", flush=True)

    with open_log([path], zone="America/Los_Angeles") as log:
        later = take_snapshots(log, nights=[night for night in nights_of(log) if night >= cut], progress=told)
    with open_log([path], zone="America/Los_Angeles", until=cut) as log:
        early = take_snapshots(log, most=most, progress=told)
    sample = week_sample(early)
    chosen = members or MEMBERS_OF_WEEK
    model = IntentEnsemble.fit(
        sample, seed=1, members=chosen, slicing=slicing_of(sample), threads=threads, progress=told
    )
    return model, early.take(~np.isnan(early.bought)), later.take(~np.isnan(later.bought))


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--cut", type=datetime.fromisoformat, default=datetime.fromisoformat("2016-09-16T07:00:00+00:00")
    )
    parser.add_argument("--most", type=int, default=400_000, help="snapshots to learn from")
    parser.add_argument("--members", nargs="+", help="those of the week if left out")
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "demo_shop.settings")
    django.setup()
    from sklearn.linear_model import LogisticRegression

    from purchase_intent.learning import auc
    from purchase_intent.learning.lines import Line, history_columns

    path = Path(os.environ["INTENT_DATA"]) / "gstore" / "events_2016-08_09.parquet"
    model, early, later = learnt(path, given.cut, most=given.most, members=given.members, threads=given.threads)
    names, label = model.names, later.bought
    margins = model.member_log_odds(later.values, threads=given.threads)
    days, visits, orders = recency_frequency(early.values, names)
    later_days, later_visits, later_orders = recency_frequency(later.values, names)

    def logistic(train: Numbers, test: Numbers) -> Numbers:
        fitted = LogisticRegression().fit(np.log1p(train), early.bought, sample_weight=early.stands_for)
        return np.asarray(fitted.predict_proba(np.log1p(test))[:, 1])

    weighted = np.repeat(np.arange(len(days)), np.round(early.stands_for).astype(int))
    line = Line.fit("chance", history_columns(early.values, names), early.bought, early.stands_for)
    scores = {
        "the model": np.asarray(expit(model.mix(margins))),
        "logistic: recency, frequency": logistic(
            np.column_stack([days, visits]), np.column_stack([later_days, later_visits])
        ),
        "logistic: and earlier orders": logistic(
            np.column_stack([days, visits, orders]), np.column_stack([later_days, later_visits, later_orders])
        ),
        "table of recency by frequency": table_rule(
            (days[weighted], visits[weighted]), early.bought[weighted], (later_days, later_visits)
        ),
        "a line on the whole past": line.predict(history_columns(later.values, names)),
        **{f"member: {name}": np.asarray(expit(margin)) for name, margin in margins.items()},
    }
    print(f"learnt from {len(early):,} snapshots, {int(early.bought.sum())} followed by an order within 7 days")
    print(f"judged on {len(later):,} visitors, each on one night; {int(label.sum())} buy; weights {model.weights}")
    for title, drawn_by in (("average precision", drawn_precision), ("log-loss", drawn_loss)):
        print(f"  {title}")
        print("\n".join(intervals(label, scores, drawn_by, seed=1)), flush=True)
    print("  AUC " + ", ".join(f"{name} {auc(label, score):.3f}" for name, score in scores.items()))
    print(f"  mean chance {scores['the model'].mean():.5f}, share that bought {label.mean():.5f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
