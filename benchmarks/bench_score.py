"""How long a score takes from a session's stored bytes to an answer, beside the way of a data frame.

    python benchmarks/bench_score.py [--calls 500] [--log FILE] [--report-only]

Learns a model of the shipped log with default parameters, then answers for one session again and again: bytes of state
and past, vector, ensemble, band. What counts is the median of the processor's time; ends with 1 past the limit.
The data frame's way asks the same members through pandas, a matrix of each library's own and no shortcuts for one row.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "demo_shop.settings")
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import django  # noqa: E402

django.setup()

import catboost  # noqa: E402
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
import xgboost  # noqa: E402

from purchase_intent.features.live import read_row  # noqa: E402
from purchase_intent.features.schema import schema_hash  # noqa: E402
from purchase_intent.features.state import PAST_LAYOUT, STATE_LAYOUT, Past, State  # noqa: E402
from purchase_intent.learning import IntentEnsemble, dump, load  # noqa: E402
from purchase_intent.scoring import serving  # noqa: E402
from purchase_intent.scoring.answer import Intent  # noqa: E402
from purchase_intent.scoring.score import answer, milliseconds  # noqa: E402
from purchase_intent.sources import open_log  # noqa: E402
from purchase_intent.training.dataset import build_sample  # noqa: E402

LIMIT = 1000.0
"""Microseconds from stored state to answer."""
REASONS_LIMIT = 12_000.0
"""Microseconds with reasons."""
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def learnt(log: Path) -> IntentEnsemble:
    """A model of the log, as a process that serves reads it from a bundle."""
    with open_log([log], zone="America/New_York") as opened:
        sample = build_sample(opened, seed=3, progress=_silent)
    ensemble = IntentEnsemble.fit(sample, seed=3)
    return load(dump(ensemble, schema=schema_hash(), facts={}, key=b"k"), schema=schema_hash(), key=b"k")


def _silent(_step: str) -> None:
    """Tell nobody."""


def median(act: Callable[[], object], calls: int) -> float:
    """Microseconds of the processor, at the median."""
    act()
    spent = []
    for _ in range(calls):
        began = time.thread_time()
        act()
        spent.append(time.thread_time() - began)
    return statistics.median(spent) * 1e6


def by_frame(model: IntentEnsemble, row: Any) -> float:
    """The same members, asked through a data frame."""
    frame = pd.DataFrame(model.encoder.transform(np.repeat(row, 2, axis=0))[:1], columns=list(model.names))
    members, total = model.members, 0.0
    for name, weight in model.weights.items():
        learner = members[name].model
        if name == "catboost":
            margin = learner.predict(catboost.Pool(frame), prediction_type="RawFormulaVal")
        elif name == "lightgbm":
            margin = learner.predict(frame, raw_score=True)
        else:
            margin = learner.predict(xgboost.DMatrix(frame), output_margin=True, validate_features=False)
        total += weight * float(margin[0])
    return total


def main() -> int:
    """Measure, print, and say by the exit code whether the limits hold."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--calls", type=int, default=500)
    parser.add_argument("--log", type=Path, default=ROOT / "fixtures" / "log.parquet")
    parser.add_argument("--report-only", action="store_true", help="end with 0 even where a limit is missed")
    options = parser.parse_args()
    model = learnt(options.log)
    version: Any = SimpleNamespace(pk=1, bundle_sha256="")
    # As loaded a moment ago, and not to be looked up again.
    serving._seats["session"] = serving._Seat(serving=serving.Serving(version, model), looked_at=float("inf"))  # noqa: SLF001
    now = milliseconds(AT)
    state = State(start=now - 90_000, last=now, events=5, moments=5, steps=5, stage=3, cart_units=1, cart_value=30.0)
    packed, told = STATE_LAYOUT.dumps(state), PAST_LAYOUT.dumps(Past(sessions=2, last_seen=now - 10**8))
    row = read_row(STATE_LAYOUT.loads(packed), PAST_LAYOUT.loads(told), now)
    encoded = model.encoder.transform(row)

    def asked(reasons: int) -> Intent:
        return answer(STATE_LAYOUT.loads(packed), PAST_LAYOUT.loads(told), at=AT, reasons=reasons)

    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; microseconds at the median")
    for name, member in model.members.items():
        spent = median(lambda member=member: member.log_odds(encoded), options.calls)  # type: ignore[misc]
        print(f"{'  ' + name + f' ({member.rounds} rounds)':<40}{spent:>10.0f}")
    plain = median(lambda: asked(0), options.calls)
    full = median(lambda: asked(3), max(options.calls // 10, 5))
    frame = median(lambda: by_frame(model, row), max(options.calls // 5, 5))
    print(f"{'from stored state to answer':<40}{plain:>10.0f}  limit {LIMIT:,.0f}, ratio {plain / LIMIT:.2f}")
    print(f"{'with three reasons':<40}{full:>10.0f}  limit {REASONS_LIMIT:,.0f}, ratio {full / REASONS_LIMIT:.2f}")
    print(f"{'members through a data frame':<40}{frame:>10.0f}  {frame / plain:.1f} times the answer")
    missed = plain > LIMIT or full > REASONS_LIMIT
    return 1 if missed and not options.report_only else 0


if __name__ == "__main__":
    sys.exit(main())
