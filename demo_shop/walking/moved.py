"""What the arms of experiments on the pages do to a shopper in the running shop, with the chances that `trials` says.

A visit is planned before anybody knows its arms. So an arm adds to the plan or takes from it: a basket that would be
left is ordered, a product that would be passed over is taken, or the other way round.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from demo_shop.trials import BAR, MOVED, VIP
from demo_shop.walking.pages import Page
from demo_shop.walking.visits import Step, Visit
from purchase_intent.events.names import EventName

__all__ = ["Moved"]


@dataclass(slots=True)
class Moved:
    """One visit's reaction. `arms` are those that were seen, as `data-arm` on a page: "key:arm"."""

    visit: Visit
    chance: random.Random
    arms: set[str] = field(default_factory=set)
    has_goods: bool = False

    def see(self, page: Page, done: Step) -> None:
        """Take in what a page shows after a step."""
        self.arms |= page.arms
        if done.kind is EventName.CART:
            self.has_goods = True
        elif done.kind is EventName.PURCHASE:
            self.has_goods = False

    def passes_over(self, step: Step) -> bool:
        """Whether a shopper on a phone is put off a product by the offer that covers it."""
        is_wanted = step.kind is EventName.CART and self.visit.device == "mobile"
        return is_wanted and f"{VIP}:offer" in self.arms and self.chance.random() < MOVED[VIP]

    def takes_too(self, step: Step) -> bool:
        """Whether the offer makes a shopper at a desk take a product that was only looked at."""
        is_seen = step.kind is EventName.VIEW and self.visit.device != "mobile" and not self.has_goods
        return is_seen and f"{VIP}:offer" in self.arms and self.chance.random() < MOVED[VIP] / 4

    def orders_after_all(self) -> bool:
        """Whether the bar makes a shopper order what would be left in the basket."""
        return self.has_goods and f"{BAR}:bar" in self.arms and self.chance.random() < MOVED[BAR]
