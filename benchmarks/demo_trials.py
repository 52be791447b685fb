"""What the demo shop's experiments truly do: ten times its shoppers, and their 7 days after being shown an arm.

    python benchmarks/demo_trials.py [--days 28] [--sessions-per-day 3000] [--seed 7]

It is a measurement: it ends with 0 whatever it finds.
"""

from __future__ import annotations

import argparse
import os
import sys
from datetime import UTC, date, datetime
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "demo_shop.settings")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from numpy.typing import NDArray

from demo_shop.simulator import Plan, simulate
from demo_shop.simulator.rows import VISITS, Table
from demo_shop.trials import TRIED, trials
from purchase_intent.events.names import EventName

WINDOW = 7 * 86_400_000
OUTCOMES = {"order": EventName.PURCHASE, "fill a basket": EventName.CART}
DEVICES = {"all": (0, 1, 2), "phones": (0,), "desks": (1,)}


def did(shown: Table, rows: Table) -> NDArray[np.bool_]:
    """Who of those shown an arm did something after it, within the window."""
    at = dict(zip((shown["session"] // VISITS).tolist(), shown["time"].tolist(), strict=True))
    visitors = (rows["session"] // VISITS).tolist()
    counted = {
        visitor
        for visitor, time in zip(visitors, rows["time"].tolist(), strict=True)
        if visitor in at and at[visitor] < time <= at[visitor] + WINDOW
    }
    return np.array([visitor in counted for visitor in at])


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--days", type=int, default=28)
    options.add_argument("--sessions-per-day", type=float, default=3000)
    options.add_argument("--seed", type=int, default=7)
    given = options.parse_args()
    plan = Plan(
        start=date(2026, 3, 2),
        days=given.days,
        sessions_per_day=given.sessions_per_day,
        seed=given.seed,
        zone="UTC",
        trials=trials(datetime(2026, 3, 2, tzinfo=UTC)),
    )
    pieces = [(piece.rows, piece.shown) for piece in simulate(plan)]
    rows, shown = (np.concatenate(parts) for parts in zip(*pieces, strict=True))
    for place, (key, tried) in enumerate(TRIED.items()):
        own = np.sort(shown[shown["trial"] == place], order="time")
        own = own[np.sort(np.unique(own["session"] // VISITS, return_index=True)[1])]
        for name, kind in OUTCOMES.items():
            done = did(own, rows[rows["kind"] == kind])
            for device, places in DEVICES.items():
                arms = [np.isin(own["device"], places) & (own["arm"] == arm) for arm in (0, 1)]
                counts, shares = [int(arm.sum()) for arm in arms], [float(done[arm].mean()) for arm in arms]
                told = ", ".join(
                    f"{arm} {share:.2%} of {count:,}"
                    for arm, share, count in zip(tried.keys, shares, counts, strict=True)
                )
                print(f"{key:18} {name:14} {device:7} {told}; {shares[1] / shares[0] - 1:+.1%}")


if __name__ == "__main__":
    main()
