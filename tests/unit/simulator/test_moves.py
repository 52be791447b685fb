"""Which steps are possible, and which way the hidden state tilts them."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from demo_shop.simulator import Catalogue, Plan
from demo_shop.simulator.moves import Move, choose, gap_ms, landing
from demo_shop.simulator.rhythm import HOUR_MS, Rhythm
from demo_shop.simulator.rows import new_visitors
from demo_shop.simulator.shoppers import Party, open_sessions
from purchase_intent.events.names import Page

COUNT = 4000
DRAWS = (np.arange(COUNT) + 0.5) / COUNT


@pytest.fixture
def party(catalogue: Catalogue) -> Party:
    plan = Plan(start=date(2026, 3, 2), days=7)
    memory = new_visitors(COUNT)
    memory["visitor"] = np.arange(COUNT)
    memory["time"] = (plan.first_hour + 20) * HOUR_MS
    party = open_sessions(memory, Rhythm(plan), catalogue.department_of_shelf, seed=1)
    party.desire[:] = 0.0
    party.energy[:] = 0.0
    party.hoard[:] = 0.0
    return party


def shares(party: Party, page: Page, *, landed: bool = False) -> dict[Move, float]:
    party.page[:] = page
    moves = choose(party, np.arange(COUNT), DRAWS, np.zeros(COUNT), landed=landed)
    return {Move(move): float(np.mean(moves == move)) for move in np.unique(moves)}


def fill_carts(party: Party) -> None:
    party.cart[:, 0] = 3
    party.quantity[:, 0] = 1
    party.cart_value[:] = 80.0


@pytest.mark.parametrize("page", list(Page))
def test_an_empty_cart_reaches_no_checkout(party: Party, page: Page) -> None:
    assert not shares(party, page).keys() & {Move.CHECKOUT, Move.REMOVE}


@pytest.mark.parametrize("page", [page for page in Page if page is not Page.REVIEW])
def test_only_the_review_leads_to_a_purchase(party: Party, page: Page) -> None:
    fill_carts(party)
    assert Move.PURCHASE not in shares(party, page)


def test_the_review_mostly_does(party: Party) -> None:
    fill_carts(party)
    assert shares(party, Page.REVIEW)[Move.PURCHASE] > 0.5


def test_a_full_cart_takes_no_more_products(party: Party) -> None:
    party.cart[:] = np.arange(6)
    party.quantity[:] = 1
    assert Move.CART not in shares(party, Page.PRODUCT)


def test_desire_fills_carts_and_energy_keeps_people(party: Party) -> None:
    cool = shares(party, Page.PRODUCT)
    party.desire[:] = 2.0
    keen = shares(party, Page.PRODUCT)
    assert keen[Move.CART] > 2 * cool[Move.CART]
    party.desire[:] = 0.0
    party.energy[:] = 2.0
    lively = shares(party, Page.PRODUCT)
    assert lively[Move.LEAVE] < cool[Move.LEAVE] / 2
    assert lively[Move.CART] < keen[Move.CART] / 2


def test_many_leave_after_one_page(party: Party) -> None:
    assert shares(party, Page.LISTING, landed=True)[Move.LEAVE] > 1.5 * shares(party, Page.LISTING)[Move.LEAVE]


def test_an_open_cart_draws_some_straight_to_the_basket(party: Party) -> None:
    assert Move.BASKET not in landing(party)
    fill_carts(party)
    assert 0.05 < np.mean(landing(party) == Move.BASKET) < 0.2


def test_pauses_stay_under_the_sessions_limit() -> None:
    pages = np.repeat(np.arange(len(Page)), 3)
    normals = np.tile([-8.0, 0.0, 8.0], len(Page))
    gaps = gap_ms(pages, np.zeros(len(pages)), normals)
    assert gaps.min() == 700
    assert gaps.max() == 25 * 60_000


def test_the_sure_hesitate_less_where_money_is_asked_for() -> None:
    pages = np.array([Page.PAYMENT, Page.PRODUCT])
    none, sure = (gap_ms(pages, np.full(2, desire), np.zeros(2)) for desire in (0.0, 2.0))
    assert sure[0] < none[0]
    assert sure[1] == none[1]
