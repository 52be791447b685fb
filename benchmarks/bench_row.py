"""One row through the whole ensemble, calibrated, beside scikit-learn's soft VotingClassifier of the same size.

    python benchmarks/bench_row.py [--calls 1000] [--bundle FILE | --log FILE [--zone NAME]] [--report-only]

The vote is taken by the learners' own scikit-learn classes and scikit-learn's random forest, with `n_jobs=1`, as many
trees as our members have, of the same depth or leaves, learnt of the same encoded matrix. Both are asked for one row,
twenty times in turns, so that what else the machine does strikes both: as a row of a matrix, and as a data frame of one
row, which is what a caller with named columns has. What counts is the median of the processor's time, all threads of
this process. Limits: 500 microseconds an answer, a thirtieth of the vote's time (from a matrix, its quicker way), and
12 milliseconds with exact reasons; past one of them it ends with 1.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "demo_shop.settings")
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import django  # noqa: E402

django.setup()

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from catboost import CatBoostClassifier  # noqa: E402
from lightgbm import LGBMClassifier  # noqa: E402
from sklearn.ensemble import RandomForestClassifier, VotingClassifier  # noqa: E402
from xgboost import XGBClassifier  # noqa: E402

from purchase_intent.conf import bundle_keys  # noqa: E402
from purchase_intent.exceptions import BundleRefused  # noqa: E402
from purchase_intent.features.schema import schema_hash  # noqa: E402
from purchase_intent.learning import IntentEnsemble, Sample, dump, load  # noqa: E402
from purchase_intent.sources import open_log  # noqa: E402
from purchase_intent.training.dataset import build_sample  # noqa: E402

LIMIT = 500.0
REASONS_LIMIT = 12_000.0
"""Microseconds at the median."""
TIMES = 30.0
"""How many times quicker than the vote."""
BLOCK = 20
ROWS = 20_000
"""Cases the vote learns from: what it answers does not matter here, only how large it is."""

Calls = Mapping[str, Callable[[], object]]


def cases(log: Path, zone: str) -> Sample:
    """The shipped log's, or another's."""
    with open_log([log], zone=zone) as opened:
        return build_sample(opened, seed=3, progress=lambda _step: None)


def served(options: argparse.Namespace, sample: Sample) -> IntentEnsemble:
    """The model as a process that serves reads it from a bundle."""
    if options.bundle:
        return load(options.bundle.read_bytes(), schema=schema_hash(), key=bundle_keys()[0])
    learnt = IntentEnsemble.fit(sample, seed=3, threads=options.threads)
    return load(dump(learnt, schema=schema_hash(), facts={}, key=b"k"), schema=schema_hash(), key=b"k")


def vote(model: IntentEnsemble, matrix: Any, labels: Any) -> VotingClassifier:
    """Learners of the members' sizes under one soft vote, learnt of a matrix or a data frame."""
    rounds = {name: member.rounds for name, member in model.members.items()}
    how = {name: member.settings for name, member in model.members.items()}
    trees = rounds["forest"] * int(how["forest"]["num_parallel_tree"])
    single: dict[str, Any] = {
        "catboost": CatBoostClassifier(
            iterations=rounds["catboost"], depth=how["catboost"]["depth"], thread_count=1, verbose=False,
            allow_writing_files=False,
        ),
        "xgboost": XGBClassifier(n_estimators=rounds["xgboost"], max_depth=how["xgboost"]["max_depth"], n_jobs=1),
        "lightgbm": LGBMClassifier(
            n_estimators=rounds["lightgbm"], num_leaves=how["lightgbm"]["num_leaves"], n_jobs=1, verbose=-1
        ),
        "forest": RandomForestClassifier(n_estimators=trees, max_depth=how["forest"]["max_depth"], n_jobs=1),
    }  # fmt: skip
    return VotingClassifier(list(single.items()), voting="soft", n_jobs=1).fit(matrix, labels)


def in_turns(calls: Calls, times: int) -> dict[str, tuple[float, float]]:
    """Microseconds at the median, of the processor and by the clock; each is called BLOCK times in a row, in turns."""
    clock: dict[str, list[float]] = {name: [] for name in calls}
    spent: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(max(times // BLOCK, 1)):
        for name, call in calls.items():
            call()
            for _ in range(BLOCK):
                began, used = time.perf_counter(), time.process_time()
                call()
                spent[name].append(time.process_time() - used)
                clock[name].append(time.perf_counter() - began)
    return {name: (statistics.median(spent[name]) * 1e6, statistics.median(clock[name]) * 1e6) for name in calls}


def options() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--calls", type=int, default=1000)
    parser.add_argument("--bundle", type=Path, help="a bundle of this project's, from intent_train")
    parser.add_argument("--log", type=Path, default=ROOT / "fixtures" / "log.parquet", help="learn of this log instead")
    parser.add_argument("--zone", default="Europe/Berlin", help="the time zone of the log's shop")
    parser.add_argument("--threads", type=int, default=1, help="to learn with; answers take one")
    parser.add_argument("--report-only", action="store_true", help="end with 0 even where a limit is missed")
    return parser.parse_args()


def main() -> int:
    """Measure, print, and say by the exit code whether the limits hold."""
    asked = options()
    try:
        sample = cases(asked.log, asked.zone)
        model = served(asked, sample)
    except (OSError, BundleRefused) as refused:
        print(refused, file=sys.stderr)
        return 2
    buying = np.flatnonzero(np.isin(sample.sessions, sample.sessions[sample.labels == 1]))[: ROWS // 2]
    some = np.union1d(buying, np.arange(min(len(sample), ROWS)))
    print("rounds:", {name: member.rounds for name, member in model.members.items()})
    encoded = model.encoder.transform(sample.table.values[some])
    columns = list(model.names)
    by_matrix = vote(model, encoded, sample.labels[some])
    by_frame = vote(model, pd.DataFrame(encoded, columns=columns), sample.labels[some])
    row = sample.table.values[some[-1:]]
    ready = model.encoder.transform(row)
    found = in_turns(
        {
            "ensemble, calibrated, one row": lambda: model.predict_one(row[0]),
            "soft vote, row of a matrix": lambda: by_matrix.predict_proba(ready),
            "soft vote, data frame of one row": lambda: by_frame.predict_proba(pd.DataFrame(ready, columns=columns)),
        },
        asked.calls,
    )
    found |= in_turns({"ensemble with exact reasons": lambda: model.contributions(row)}, max(asked.calls // 5, 5))
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; microseconds at the median: processor, clock")
    for name, (spent, clock) in found.items():
        print(f"{name:<36}{spent:>10.0f}{clock:>10.0f}")
    plain, *votes, reasons = (spent for spent, _ in found.values())
    ratios = [one / plain for one in votes]
    print(f"the vote takes {ratios[0]:.1f} times as long from a matrix, {ratios[1]:.1f} times from a data frame")
    missed = plain > LIMIT or ratios[0] < TIMES or reasons > REASONS_LIMIT
    return 1 if missed and not asked.report_only else 0


if __name__ == "__main__":
    sys.exit(main())
