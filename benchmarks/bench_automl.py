"""`IntentEnsemble` on a plain data frame, beside its own members and beside FLAML with a time budget.

    pip install flaml        # for this file alone, without its [automl] extra: the learners are there already
    python benchmarks/bench_automl.py [--log FILE --cut T] [--zone NAME] [--minutes 10] [--power 0] [--numbers]
                                      [--seed 1] [--threads 2] [--draws 200]

Without --log it takes the two months of the Google Merchandise Store under INTENT_DATA, cut at 2016-09-16 07:00 UTC.
Both learn from one data frame of the sessions before the cut, numbers and text, and answer the later ones. Every row
weighs alike (`--power 0`; `--power -0.5` weighs them as `intent_train` does, for both). FLAML searches by log-loss
among all learners it finds installed, judges its trials on the last 15% of the sessions, as the ensemble stops on later
ones, and learns its best once more from everything. Its minutes are those of the search by the clock, on as many
threads; what the ensemble takes is told. Gains have 95% of a paired bootstrap over sessions. It is a measurement: it
ends with 0 whatever it finds.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "2")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "demo_shop.settings")
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import django  # noqa: E402

django.setup()

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from scipy.special import logit  # noqa: E402

from benchmarks.later_slice import Floats, add_options, compared, halves, told  # noqa: E402
from purchase_intent.learning import IntentEnsemble, Sample, Table, case_weights  # noqa: E402
from purchase_intent.learning.splits import session_spans  # noqa: E402

JUDGED = 0.15
"""Share of the sessions, the latest, on which FLAML judges its trials."""


def plain(part: Sample) -> pd.DataFrame:
    """The table as anybody would hold it: numbers, and text where they are names."""
    frame = pd.DataFrame(part.table.values, columns=list(part.table.names))
    for name in sorted(part.table.categorical):
        frame[name] = frame[name].astype("int64").astype(str)
    return frame


def by_ensemble(frames: tuple[pd.DataFrame, pd.DataFrame], earlier: Sample, options: argparse.Namespace) -> Any:
    """The ensemble's answers and each member's own, in log-odds, with the seconds of learning."""
    weights = case_weights(earlier.sessions, power=options.power)
    sample = Sample(Table.from_frame(frames[0]), earlier.labels, weights, earlier.sessions, earlier.times, earlier.ends)
    clock, spent = time.monotonic(), time.process_time()
    model = IntentEnsemble.fit(sample, seed=options.seed, threads=options.threads, progress=told)
    print(
        f"ensemble: {time.monotonic() - clock:.0f} s by the clock, {time.process_time() - spent:.0f} s of the processor"
    )
    print("weights:", {name: round(weight, 3) for name, weight in model.weights.items()}, flush=True)
    asked = Table.from_frame(frames[1])
    members = model.member_log_odds(asked, threads=options.threads)
    return {"ensemble": model.mix(members), **members}


def by_flaml(frames: tuple[pd.DataFrame, pd.DataFrame], earlier: Sample, options: argparse.Namespace) -> Floats:
    """What the best that FLAML finds says, in log-odds."""
    kind = "float32" if options.numbers else "category"
    known, asked = (frame.astype(dict.fromkeys(earlier.table.categorical, kind)) for frame in frames)
    session, first, last = session_spans(earlier)
    cut = np.sort(first)[int(len(first) * (1 - JUDGED))]
    fit, judge = (np.flatnonzero(side[session]) for side in (last < cut, first >= cut))
    weights = case_weights(earlier.sessions, power=options.power)
    clock, spent = time.monotonic(), time.process_time()
    search = import_module("flaml").AutoML()
    search.fit(
        X_train=known.iloc[fit].reset_index(drop=True),
        y_train=earlier.labels[fit],
        X_val=known.iloc[judge].reset_index(drop=True),
        y_val=earlier.labels[judge],
        sample_weight=weights[fit],
        sample_weight_val=weights[judge],
        task="classification",
        metric="log_loss",
        time_budget=60 * options.minutes,
        n_jobs=options.threads,
        seed=options.seed,
        verbose=1,
    )
    print(
        f"FLAML: {time.monotonic() - clock:.0f} s by the clock, {time.process_time() - spent:.0f} s of the processor; "
        f"{search.best_estimator} {search.best_config}",
        flush=True,
    )
    return np.asarray(logit(np.clip(search.predict_proba(asked)[:, 1], 1e-9, 1 - 1e-9)))


def main() -> int:
    """Run as told on the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    add_options(parser)
    parser.add_argument("--minutes", type=float, default=10.0, help="of FLAML's search")
    parser.add_argument("--power", type=float, default=0.0, help="a row weighs its session's size to this power")
    parser.add_argument("--numbers", action="store_true", help="give FLAML the categories as plain numbers")
    options = parser.parse_args()
    earlier, later = halves(options)
    frames = plain(earlier), plain(later)
    answers = by_ensemble(frames, earlier, options)
    answers["FLAML"] = by_flaml(frames, earlier, options)
    ensemble = answers.pop("ensemble")
    print("the ensemble's gain over each")
    for name, answer in answers.items():
        for view, figure, found in compared(answer, ensemble, later, seed=options.seed, draws=options.draws):
            print(
                f"{figure} by {view}: {name} {found.first:.5f}, the ensemble {found.second:.5f}, "
                f"gain {found.gain:+.5f} [{found.low:+.5f}, {found.high:+.5f}]"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
