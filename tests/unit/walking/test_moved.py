"""What the arms that a page shows do to a shopper on a walk: only to whom, and as often, as the demo's truth says."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from demo_shop.trials import BAR, MOVED, TRIED, VIP
from demo_shop.walking.moved import Moved
from demo_shop.walking.pages import Page, read_page
from demo_shop.walking.visits import Step, Visit
from purchase_intent.events.names import EventName
from purchase_intent.events.names import Page as Place

STEP = Step(at=0, kind=EventName.VIEW, page=Place.PRODUCT, product=1)
CART, PURCHASE = replace(STEP, kind=EventName.CART, quantity=1), replace(STEP, kind=EventName.PURCHASE)
DRAWS = 4_000


def visit(device: str) -> Visit:
    return Visit(
        visitor=1,
        number=0,
        device=device,
        channel="direct",
        country="DE",
        known=False,
        signs_out=False,
        bot=False,
        steps=(STEP,),
    )


def moved(device: str, *arms: str, done: tuple[Step, ...] = ()) -> Moved:
    found = Moved(visit(device), random.Random(5))
    html = "".join(f'<p data-arm="{arm}">seen</p>' for arm in arms)
    for step in done or (STEP,):
        found.see(read_page(html) if arms else Page(), step)
    return found


@pytest.mark.parametrize(
    ("act", "given", "chance"),
    [
        pytest.param("passes_over", ("mobile", f"{VIP}:offer", CART), MOVED[VIP], id="a phone is put off by the offer"),
        pytest.param("passes_over", ("mobile", f"{VIP}:none", CART), 0.0, id="a phone without the offer"),
        pytest.param("passes_over", ("desktop", f"{VIP}:offer", CART), 0.0, id="a desk is not put off"),
        pytest.param("passes_over", ("mobile", f"{VIP}:offer", STEP), 0.0, id="nobody is kept from looking"),
        pytest.param("takes_too", ("desktop", f"{VIP}:offer", STEP), MOVED[VIP] / 4, id="a desk takes more"),
        pytest.param("takes_too", ("tablet", f"{VIP}:offer", STEP), MOVED[VIP] / 4, id="a tablet too"),
        pytest.param("takes_too", ("mobile", f"{VIP}:offer", STEP), 0.0, id="a phone does not"),
        pytest.param("takes_too", ("desktop", f"{VIP}:none", STEP), 0.0, id="a desk without the offer"),
    ],
)
def test_the_offer_moves_whom_it_should(act: str, given: tuple[str, str, Step], chance: float) -> None:
    device, arm, step = given
    shopper = moved(device, arm)
    share = sum(getattr(shopper, act)(step) for _ in range(DRAWS)) / DRAWS
    assert share == (pytest.approx(chance, abs=0.03) if chance else 0.0)
    assert sum(getattr(moved(device), act)(step) for _ in range(DRAWS)) == 0  # of a page that shows no arm


@pytest.mark.parametrize(
    ("arm", "done", "chance"),
    [
        pytest.param(f"{BAR}:bar", (CART,), MOVED[BAR], id="a basket left under the bar"),
        pytest.param(f"{BAR}:plain", (CART,), 0.0, id="without the bar"),
        pytest.param(f"{BAR}:bar", (STEP,), 0.0, id="an empty basket"),
        pytest.param(f"{BAR}:bar", (CART, PURCHASE), 0.0, id="ordered already"),
    ],
)
def test_the_bar_has_baskets_ordered_that_would_be_left(arm: str, done: tuple[Step, ...], chance: float) -> None:
    shopper = moved("mobile", arm, done=done)
    share = sum(shopper.orders_after_all() for _ in range(DRAWS)) / DRAWS
    assert share == (pytest.approx(chance, abs=0.03) if chance else 0.0)


def test_who_has_goods_takes_nothing_more_by_the_offer() -> None:
    shopper = moved("desktop", f"{VIP}:offer", done=(CART,))
    assert not any(shopper.takes_too(STEP) for _ in range(DRAWS))


def test_the_arms_that_walkers_know_are_those_of_the_experiments() -> None:
    assert {f"{key}:{arm}" for key in MOVED for arm in TRIED[key].keys} == {
        f"{BAR}:plain",
        f"{BAR}:bar",
        f"{VIP}:none",
        f"{VIP}:offer",
    }
