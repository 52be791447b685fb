"""Whether tuning helps on later data: the same log learnt with and without it, judged after a cut in time.

    python benchmarks/bench_tuning.py [--log FILE --cut T] [--zone NAME] [--trials 50] [--budget MINUTES]
                                      [--study PATH] [--share 1] [--seed 1] [--threads 2] [--draws 200]

Without --log it takes the two months of the Google Merchandise Store under INTENT_DATA, cut at 2016-09-16 07:00 UTC.
Three models learn from the sessions that had ended before the cut: one with the defaults, one tuned as `intent_train
--trials` would, and one that takes the best trial of each member whether or not they beat the noise. All answer the
sessions that began at or after the cut. Gains are those over the defaults, with 95% of a paired bootstrap over
sessions. Where time is short, `--share` learns from all buyers and that share of the other sessions, weighed by its
inverse. It is a measurement: it ends with 0 whatever it finds.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "2")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "demo_shop.settings")
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import django  # noqa: E402

django.setup()

import numpy as np  # noqa: E402

from benchmarks.later_slice import add_options, compared, halves, told  # noqa: E402
from purchase_intent.learning import IntentEnsemble, Sample, Tuning  # noqa: E402
from purchase_intent.learning.tuning.inner import thinned  # noqa: E402


def fitted(label: str, sample: Sample, options: argparse.Namespace, **how: Any) -> IntentEnsemble:
    """A model, with what it cost."""
    clock, spent = time.monotonic(), time.process_time()
    ensemble = IntentEnsemble.fit(sample, seed=options.seed, threads=options.threads, progress=told, **how)
    clock, spent = time.monotonic() - clock, time.process_time() - spent
    print(f"{label}: {clock:.0f} s by the clock, {spent:.0f} s of the processor", flush=True)
    return ensemble


def models(sample: Sample, options: argparse.Namespace) -> dict[str, IntentEnsemble]:
    """With the defaults, tuned, and with the best trials whatever their worth; equal ones are learnt once."""
    asked = Tuning(trials=options.trials, budget=options.budget, study=options.study)
    found = {"tuned": fitted("tuned", sample, options, tuning=asked)}
    outcome: Mapping[str, Any] = found["tuned"].figures["tuning"]["members"]
    show(found["tuned"].figures["tuning"])
    adopted = [name for name, one in outcome.items() if one["adopted"]]
    found["defaults"] = fitted("defaults", sample, options) if adopted else found["tuned"]
    best = {name: one["params"] for name, one in outcome.items() if one["trial"]}
    if set(best) == set(adopted):
        found["best trials"] = found["tuned"]
    else:
        found["best trials"] = fitted("best trials", sample, options, params=best)
    return found


def show(tuning: Mapping[str, Any]) -> None:
    """What was tried and chosen."""
    print(f"sessions: {tuning['sessions']}")
    print("member     trials  cut short  defaults  best      gain (standard error)    adopted")
    for name, one in tuning["members"].items():
        gain = "-" if one["gain"] is None else f"{one['gain']:+.5f} ({one['error']:.5f})"
        losses = [f"{one[key]:.5f}" if one[key] is not None else "-" for key in ("defaults", "best")]
        print(
            f"{name:<10} {one['tried']:>6}  {one['cut_short']:>9}  {losses[0]:<8}  {losses[1]:<8}  {gain:<23}"
            f"  {'yes' if one['adopted'] else 'no'}"
        )
        print(f"           {one['params']}")
    if together := tuning["together"]:
        verdict = "adopted" if together["adopted"] else "within the noise"
        print(f"together: gain {together['gain']:+.5f}, standard error {together['error']:.5f}: {verdict}")


def compare(found: Mapping[str, IntentEnsemble], later: Sample, options: argparse.Namespace) -> None:
    """The figures after the cut, and the gains over the defaults with their intervals."""
    answers = {name: model.log_odds(later.table, threads=options.threads) for name, model in found.items()}
    plain = answers.pop("defaults")
    for name, answer in answers.items():
        for view, figure, told_of in compared(plain, answer, later, seed=options.seed, draws=options.draws):
            print(
                f"{figure} by {view}: defaults {told_of.first:.5f}, {name} {told_of.second:.5f}, "
                f"gain {told_of.gain:+.5f} [{told_of.low:+.5f}, {told_of.high:+.5f}]"
            )


def main() -> int:
    """Run as told on the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    add_options(parser)
    parser.add_argument("--trials", type=int, default=50)
    parser.add_argument("--budget", type=float, help="minutes of tuning")
    parser.add_argument("--study", type=Path, help="a file to go on from")
    parser.add_argument("--share", type=float, default=1.0, help="of the sessions without a purchase, to learn from")
    options = parser.parse_args()
    earlier, later = halves(options)
    earlier = thinned(earlier, options.share, np.random.default_rng(options.seed))
    compare(models(earlier, options), later, options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
