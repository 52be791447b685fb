"""Who comes and in what mood: a visitor's lasting traits, and the hidden state a session starts with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from demo_shop.simulator.chance import Floats, Ints, Keys, join, mix, normal, pick, uniform
from demo_shop.simulator.rhythm import Rhythm
from demo_shop.simulator.rows import Table, session_number

__all__ = ["Party", "open_sessions", "visitor_keys"]

_DEVICE_SHARE = np.array([0.60, 0.35, 0.05])
_DEVICE_WISH = np.array([-0.22, 0.30, 0.12])
_SECOND_DEVICE = 0.35
_OTHER_DEVICE_TODAY = 0.25
_COUNTRY_SHARE = np.array([0.56, 0.12, 0.08, 0.10, 0.08, 0.06])
_COUNTRY_WISH = np.array([0.10, 0.05, 0.0, -0.05, -0.20, -0.25])
# Organic, direct, paid, social, referral, email, affiliates.
_CHANNEL_NEW = np.array([0.40, 0.14, 0.18, 0.15, 0.07, 0.01, 0.05])
_CHANNEL_BACK = np.array([0.26, 0.36, 0.10, 0.06, 0.05, 0.15, 0.02])
_CHANNEL_WISH = np.array([0.0, 0.12, 0.10, -0.70, 0.25, 0.30, -0.25])
_SOBER = -0.2  # the middle of the wish to buy, which sets the conversion rate
_HAS_ACCOUNT = 0.16
_OWN_DEPARTMENT = np.array([0.29, 0.26, 0.18, 0.13, 0.14])  # in the catalogue's order
_TRUE_TO_DEPARTMENT = 0.6
_BACK_TO_SHELF = 0.65


@dataclass(slots=True)
class Party:
    """Sessions that run side by side: one entry of every column for each."""

    memory: Table
    key: Keys
    visitor_key: Keys
    session: Ints
    time: Ints
    first: Ints  # time of the first event
    slot: Ints  # which of the visitor's two devices
    device: Ints
    channel: Ints
    country: Ints
    user: Ints
    desire: Floats
    arrival: Floats  # desire on arrival
    energy: Floats
    hoard: Floats
    shelf: Ints
    product: Ints
    page: Ints
    pleased: Floats  # how well the favourite matched
    cart: Ints  # [n, CART_LINES]
    quantity: Ints
    cart_value: Floats
    orders: Ints  # placed in this session

    def __len__(self) -> int:
        return len(self.session)


def visitor_keys(seed: int, visitor: Ints) -> Keys:
    """The keys of visitors' chances under a seed."""
    return join(mix(np.full(visitor.shape, seed, dtype=np.uint64)), visitor)


def open_sessions(memory: Table, rhythm: Rhythm, departments: Ints, seed: int) -> Party:
    """The sessions that `memory` announces, before their first event. `departments` is each shelf's department."""
    lasting = visitor_keys(seed, memory["visitor"])
    key = join(lasting, memory["visit"])
    index = rhythm.index(memory["time"])
    back = memory["visit"] > 0
    slot, device = _devices(lasting, key)
    country = pick(uniform(lasting, 6), _COUNTRY_SHARE)
    channel = np.where(back, pick(uniform(key, 1), _CHANNEL_BACK), pick(uniform(key, 1), _CHANNEL_NEW))
    memory["account"] |= ~back & (uniform(lasting, 7) < _HAS_ACCOUNT)
    desire = _SOBER + 0.75 * normal(lasting, 1) + 0.95 * normal(key, 2) + memory["want"] + rhythm.wish(index)
    desire += _DEVICE_WISH[device] + _COUNTRY_WISH[country] + _CHANNEL_WISH[channel]
    known = memory["signed"][np.arange(len(memory)), slot]
    same_cart = known | (memory["cart_slot"] == slot)
    cart = np.where(same_cart[:, None], memory["cart"], -1)
    return Party(
        memory=memory,
        key=key,
        visitor_key=lasting,
        session=session_number(memory["visitor"], memory["visit"]),
        time=memory["time"].copy(),
        first=memory["time"].copy(),
        slot=slot,
        device=device,
        channel=channel,
        country=country,
        user=memory["visitor"] * 4 + np.where(known, 0, slot + 1),
        desire=desire,
        arrival=desire.copy(),
        energy=0.6 * normal(lasting, 8) + 0.8 * normal(key, 3),
        hoard=0.7 * normal(lasting, 9) + 0.5 * normal(key, 4),
        shelf=_shelves(memory, lasting, key, rhythm.departments(index), departments),
        product=np.full(len(memory), -1),
        page=np.zeros(len(memory), dtype=np.int64),
        pleased=np.where(memory["favourite"] >= 0, 0.5, -9.0),
        cart=cart,
        quantity=np.where(cart >= 0, memory["quantity"], 0),
        cart_value=np.zeros(len(memory)),
        orders=np.zeros(len(memory), dtype=np.int64),
    )


def _devices(lasting: Keys, key: Keys) -> tuple[Ints, Ints]:
    """Slot (0 the usual device, 1 the other) and device class of each session."""
    usual = pick(uniform(lasting, 3), _DEVICE_SHARE)
    other = np.where(usual == 0, 1, 0)
    slot = (uniform(lasting, 4) < _SECOND_DEVICE) & (uniform(key, 5) < _OTHER_DEVICE_TODAY)
    return slot.astype(np.int64), np.where(slot, other, usual)


def _shelves(memory: Table, lasting: Keys, key: Keys, shares: Floats, departments: Ints) -> Ints:
    """The shelf each session has in mind: the last one again, or one of the visitor's or the season's department."""
    own = pick(uniform(lasting, 5), _OWN_DEPARTMENT)
    department = np.where(uniform(key, 6) < _TRUE_TO_DEPARTMENT, own, pick(uniform(key, 7), shares))
    per_department = len(departments) // shares.shape[1]
    fresh = department * per_department + (uniform(key, 8) ** 1.4 * per_department).astype(np.int64)
    again = (memory["shelf"] >= 0) & (uniform(key, 9) < _BACK_TO_SHELF)
    return np.where(again, memory["shelf"], fresh)
