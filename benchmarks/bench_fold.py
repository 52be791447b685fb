"""How fast the fold is: over history on one core, and for one live event from stored bytes and back.

    python benchmarks/bench_fold.py [--events 1000000] [--repeats 7] [--report-only]

Prints each figure beside its limit; ends with 1 where one is missed, unless only a report is asked for. What counts is
the processor's time, the best of several runs: on a quiet machine it is the time on the clock, on a busy one it leaves
out what the core did for others meanwhile. The clock's time stands beside it.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from dataclasses import fields
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from purchase_intent.events.names import EventName, Page
from purchase_intent.features.history import replay
from purchase_intent.features.hit import HIT, Hit
from purchase_intent.features.live import read_row
from purchase_intent.features.observe import observe
from purchase_intent.features.schema import FEATURES
from purchase_intent.features.state import PAST_LAYOUT, STATE_LAYOUT, Past, State

EVENTS_A_SECOND = 5_000_000.0
"""The compiled fold with every vector, on one core."""
MICROSECONDS_AN_EVENT = 25.0
"""One live event: load state and past, observe, read the vector, dump both."""
CHUNK = 50_000
"""Events of one call: what fits the cache is what a batch is cut into."""


LIVE_EVENTS = 1000


class Times(NamedTuple):
    """Seconds of one piece of work."""

    processor: float
    clock: float


def synthetic(events: int, seed: int = 7) -> tuple[NDArray[np.void], NDArray[np.int64], NDArray[np.int64]]:
    """Sessions of six events on average, one visitor for every 1.3 of them, as in a real shop; sorted, with slots."""
    chance = np.random.default_rng(seed)
    session = np.cumsum(chance.random(events) < 1 / 6, dtype=np.int64)
    session = session - session[0]
    visitor = (session / 1.3).astype(np.int64)
    hits = np.zeros(events, HIT)
    hits["time"] = 1_700_000_000_000 + np.cumsum(chance.integers(0, 60_000, events))
    hits["kind"] = chance.choice([EventName.PAGE_VIEW, EventName.VIEW, EventName.CART], events, p=[0.6, 0.35, 0.05])
    hits["page"] = chance.choice([Page.HOME, Page.LISTING, Page.PRODUCT, Page.BASKET], events)
    hits["product"] = chance.integers(1, 5000, events) * (hits["kind"] != EventName.PAGE_VIEW)
    hits["category"] = hits["product"] % 40
    hits["brand"] = hits["product"] % 90
    hits["price"] = chance.lognormal(3.5, 1, events)
    hits["hour"], hits["weekday"] = chance.integers(0, 24, events), chance.integers(0, 7, events)
    hits["device"], hits["channel"], hits["country"] = 11, 12, 13
    hits["product_views"], hits["product_carts"], hits["product_buys"] = 500, 30, 5
    hits["category_views"], hits["category_carts"], hits["category_cents"] = 9000, 300, 40_000_000
    hits["shop_sessions"], hits["shop_buyers"] = 60_000, 900
    return hits, visitor, session


def chunks(
    hits: NDArray[np.void], visitor: NDArray[np.int64], session: NDArray[np.int64]
) -> list[tuple[NDArray[np.void], NDArray[np.int64], NDArray[np.int64]]]:
    """Pieces of whole visitors, with slots from 0, as a source hands them out."""
    starts = np.flatnonzero(np.diff(visitor, prepend=-1))
    cuts = np.unique(starts[np.searchsorted(starts, np.arange(0, len(hits), CHUNK))])
    ends = [*cuts[1:], len(hits)]
    return [(hits[a:b], visitor[a:b] - visitor[a], session[a:b] - session[a]) for a, b in zip(cuts, ends, strict=True)]


def seconds_over_history(events: int, repeats: int) -> Times:
    """Seconds over all events; compiling and the first touch of the buffer come before."""
    parts = chunks(*synthetic(events))
    out = np.zeros((max(len(part[0]) for part in parts), len(FEATURES)), np.float32)
    replay(*parts[0], out)

    def run() -> None:
        for part in parts:
            replay(*part, out)

    return timed(run, repeats)


def seconds_of_live_events(repeats: int) -> Times:
    """Seconds of LIVE_EVENTS events, each from stored bytes to stored bytes with a vector between."""
    names = [item.name for item in fields(Hit)]
    hits = [Hit(**dict(zip(names, row.item(), strict=True))) for row in synthetic(LIVE_EVENTS)[0]]

    def run() -> None:
        state_bytes, past_bytes = STATE_LAYOUT.dumps(State()), PAST_LAYOUT.dumps(Past())
        for hit in hits:
            state, past = STATE_LAYOUT.loads(state_bytes), PAST_LAYOUT.loads(past_bytes)
            observe(state, hit)
            read_row(state, past, hit.time)
            state_bytes, past_bytes = STATE_LAYOUT.dumps(state), PAST_LAYOUT.dumps(past)

    return timed(run, repeats)


def timed(run: Callable[[], None], repeats: int) -> Times:
    """The best seconds of `repeats` runs, by the processor and by the clock."""
    processor, clock = [], []
    for _ in range(repeats):
        began, start = time.thread_time(), time.perf_counter()
        run()
        processor.append(time.thread_time() - began)
        clock.append(time.perf_counter() - start)
    return Times(min(processor), min(clock))


def main() -> int:
    """Measure, print, and say by the exit code whether both limits hold."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--report-only", action="store_true", help="end with 0 even where a limit is missed")
    options = parser.parse_args()

    history = seconds_over_history(options.events, options.repeats)
    live = seconds_of_live_events(options.repeats * 5)
    load = " ".join(f"{value:.1f}" for value in os.getloadavg())
    print(f"{len(FEATURES)} features, {options.events:,} events, load {load} on {os.cpu_count()} cores")
    print(f"{'':<26}{'processor':>12}{'clock':>12}{'limit':>12}{'ratio':>8}")
    speed, clock_speed = options.events / history.processor, options.events / history.clock
    ratio = speed / EVENTS_A_SECOND
    print(f"{'history, events a second':<26}{speed:>12,.0f}{clock_speed:>12,.0f}{EVENTS_A_SECOND:>12,.0f}{ratio:>8.2f}")
    cost, clock_cost = live.processor / LIVE_EVENTS * 1e6, live.clock / LIVE_EVENTS * 1e6
    share = cost / MICROSECONDS_AN_EVENT
    print(f"{'one live event, µs':<26}{cost:>12.1f}{clock_cost:>12.1f}{MICROSECONDS_AN_EVENT:>12.1f}{share:>8.2f}")
    missed = [name for name, bad in (("history", ratio < 1), ("live", share > 1)) if bad]
    print(
        f"missed: {', '.join(missed)}" if missed else "both limits hold: history's ratio is 1 or more, live's 1 or less"
    )
    return 1 if missed and not options.report_only else 0


if __name__ == "__main__":
    sys.exit(main())
