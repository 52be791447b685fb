"""What a visit leaves behind: whether and when the visitor comes back, and what is still wanted then."""

from __future__ import annotations

import numpy as np

from demo_shop.simulator.chance import Floats, Ints, normal, uniform
from demo_shop.simulator.rhythm import HOUR_MS, Rhythm
from demo_shop.simulator.rows import VISITS, Table
from demo_shop.simulator.shoppers import Party

__all__ = ["after_visit"]

_DAY_MS = 24 * HOUR_MS
_SOONEST = 35 * 60_000  # longer than the pause that ends a session
_LONGEST = 60 * _DAY_MS
_SAME_DAY = 0.40
_FORGETTING = 8.0 * _DAY_MS  # time after which 1/e of the want is left


def after_visit(party: Party, rhythm: Rhythm, end: int) -> Table:
    """The memories of those who come back before `end` (milliseconds since 1970 UTC), with the time of their return."""
    held = party.quantity.sum(axis=1) > 0
    account = party.memory["account"]
    logit = -1.45 + 0.30 * party.desire + 0.45 * held + 0.5 * account + 0.5 * (party.memory["visit"] > 0)
    stays = uniform(party.key, 31) < 1.0 / (1.0 + np.exp(-logit))
    time = _return_time(party, rhythm)
    memory = party.memory
    gap = (time - party.time).astype(np.float64)
    # Only a part of the wish outlives the visit; lasting taste is drawn from the visitor anyway.
    memory["want"] = np.clip(0.55 * (party.desire + 0.3 * held), -1.0, 1.6) * np.exp(-gap / _FORGETTING)
    memory["time"] = time
    memory["visit"] += 1
    memory["shelf"] = party.shelf
    memory["cart_slot"] = party.slot
    memory["cart"] = party.cart
    memory["quantity"] = party.quantity
    memory["orders"] += party.orders
    back: Table = memory[stays & (time < end) & (memory["visit"] < VISITS)]
    return back


def _return_time(party: Party, rhythm: Rhythm) -> Ints:
    """Hours later (exponential, mean 3 h) or days later (log-normal, median 2.6 d) at an hour people shop at."""
    soon = _SOONEST - 3.0 * HOUR_MS * np.log(uniform(party.key, 32))
    days: Floats = 2.6 * np.exp(1.1 * normal(party.key, 33)) * _DAY_MS
    later = rhythm.at_usual_hour(party.time + np.clip(days, _DAY_MS, _LONGEST).astype(np.int64), uniform(party.key, 34))
    chosen = np.where(uniform(party.key, 35) < _SAME_DAY, party.time + soon.astype(np.int64), later)
    return np.asarray(np.maximum(chosen, party.time + _SOONEST), dtype=np.int64)
