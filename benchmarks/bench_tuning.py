"""Whether tuning helps on later data: the same log learnt with and without it, judged after a cut in time.

    python benchmarks/bench_tuning.py [--log FILE --cut T] [--zone NAME] [--trials 50] [--budget MINUTES]
                                      [--study PATH] [--share 1] [--seed 1] [--threads 2] [--draws 200]

Without --log it takes the two months of the Google Merchandise Store under INTENT_DATA, cut at 2016-09-16 07:00 UTC.
Three models learn from the sessions that had ended before the cut: one with the defaults, one tuned as `intent_train
--trials` would, and one that takes the best trial of each member whether or not it beat the noise. All answer the
sessions that began at or after the cut. Differences are tuned minus defaults, with 95% of a paired bootstrap over
sessions. Where time is short, `--share` learns from all buyers and that share of the other sessions, weighed by its
inverse. It is a measurement: it ends with 0 whatever it finds.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("OMP_NUM_THREADS", "2")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "demo_shop.settings")
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import django  # noqa: E402

django.setup()

import numpy as np  # noqa: E402
from numpy.typing import NDArray  # noqa: E402

from purchase_intent.features.history import IDLE  # noqa: E402
from purchase_intent.learning import IntentEnsemble, Sample, Tuning, case_weights  # noqa: E402
from purchase_intent.learning.splits import session_spans  # noqa: E402
from purchase_intent.learning.tuning.inner import thinned  # noqa: E402
from purchase_intent.learning.weights import nats  # noqa: E402
from purchase_intent.sources import layout_zone, open_log  # noqa: E402
from purchase_intent.training.dataset import build_sample  # noqa: E402

PUBLIC = ("gstore/events_2016-08_09.parquet", "2016-09-16T07:00:00Z")
ZONE = "America/Los_Angeles"
VIEWS = {"session": -1.0, "point": 0.0}
"""How a moment is weighed: by the size of its session to this power."""

Floats = NDArray[np.float64]


class Judge(NamedTuple):
    """Log-odds in order, to be weighed anew for each draw: `ends` are the last places of equal scores."""

    order: NDArray[np.intp]
    ends: NDArray[np.intp]
    labels: Floats
    losses: Floats

    @classmethod
    def of(cls, log_odds: Floats, labels: NDArray[np.uint8]) -> Judge:
        """For the answers to some cases."""
        order = np.argsort(-log_odds, kind="stable")
        ends = np.flatnonzero(np.append(np.diff(log_odds[order]) != 0, [True]))
        return cls(order, ends, labels[order].astype(np.float64), nats(log_odds, labels)[order])

    def figures(self, weights: Floats) -> dict[str, float]:
        """Average precision and log-loss under case weights."""
        ordered = weights[self.order]
        hits, flagged = np.cumsum(ordered * self.labels)[self.ends], np.cumsum(ordered)[self.ends]
        precision = np.divide(hits, flagged, out=np.zeros_like(hits), where=flagged > 0)
        return {
            "average precision": float(np.diff(hits, prepend=0.0) @ precision / hits[-1]),
            "log-loss": float(ordered @ self.losses / flagged[-1]),
        }


def halves(log: Path, zone: str, cut: datetime, seed: int) -> tuple[Sample, Sample]:
    """What is known before the cut, and what comes after it."""
    with open_log([log], zone=zone) as opened:
        sample = build_sample(opened, seed=seed, progress=told)
    session, first, last = session_spans(sample)
    moment = int(cut.timestamp() * 1000)
    before, after = last < moment - IDLE, first >= moment
    parts = [sample.take(np.flatnonzero(side[session])) for side in (before, after)]
    earlier, later = (_weighed(part) for part in parts)
    return earlier, later


def _weighed(part: Sample) -> Sample:
    return Sample(part.table, part.labels, case_weights(part.sessions), part.sessions, part.times, part.ends)


def told(step: str) -> None:
    """A line with the clock; of folding, nothing."""
    if not step.startswith("folding"):
        print(f"{time.strftime('%H:%M:%S', time.gmtime())}  {step}", flush=True)


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


def compare(found: Mapping[str, IntentEnsemble], later: Sample, options: argparse.Namespace) -> None:
    """The figures after the cut, and the differences with their intervals."""
    judges = {
        name: Judge.of(model.log_odds(later.table, threads=options.threads), later.labels)
        for name, model in found.items()
    }
    _, place = np.unique(later.sessions, return_inverse=True)
    rng = np.random.default_rng(options.seed)
    sessions = int(place.max()) + 1
    draws = [rng.multinomial(sessions, np.full(sessions, 1 / sessions)) for _ in range(options.draws)]
    print(f"\n{sessions:,} later sessions, {later.buying_sessions} of which buy, {len(later):,} moments")
    for view, power in VIEWS.items():
        weights = case_weights(later.sessions, power=power)
        plain = judges["defaults"].figures(weights)
        resampled = [judges["defaults"].figures(weights * draw[place]) for draw in draws]
        for name in ("tuned", "best trials"):
            own = judges[name].figures(weights)
            drawn = [judges[name].figures(weights * draw[place]) for draw in draws]
            for figure, value in own.items():
                gaps = [one[figure] - other[figure] for one, other in zip(drawn, resampled, strict=True)]
                low, high = np.quantile(gaps, [0.025, 0.975])
                print(
                    f"{figure} by {view}: defaults {plain[figure]:.5f}, {name} {value:.5f}, "
                    f"difference {value - plain[figure]:+.5f} [{low:+.5f}, {high:+.5f}]"
                )


def main() -> int:
    """Run as told on the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--log", type=Path, help="an event log; with --cut")
    parser.add_argument("--cut", type=datetime.fromisoformat, help="learn from what had ended before this moment")
    parser.add_argument("--zone", help="the shop's time zone")
    parser.add_argument("--trials", type=int, default=50)
    parser.add_argument("--budget", type=float, help="minutes of tuning")
    parser.add_argument("--study", type=Path, help="a file to go on from")
    parser.add_argument("--share", type=float, default=1.0, help="of the sessions without a purchase, to learn from")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--draws", type=int, default=200)
    options = parser.parse_args()
    log, cut, zone = options.log, options.cut, options.zone
    if log is None:
        folder = os.environ.get("INTENT_DATA")
        if not folder:
            parser.error("give --log and --cut, or set INTENT_DATA to the folder of the public logs")
        log, cut = Path(folder) / PUBLIC[0], datetime.fromisoformat(PUBLIC[1])
    elif cut is None:
        parser.error("--log needs --cut")
    cut = cut if cut.tzinfo else cut.replace(tzinfo=UTC)
    earlier, later = halves(log, zone or layout_zone([log]) or ZONE, cut, options.seed)
    earlier = thinned(earlier, options.share, np.random.default_rng(options.seed))
    print(f"{earlier.buying_sessions} buying sessions before the cut, {len(earlier):,} moments", flush=True)
    compare(models(earlier, options), later, options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
