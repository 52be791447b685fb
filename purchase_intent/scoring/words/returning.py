"""What earlier visits tell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from purchase_intent.models import Stage
from purchase_intent.scoring.words.amounts import count, money, span, times
from purchase_intent.scoring.words.theme import Saying, Theme, Told, new_here, no_product

__all__ = ["THEMES"]

GLANCE: Final = 10.0
"""Seconds: less than this is no time spent."""


def say_orders(told: Told) -> str:
    """Earlier orders, and when the latest was."""
    orders, ago = told.row.past_purchases, told.row.since_past_purchase
    if orders < 1:
        return _("Has never bought here before")
    words = {"times": times(orders), "span": span(ago)}
    if ago < 0:
        return _("Bought here %(times)s before") % words
    if orders < 2:
        return _("Bought here once before, %(span)s ago") % words
    return _("Bought here %(times)s before, last %(span)s ago") % words


def say_conversion(told: Told) -> str:
    """How many of the earlier visits ended in an order."""
    share = told.row.past_conversion
    if told.row.past_sessions < 2 or not 0 < share <= 1:
        return say_orders(told)
    if share == 1:
        return _("Bought on every earlier visit")
    return _("Bought on most earlier visits") if share > 0.5 else _("Bought on some of the earlier visits")


def say_visits(told: Told) -> str:
    """Earlier visits."""
    return _("Has been here %(times)s before") % {"times": times(told.row.past_sessions)}


def say_products_before(told: Told) -> str:
    """Products of earlier visits."""
    products = round(told.row.past_products)
    if products < 1:
        return _("Looked at no product on earlier visits")
    text = ngettext(
        "Looked at one product on earlier visits", "Looked at %(count)s products on earlier visits", products
    )
    return text % {"count": count(products)}


def say_last_visit(told: Told) -> str:
    """How long ago the last visit was."""
    if told.row.since_last_session < 0:
        return say_visits(told)
    return _("Was last here %(span)s before this visit") % {"span": span(told.row.since_last_session)}


def say_first_seen(told: Told) -> str:
    """How long ago the first visit was."""
    if told.row.since_first_seen < 0:
        return say_visits(told)
    return _("First came here %(span)s ago") % {"span": span(told.row.since_first_seen)}


def say_second_visit(told: Told) -> str:
    """How long ago the visit before the last was."""
    if told.row.since_second_session < 0:
        return say_visits(told)
    return _("The visit before the last was %(span)s ago") % {"span": span(told.row.since_second_session)}


def say_fourth_visit(told: Told) -> str:
    """How long ago the fourth visit back was."""
    if told.row.since_fourth_session < 0:
        return say_visits(told)
    return _("The fourth visit back was %(span)s ago") % {"span": span(told.row.since_fourth_session)}


def _usually(say: Saying, last: Saying) -> Saying:
    """Say what is usual only of several visits; of a single one, what it was."""
    return lambda told: say(told) if told.row.past_sessions > 1 else last(told)


def say_mean_duration(told: Told) -> str:
    """How long earlier visits lasted."""
    if told.row.past_mean_duration < GLANCE:
        return _("Usually left almost at once on earlier visits")
    return _("Usually stayed for %(span)s on earlier visits") % {"span": span(told.row.past_mean_duration)}


def say_mean_products(told: Told) -> str:
    """How many products an earlier visit saw."""
    products = round(told.row.past_mean_products)
    if products < 1:
        return _("Looked at hardly any products on earlier visits")
    text = ngettext(
        "Usually looked at one product on an earlier visit",
        "Usually looked at %(count)s products on an earlier visit",
        products,
    )
    return text % {"count": count(products)}


def say_mean_steps(told: Told) -> str:
    """How much was done on an earlier visit."""
    steps = max(1, round(told.row.past_mean_moments))
    text = ngettext(
        "Usually took one step on an earlier visit", "Usually took %(count)s steps on an earlier visit", steps
    )
    return text % {"count": count(steps)}


def say_last_stage(told: Told) -> str:
    """How far the last visit came."""
    return {
        Stage.PRODUCT.value: _("Looked at products on the last visit, no further"),
        Stage.CART.value: _("Came as far as the basket on the last visit"),
        Stage.CHECKOUT.value: _("Came as far as the checkout on the last visit"),
        Stage.BOUGHT.value: _("Bought on the last visit"),
    }.get(int(told.row.past_last_stage)) or _("Only browsed on the last visit")


def say_last_steps(told: Told) -> str:
    """How much was done on the last visit."""
    steps = max(1, round(told.row.past_last_moments))
    text = ngettext("Took a single step on the last visit", "Took %(count)s steps on the last visit", steps)
    return text % {"count": count(steps)}


def say_last_duration(told: Told) -> str:
    """How long the last visit lasted."""
    if told.row.past_last_duration < GLANCE:
        return _("Left almost at once on the last visit")
    return _("Stayed for %(span)s on the last visit") % {"span": span(told.row.past_last_duration)}


def say_best_stage(told: Told) -> str:
    """How far the best earlier visit came."""
    return {
        Stage.PRODUCT.value: _("Has come no further than products before"),
        Stage.CART.value: _("Has come as far as the basket before"),
        Stage.CHECKOUT.value: _("Has come as far as the checkout before"),
        Stage.BOUGHT.value: _("Has placed an order before"),
    }.get(int(told.row.past_best_stage)) or _("Has only browsed before")


def say_cart_visits(told: Told) -> str:
    """Earlier visits that used the basket."""
    visits = round(told.row.past_cart_sessions)
    if visits < 1:
        return _("Never put anything into the basket before")
    text = ngettext(
        "Put something into the basket on one earlier visit",
        "Put something into the basket on %(count)s earlier visits",
        visits,
    )
    return text % {"count": count(visits)}


def say_basket_visits(told: Told) -> str:
    """Earlier visits that looked into the basket."""
    visits = round(told.row.past_basket_sessions)
    if visits < 1:
        return _("Never looked into the basket before")
    text = ngettext(
        "Looked into the basket on one earlier visit", "Looked into the basket on %(count)s earlier visits", visits
    )
    return text % {"count": count(visits)}


def say_checkout_visits(told: Told) -> str:
    """Earlier visits that began a checkout."""
    visits = round(told.row.past_checkout_sessions)
    if visits < 1:
        return _("Never began a checkout before")
    text = ngettext("Began a checkout on one earlier visit", "Began a checkout on %(count)s earlier visits", visits)
    return text % {"count": count(visits)}


def say_left(told: Told) -> str:
    """Baskets and checkouts left behind."""
    if told.row.past_left < 1:
        return _("Left no basket or checkout behind before")
    return _("Left a basket or checkout behind %(times)s before") % {"times": times(told.row.past_left)}


def say_since_left(told: Told) -> str:
    """When one was left behind."""
    if told.row.past_left < 1 or told.row.since_left < 0:
        return say_left(told)
    return _("Left a basket or checkout behind %(span)s ago") % {"span": span(told.row.since_left)}


def say_left_units(told: Told) -> str:
    """What was in it."""
    units = round(told.row.past_left_units)
    if units < 1:
        return say_left(told)
    text = ngettext(
        "Left one thing in the basket on an earlier visit",
        "Left %(count)s things in the basket on an earlier visit",
        units,
    )
    return text % {"count": count(units)}


def say_left_value(told: Told) -> str:
    """What it was worth."""
    if told.row.past_left_value <= 0:
        return say_left(told)
    return _("Left things worth %(money)s behind on an earlier visit") % {"money": money(told.row.past_left_value)}


def say_price_before(told: Told) -> str:
    """Prices of earlier visits."""
    if told.row.past_mean_price <= 0:
        return _("No price of earlier visits is known")
    return _("Looked at products of %(money)s on earlier visits") % {"money": money(told.row.past_mean_price)}


def say_product_known(told: Told) -> str:
    """Whether the product was met on an earlier visit."""
    if told.row.product_known > 0:
        return _("Has met the latest product on an earlier visit")
    return _("Had not met the latest product on an earlier visit")


def _theme(name: str, sayings: Mapping[str, Saying]) -> Theme:
    return Theme(name, {feature: new_here(say) for feature, say in sayings.items()})


THEMES: Final = (
    _theme(
        "past_orders",
        {"past_purchases": say_orders, "past_conversion": say_conversion, "since_past_purchase": say_orders},
    ),
    _theme(
        "past_visits",
        {
            "past_sessions": say_visits,
            "past_events": say_visits,
            "past_products": say_products_before,
            "since_last_session": say_last_visit,
            "since_first_seen": say_first_seen,
            "since_second_session": say_second_visit,
            "since_fourth_session": say_fourth_visit,
        },
    ),
    _theme(
        "habits",
        {
            "past_mean_events": _usually(say_mean_steps, say_last_steps),
            "past_mean_moments": _usually(say_mean_steps, say_last_steps),
            "past_mean_products": _usually(say_mean_products, say_products_before),
            "past_mean_duration": _usually(say_mean_duration, say_last_duration),
        },
    ),
    _theme(
        "last_visit",
        {
            "past_last_stage": say_last_stage,
            "past_last_moments": say_last_steps,
            "past_last_duration": say_last_duration,
        },
    ),
    _theme(
        "past_progress",
        {
            "past_cart_sessions": say_cart_visits,
            "past_basket_sessions": say_basket_visits,
            "past_checkout_sessions": say_checkout_visits,
            "past_best_stage": say_best_stage,
        },
    ),
    _theme(
        "left_behind",
        {
            "past_left": say_left,
            "past_left_units": say_left_units,
            "past_left_value": say_left_value,
            "since_left": say_since_left,
        },
    ),
    _theme("past_prices", {"past_mean_price": say_price_before}),
    Theme("product_known", {"product_known": no_product(new_here(say_product_known))}),
)
