"""Basket and checkout, as a shopper goes through them. What the shop refuses is counted, and the shopper goes on."""

from __future__ import annotations

import re

from django.urls import reverse

from demo_shop.walking.pages import Form
from demo_shop.walking.tally import Refusal
from demo_shop.walking.trip import Trip

__all__ = ["add", "choose_payment", "give_address", "go_to_checkout", "look_into_basket", "place_order", "take_out"]

_CHANGES_MIND = 0.15  # of those who look into a basket with something in it


def add(trip: Trip, path: str, quantity: int) -> None:
    """Put so many of the product at `path` into the basket."""
    if trip.here != path:
        trip.look(path)
    if trip.browser.answer.status != 200:
        return
    form = trip.browser.answer.page.form_with("quantity")
    if form is None:
        trip.tally.refuse(Refusal.SOLD_OUT)
    elif trip.browser.submit(form, {"quantity": str(quantity)}).redirected:
        trip.tally.count("added")
    else:
        trip.tally.refuse(Refusal.NOT_ADDED)


def look_into_basket(trip: Trip) -> None:
    """See what is in there; some have another quantity of something then."""
    page = trip.look(reverse("basket")).page
    forms = [each for each in page.posting() if _number(each, "basket_change")]
    if forms and trip.chance.random() < _CHANGES_MIND:
        _have(trip, trip.chance.choice(forms), trip.chance.choice((1, 1, 2, 3)))


def take_out(trip: Trip, product: int) -> None:
    """Take a product out of the basket: by its button, or by a quantity of none."""
    if trip.here != reverse("basket"):
        trip.look(reverse("basket"))
    way = trip.chance.choice(("basket_remove", "basket_change"))
    page = trip.browser.answer.page
    form = next((each for each in page.posting() if _number(each, way) == product), None)
    if form is None:
        trip.tally.refuse(Refusal.NOT_IN_BASKET)
    elif way == "basket_remove":
        trip.browser.submit(form, {})
    else:
        _have(trip, form, 0)


def go_to_checkout(trip: Trip) -> None:
    """Begin the checkout, or come back to its first step."""
    trip.look(reverse("checkout_address"))
    if trip.here != reverse("checkout_address"):
        trip.tally.refuse(Refusal.NO_CHECKOUT)


def give_address(trip: Trip) -> None:
    """Say where the order goes, and come to the payment."""
    form = trip.browser.answer.page.form_with("street", "postcode") if _at(trip, "checkout_address") else None
    if form is None:
        trip.look(reverse("checkout_payment"))
    else:
        trip.browser.submit(form, trip.person.address)
    if not (_at(trip, "checkout_payment") or _at(trip, "checkout_review")):
        trip.tally.refuse(Refusal.BACK_A_STEP)


def choose_payment(trip: Trip) -> None:
    """Say how the order is paid, and come to the review."""
    form = trip.browser.answer.page.form_with("payment") if _at(trip, "checkout_payment") else None
    if form is not None:
        ways = form.choices["payment"]
        trip.browser.submit(form, {"payment": ways[trip.person.payment % len(ways)]})
    elif not _at(trip, "checkout_review"):
        trip.look(reverse("checkout_review"))
    if not _at(trip, "checkout_review"):
        trip.tally.refuse(Refusal.BACK_A_STEP)


def place_order(trip: Trip) -> None:
    """Say yes to what the review shows."""
    if not _at(trip, "checkout_review"):
        trip.look(reverse("checkout_review"))
    form = trip.browser.answer.page.form_with("attempt", "seen")
    if form is not None:
        trip.browser.submit(form, {})
        if re.fullmatch(reverse("confirmation", args=["N"]).replace("N", "[^/]+"), trip.here):
            trip.tally.count("orders")
            return
    trip.tally.refuse(Refusal.NOT_PLACED)


def _at(trip: Trip, name: str) -> bool:
    return trip.here == reverse(name)


def _have(trip: Trip, form: Form, quantity: int) -> None:
    if not trip.browser.submit(form, {"quantity": str(quantity)}).redirected:
        trip.tally.refuse(Refusal.NOT_CHANGED)


def _number(form: Form, name: str) -> int | None:
    """Which product a form of the basket is about; None where it does something else."""
    found = re.fullmatch(reverse(name, args=[0]).replace("0", "([0-9]+)"), form.action)
    return int(found[1]) if found else None
