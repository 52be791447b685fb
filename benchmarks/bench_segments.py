"""What live membership of segments and an experiment's arm cost a page, beside reading the state and the features.

    python benchmarks/bench_segments.py [--calls 20000] [--report-only]

Judges one visit by every built-in segment, compiled once, with a score that is known; and a rule of twenty conditions.
Then draws the arm of an anonymous visitor in an experiment of two arms with a group and a holdout.
What counts is processor time a call, at the median of twenty rounds; ends with 1 past the limit. No database is asked:
on a page the segments are read every five seconds, once for all requests.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "demo_shop.settings")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import django

django.setup()

from purchase_intent.experiments.active import Ready  # noqa: E402
from purchase_intent.experiments.assigning import Unit, given_arm  # noqa: E402
from purchase_intent.features.live import read_vector  # noqa: E402
from purchase_intent.features.state import PAST_LAYOUT, STATE_LAYOUT, Past, State  # noqa: E402
from purchase_intent.scoring.answer import Intent, Standing  # noqa: E402
from purchase_intent.segments.compiled import Compiled, compiled  # noqa: E402
from purchase_intent.segments.presets import PRESETS  # noqa: E402
from purchase_intent.segments.rules import Rule  # noqa: E402
from purchase_intent.segments.subject import Subject  # noqa: E402
from purchase_intent.stats.bucketing import Allocation, Holdout, Layer  # noqa: E402

LIMIT = 20.0
"""Microseconds for one segment whose score and features are not worked out yet."""
ROUNDS = 20
START = 1_772_366_400_000
STATE = State(start=START, last=START + 60_000, events=9, stage=3, cart_units=2, cart_value=39.9, hour=19, weekday=5)
PAST = Past(sessions=3, purchases=1, first_seen=START - 10**9, last_seen=START - 10**8, starts=[START - 10**8] * 4)
ALLOCATION = Allocation(
    salt="bar",
    arms=("plain", "bar"),
    weights=(0.5, 0.5),
    traffic=0.99,
    layer=Layer("group:checkout", 0.0, 1.0),
    holdout=Holdout("holdout:never", 0.0001),
)
EXPERIMENT = Ready(
    pk=1,
    key="bar",
    is_running=True,
    default="plain",
    segment="",
    is_bandit=False,
    allocation=ALLOCATION,
    arms={"plain": 1, "bar": 2},
)
UNIT = Unit(key="0123456789abcdef" * 2)
SCORED = Intent(standing=Standing.SCORED, probability=0.4, band="top_5")


def subject() -> Subject:
    """The visit, of which nothing has been worked out."""
    return Subject(STATE, PAST, START + 90_000, intent=lambda: SCORED)


def cost(act: Callable[[], object], calls: int) -> float:
    """Microseconds of the processor a call, at the median."""
    act()
    found = []
    each = max(calls // ROUNDS, 1)
    for _ in range(ROUNDS):
        began = time.process_time()
        for _ in range(each):
            act()
        found.append((time.process_time() - began) / each * 1e6)
    return statistics.median(found)


def long_rule() -> Compiled:
    """Twenty conditions on features, all of which hold."""
    rows = [
        {"field": "cart_units", "operator": ">=", "value": 1},
        {"field": "hour", "operator": ">=", "value": 18},
    ] * 10
    return compiled(Rule.from_json({"match": "all", "conditions": rows}))


def main() -> int:
    """Print the table; 1 where a segment costs more than the limit."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--calls", type=int, default=20_000)
    parser.add_argument("--report-only", action="store_true", help="end with 0 whatever was measured")
    asked = parser.parse_args()
    state, past = STATE_LAYOUT.dumps(STATE), PAST_LAYOUT.dumps(PAST)
    built_in = {preset.key: compiled(Rule.from_json(preset.rule)) for preset in PRESETS}

    def everything() -> None:
        visit = subject()
        for each in built_in.values():
            each.holds(visit)

    twenty = long_rule()
    told(
        "reading state and past from their bytes",
        cost(lambda: (STATE_LAYOUT.loads(state), PAST_LAYOUT.loads(past)), asked.calls),
    )
    told("the features", cost(lambda: read_vector(STATE, PAST, START), asked.calls))
    worst = 0.0
    for key, each in built_in.items():
        worst = max(worst, told(key, cost(lambda each=each: each.holds(subject()), asked.calls)))  # type: ignore[misc]
    told(f"all {len(built_in)} built-in segments of a visit", cost(everything, asked.calls))
    told("one rule of 20 conditions on features", cost(lambda: twenty.holds(subject()), asked.calls))
    arm = told(
        "the arm of an anonymous visitor",
        cost(lambda: given_arm(EXPERIMENT, UNIT, shown=dict, is_in=bool), asked.calls),
    )
    worst = max(worst, arm)
    print(f"limit for one built-in segment, or arm: {LIMIT:.0f}; the dearest took {worst:.1f}")
    return 0 if worst <= LIMIT or asked.report_only else 1


def told(label: str, microseconds: float) -> float:
    """Print a line; the figure."""
    print(f"{label:<48}{microseconds:>8.2f} us")
    return microseconds


if __name__ == "__main__":
    raise SystemExit(main())
