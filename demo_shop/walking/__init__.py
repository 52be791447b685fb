"""Simulated shoppers who walk the running shop over HTTP: see docs/simulator.md."""

from demo_shop.walking.browser import Browser, ShopGone
from demo_shop.walking.shopper import Crowd, Shopper
from demo_shop.walking.tally import Refusal, Tally
from demo_shop.walking.visits import Step, Visit, visits
from demo_shop.walking.walk import AT_ONCE, WalkRefused, check_shop, own_root, walk

__all__ = [
    "AT_ONCE",
    "Browser",
    "Crowd",
    "Refusal",
    "ShopGone",
    "Shopper",
    "Step",
    "Tally",
    "Visit",
    "WalkRefused",
    "check_shop",
    "own_root",
    "visits",
    "walk",
]
