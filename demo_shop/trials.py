"""The demo's three experiments: what is tried, and what it truly does to the simulated shoppers.

Effects are far larger than in a real shop, since a demo has few visitors. docs/demo-shop.md says what they come to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from demo_shop.simulator.moves import Move
from demo_shop.simulator.trials import Effect, Trial
from purchase_intent.events.names import Page

__all__ = ["BAR", "LAYOUT", "MOVED", "RUNNING_DAYS", "TRIED", "VIP", "Tried", "trials"]

RUNNING_DAYS = 28
"""Whole local days that the demo's experiments have run before today."""

BAR, VIP, LAYOUT = "free-shipping-bar", "vip-offer", "product-layout"
PHONE, DESKTOP, TABLET = 0, 1, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """One experiment: the first arm is the control, and both get one half. `lost`: see `simulator.trials.Trial`."""

    title: str
    hypothesis: str
    arms: tuple[tuple[str, str], tuple[str, str]]
    pages: tuple[Page, ...]
    effects: tuple[Effect, ...]
    lost: Mapping[str, float] = field(default_factory=dict)

    @property
    def keys(self) -> tuple[str, str]:
        """The keys of both arms."""
        return self.arms[0][0], self.arms[1][0]


TRIED = MappingProxyType(
    {
        BAR: Tried(
            title="Free shipping bar",
            hypothesis="Who sees on every product how little is missing to free delivery goes through with the order.",
            arms=(("plain", "No bar"), ("bar", "With the bar")),
            pages=(Page.PRODUCT, Page.BASKET),
            effects=(
                Effect("bar", (Move.CART, Move.BASKET), 0.4),
                Effect("bar", (Move.CHECKOUT, Move.PAYMENT, Move.REVIEW, Move.PURCHASE), 0.6),
            ),
        ),
        VIP: Tried(
            title="VIP offer",
            hypothesis="An offer for members at the head of the shelves makes visitors fill a basket.",
            arms=(("none", "No offer"), ("offer", "With the offer")),
            pages=(Page.HOME, Page.LISTING),
            effects=(
                Effect("offer", (Move.CART,), 0.75, (DESKTOP, TABLET)),
                Effect("offer", (Move.CART,), -0.75, (PHONE,)),
            ),
        ),
        LAYOUT: Tried(
            title="Product page layout",
            hypothesis="A larger picture above the facts sells more than one beside them.",
            arms=(("beside", "Picture beside the facts"), ("above", "Picture above the facts")),
            pages=(Page.PRODUCT,),
            effects=(),
            lost=MappingProxyType({"above": 0.3}),
        ),
    }
)
"""By key."""

MOVED = MappingProxyType({BAR: 0.3, VIP: 0.35})
"""In the running shop: the share of the baskets that would be left which are ordered because of the bar, and the share
of the products that phones put off taking because of the offer; at a desk a quarter as many are taken more, a look."""


def trials(begin: datetime) -> tuple[Trial, ...]:
    """The experiments for the simulator, in this order, from `begin` (aware) on."""
    return tuple(
        Trial(
            key=key,
            arms=tried.keys,
            weights=(0.5, 0.5),
            begin=int(begin.timestamp() * 1000),
            pages=tried.pages,
            effects=tried.effects,
            lost=tried.lost,
        )
        for key, tried in TRIED.items()
    )
