"""How long a score takes from a session's stored bytes to an answer, beside the learners' own calls.

    python benchmarks/bench_score.py [--calls 500] [--bundle FILE | --log FILE [--zone NAME]] [--report-only]

Takes the model of a bundle that `intent_train` made, else learns one of the shipped log with default parameters. Then
it answers for one session again and again: bytes of state and past, vector, ensemble, band. What counts is the median
of the processor's time; ends with 1 past the limit. A learner's own call is what a member falls back to for a model it
cannot read. Beside scikit-learn's vote, one row is measured by `bench_row.py`.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "demo_shop.settings")
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import django  # noqa: E402

django.setup()

from purchase_intent.conf import bundle_keys  # noqa: E402
from purchase_intent.exceptions import BundleRefused  # noqa: E402
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


def learnt(log: Path, zone: str) -> IntentEnsemble:
    """A model of the log, as a process that serves reads it from a bundle."""
    with open_log([log], zone=zone) as opened:
        sample = build_sample(opened, seed=3, progress=_silent)
    ensemble = IntentEnsemble.fit(sample, seed=3)
    return load(dump(ensemble, schema=schema_hash(), facts={}, key=b"k"), schema=schema_hash(), key=b"k")


def read(bundle: Path) -> IntentEnsemble:
    """The model of a bundle signed with this project's key."""
    return load(bundle.read_bytes(), schema=schema_hash(), key=bundle_keys()[0])


def _silent(_step: str) -> None:
    """Tell nobody."""


def median(act: Callable[[], object], calls: int) -> tuple[float, float]:
    """Microseconds of the processor, all threads of this process, and by the clock, both at the median."""
    act()
    spent, waited = [], []
    for _ in range(calls):
        began, clock = time.process_time(), time.perf_counter()
        act()
        spent.append(time.process_time() - began)
        waited.append(time.perf_counter() - clock)
    return statistics.median(spent) * 1e6, statistics.median(waited) * 1e6


def told(label: str, figures: tuple[float, float], remark: str = "") -> float:
    """Print a line; the processor's microseconds."""
    print(f"{label:<40}{figures[0]:>10.0f}{figures[1]:>10.0f}  {remark}".rstrip())
    return figures[0]


def by_member(model: IntentEnsemble, encoded: Any, calls: int) -> None:
    """Print what each member takes for one row: as served, by its own call, and with its reasons."""
    few = max(calls // 10, 5)
    for name, member in model.members.items():
        told(f"  {name} ({member.rounds} rounds)", median(partial(member.log_odds, encoded), calls))
        told("    its learner's own call", median(partial(member._margins, encoded, 1), calls))  # noqa: SLF001
        told("    its reasons", median(partial(member.contributions, encoded), few))


def options() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--calls", type=int, default=500)
    parser.add_argument("--bundle", type=Path, help="a bundle of this project's, from intent_train")
    parser.add_argument("--log", type=Path, default=ROOT / "fixtures" / "log.parquet", help="learn of this log instead")
    parser.add_argument("--zone", default="Europe/Berlin", help="the time zone of the log's shop")
    parser.add_argument("--report-only", action="store_true", help="end with 0 even where a limit is missed")
    return parser.parse_args()


def main() -> int:
    """Measure, print, and say by the exit code whether the limits hold."""
    asked_for = options()
    began = time.perf_counter()
    try:
        model = read(asked_for.bundle) if asked_for.bundle else learnt(asked_for.log, asked_for.zone)
    except (OSError, BundleRefused) as refused:
        print(refused, file=sys.stderr)
        return 2
    ready = time.perf_counter() - began
    version: Any = SimpleNamespace(pk=1, bundle_sha256="")
    # As loaded a moment ago, and not to be looked up again.
    serving._seats["session"] = serving._Seat(serving=serving.Serving(version, model), looked_at=float("inf"))  # noqa: SLF001
    now = milliseconds(AT)
    state = State(start=now - 90_000, last=now, events=5, moments=5, steps=5, stage=3, cart_units=1, cart_value=30.0)
    packed, past = STATE_LAYOUT.dumps(state), PAST_LAYOUT.dumps(Past(sessions=2, last_seen=now - 10**8))
    row = read_row(STATE_LAYOUT.loads(packed), PAST_LAYOUT.loads(past), now)

    def asked(reasons: int) -> Intent:
        return answer(STATE_LAYOUT.loads(packed), PAST_LAYOUT.loads(past), at=AT, reasons=reasons, is_kept=False)

    began = time.perf_counter()
    asked(0)
    first = time.perf_counter() - began
    print(f"{'read' if asked_for.bundle else 'learnt'} in {ready:.1f} s, first answer {first:.2f} s after that")
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; microseconds at the median: processor, clock")
    by_member(model, model.encoder.transform(row), asked_for.calls)
    plain = median(lambda: asked(0), asked_for.calls)
    full = median(lambda: asked(3), max(asked_for.calls // 10, 5))
    told("from stored state to answer", plain, f"limit {LIMIT:,.0f}, ratio {plain[0] / LIMIT:.2f}")
    told("with three reasons", full, f"limit {REASONS_LIMIT:,.0f}, ratio {full[0] / REASONS_LIMIT:.2f}")
    missed = plain[0] > LIMIT or full[0] > REASONS_LIMIT
    return 1 if missed and not asked_for.report_only else 0


if __name__ == "__main__":
    sys.exit(main())
