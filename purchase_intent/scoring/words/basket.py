"""The way to an order: basket, checkout, signing in."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from purchase_intent.events import Page
from purchase_intent.models import Stage
from purchase_intent.scoring.words.amounts import count, money, span, times
from purchase_intent.scoring.words.theme import Saying, Theme, Told

__all__ = ["THEMES"]

GLANCE: Final = 10.0
"""Seconds: less than this is no time spent."""


def _filled(say: Saying) -> Saying:
    """Say why the basket is empty, where it is."""

    def said(told: Told) -> str:
        if told.row.cart_units > 0:
            return say(told)
        if told.row.purchases > 0:
            return _("The basket is empty again after the order")
        return _("Has emptied the basket again") if told.row.carts > 0 else _("Has put nothing into the basket yet")

    return said


def say_units(told: Told) -> str:
    """Units in the basket."""
    units = round(told.row.cart_units)
    text = ngettext("Has one thing in the basket", "Has %(count)s things in the basket", units)
    return text % {"count": count(units)}


def say_cart_value(told: Told) -> str:
    """Worth of the basket."""
    if told.row.cart_value <= 0:
        return say_units(told)
    return _("Has things worth %(money)s in the basket") % {"money": money(told.row.cart_value)}


def say_cart_max_price(told: Told) -> str:
    """Dearest product in the basket."""
    if told.row.cart_max_price <= 0:
        return say_units(told)
    return _("The dearest product put into the basket costs %(money)s") % {"money": money(told.row.cart_max_price)}


def say_first_cart(told: Told) -> str:
    """Since when the basket has been in use."""
    if told.row.since_first_cart < 0:
        return say_units(told)
    return _("First put something into the basket %(span)s ago") % {"span": span(told.row.since_first_cart)}


def say_last_cart(told: Told) -> str:
    """When something was last put into the basket."""
    if told.row.since_last_cart < 0:
        return say_units(told)
    return _("Put something into the basket %(span)s ago") % {"span": span(told.row.since_last_cart)}


def say_start_to_cart(told: Told) -> str:
    """How soon something was put into the basket."""
    if told.row.start_to_cart < 0:
        return say_units(told)
    return _("Put something into the basket %(span)s after arriving") % {"span": span(told.row.start_to_cart)}


def say_removals(told: Told) -> str:
    """What was taken out again."""
    if told.row.removals < 1:
        return _filled(lambda _told: _("Has taken nothing out of the basket"))(told)
    return _("Took something out of the basket %(times)s") % {"times": times(told.row.removals)}


def _visited(say: Saying) -> Saying:
    return lambda told: say(told) if told.row.since_first_basket >= 0 else _("Has not looked into the basket yet")


def say_basket_visits(told: Told) -> str:
    """How often the basket was looked into."""
    if told.row.basket_visits < 2:
        return _("Has looked into the basket once")
    words = {"times": times(told.row.basket_visits - 1), "span": span(told.row.since_first_basket)}
    return _("Came back to the basket %(times)s in %(span)s") % words


def say_last_basket(told: Told) -> str:
    """When the basket was last looked into."""
    return _("Last looked into the basket %(span)s ago") % {"span": span(told.row.since_last_basket)}


def say_first_basket(told: Told) -> str:
    """When the basket was first looked into."""
    return _("First looked into the basket %(span)s ago") % {"span": span(told.row.since_first_basket)}


def say_basket_dwell(told: Told) -> str:
    """Time on the basket page."""
    if told.row.basket_dwell < GLANCE:
        return say_basket_visits(told)
    return _("Has spent %(span)s on the basket page") % {"span": span(told.row.basket_dwell)}


def say_stage(told: Told) -> str:
    """How far the visit has come."""
    steps = {
        Page.CHECKOUT.value: _("Has come to the address page of the checkout"),
        Page.PAYMENT.value: _("Has come to the payment"),
        Page.REVIEW.value: _("Has come to the last page before ordering"),
    }
    stages = {
        Stage.PRODUCT.value: _("Has come no further than products"),
        Stage.CART.value: _("Has come as far as the basket, not to the checkout"),
        Stage.CHECKOUT.value: _("Has begun the checkout"),
        Stage.BOUGHT.value: _("Has placed an order on this visit"),
    }
    stage, step = int(told.row.stage), int(told.row.checkout_step)
    if stage == Stage.CHECKOUT and step in steps:
        return steps[step]
    return stages.get(stage) or _("Has only browsed so far")


def say_last_checkout(told: Told) -> str:
    """When the checkout was last seen."""
    if told.row.since_last_checkout < 0:
        return say_stage(told)
    return _("Was last in the checkout %(span)s ago") % {"span": span(told.row.since_last_checkout)}


def say_checkout_value(told: Told) -> str:
    """Worth of the order being checked out."""
    if told.row.checkout_value <= 0:
        return say_stage(told)
    return _("Went to the checkout with an order worth %(money)s") % {"money": money(told.row.checkout_value)}


def say_checkout_dwell(told: Told) -> str:
    """Time in the checkout."""
    if told.row.checkout_dwell < GLANCE:
        return say_stage(told)
    return _("Has spent %(span)s in the checkout") % {"span": span(told.row.checkout_dwell)}


def say_review(told: Told) -> str:
    """Last looks before ordering."""
    if told.row.review_visits < 1:
        return say_stage(told)
    return _("Looked over the finished order %(times)s") % {"times": times(told.row.review_visits)}


def say_signed_in(told: Told) -> str:
    """Whether the visitor has signed in."""
    if told.state.login > 0:
        return _("Has signed in on this visit")
    if told.past.known > 0:
        return _("Has signed in here before")
    if told.row.since_sign_in >= 0:
        return _("Went to sign in, but has not done so")
    return _("Has not signed in")


def say_sign_in_dwell(told: Told) -> str:
    """Time spent signing in."""
    if told.row.sign_in_dwell < GLANCE:
        return say_signed_in(told)
    return _("Has spent %(span)s signing in or registering") % {"span": span(told.row.sign_in_dwell)}


def say_purchases(told: Told) -> str:
    """Orders of this visit."""
    if told.row.purchases < 1:
        return _("Has not ordered on this visit")
    return _("Has ordered %(times)s on this visit") % {"times": times(told.row.purchases)}


THEMES: Final = (
    Theme(
        "cart",
        {
            "carts": _filled(say_units),
            "cart_units": _filled(say_units),
            "cart_value": _filled(say_cart_value),
            "cart_max_price": _filled(say_cart_max_price),
            "since_first_cart": _filled(say_first_cart),
            "since_last_cart": _filled(say_last_cart),
            "start_to_cart": _filled(say_start_to_cart),
        },
    ),
    Theme("removals", {"removals": say_removals}),
    Theme(
        "basket",
        {
            "basket_visits": _visited(say_basket_visits),
            "since_first_basket": _visited(say_first_basket),
            "since_last_basket": _visited(say_last_basket),
            "basket_dwell": _visited(say_basket_dwell),
            "basket_share": _visited(say_basket_visits),
        },
    ),
    Theme(
        "progress",
        {
            "stage": say_stage,
            "checkout_step": say_stage,
            "since_last_checkout": say_last_checkout,
            "checkout_value": say_checkout_value,
            "checkout_dwell": say_checkout_dwell,
            "review_visits": say_review,
        },
    ),
    Theme(
        "sign_in",
        {
            "signed_in": say_signed_in,
            "since_sign_in": say_signed_in,
            "sign_in_visits": say_signed_in,
            "sign_in_dwell": say_sign_in_dwell,
        },
    ),
    Theme("orders", {"purchases": say_purchases}),
)
