"""What the benchmarks of accuracy share: a log cut in time, and two models' answers to what came after the cut.

Without --log they take the two months of the Google Merchandise Store under INTENT_DATA, cut at 2016-09-16 07:00 UTC.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from purchase_intent.features.history import IDLE
from purchase_intent.learning import Sample, case_weights
from purchase_intent.learning.paired import Difference, paired_differences
from purchase_intent.learning.splits import session_spans
from purchase_intent.sources import layout_zone, open_log
from purchase_intent.training.dataset import build_sample

__all__ = ["VIEWS", "Floats", "add_options", "compared", "halves", "told"]

PUBLIC = ("gstore/events_2016-08_09.parquet", "2016-09-16T07:00:00Z")
ZONE = "America/Los_Angeles"
VIEWS = {"session": -1.0, "point": 0.0}
"""How a moment is weighed: by the size of its session to this power."""

Floats = NDArray[np.float64]


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options that say which log is cut where, and how answers to it are compared."""
    parser.add_argument("--log", type=Path, help="an event log; with --cut")
    parser.add_argument("--cut", type=datetime.fromisoformat, help="learn from what had ended before this moment")
    parser.add_argument("--zone", help="the shop's time zone")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--draws", type=int, default=200, help="of the bootstrap over sessions")


def halves(options: argparse.Namespace) -> tuple[Sample, Sample]:
    """The sessions that had ended before the cut, and those that began at or after it; SystemExit without a log."""
    log, cut = options.log, options.cut
    if log is None:
        folder = os.environ.get("INTENT_DATA")
        if not folder:
            raise SystemExit("give --log and --cut, or set INTENT_DATA to the folder of the public logs")
        log, cut = Path(folder) / PUBLIC[0], datetime.fromisoformat(PUBLIC[1])
    elif cut is None:
        raise SystemExit("--log needs --cut")
    with open_log([log], zone=options.zone or layout_zone([log]) or ZONE) as opened:
        sample = build_sample(opened, seed=options.seed, progress=told)
    session, first, last = session_spans(sample)
    moment = int((cut if cut.tzinfo else cut.replace(tzinfo=UTC)).timestamp() * 1000)
    before, after = last < moment - IDLE, first >= moment
    earlier, later = (_weighed(sample.take(np.flatnonzero(side[session]))) for side in (before, after))
    for name, part in (("before", earlier), ("from", later)):
        sessions = len(np.unique(part.sessions))
        print(
            f"{sessions:,} sessions {name} the cut, {part.buying_sessions:,} of which buy, {len(part):,} moments",
            flush=True,
        )
    return earlier, later


def _weighed(part: Sample) -> Sample:
    return Sample(part.table, part.labels, case_weights(part.sessions), part.sessions, part.times, part.ends)


def told(step: str) -> None:
    """A line with the clock; of folding, nothing."""
    if not step.startswith("folding"):
        print(f"{time.strftime('%H:%M:%S', time.gmtime())}  {step}", flush=True)


def compared(
    first: Floats, second: Floats, later: Sample, *, views: Mapping[str, float] = VIEWS, seed: int, draws: int
) -> Iterator[tuple[str, str, Difference]]:
    """View, figure and difference of two answers in log-odds; a gain above 0 where the second is better."""
    for view, power in views.items():
        found = paired_differences(
            later.labels,
            (expit(first), expit(second)),
            case_weights(later.sessions, power=power),
            later.sessions,
            seed=seed,
            draws=draws,
        )
        for figure, difference in found.items():
            yield view, figure, difference
