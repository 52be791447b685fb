"""The products of this visit: how many, how long, at what prices, and how they sell."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from purchase_intent.scoring.words.amounts import count, money, span, times
from purchase_intent.scoring.words.theme import Saying, Theme, Told, no_product

__all__ = ["THEMES"]

GLANCE: Final = 10.0
"""Seconds: less than this is no time spent."""
DEARER: Final = 1.2
CHEAPER: Final = 0.8


def say_views(told: Told) -> str:
    """Product pages opened."""
    views = round(told.row.views)
    if views < 1:
        return _("Has not opened a product page yet")
    if told.up or views > 3:
        text = ngettext("Has opened one product page", "Has opened product pages %(times)s", views)
    else:
        text = ngettext("Has opened only one product page", "Has opened product pages only %(times)s", views)
    return text % {"times": times(views)}


def say_products(told: Told) -> str:
    """Different products met."""
    products = round(told.row.products)
    text = ngettext("Has looked at one product so far", "Has looked at %(count)s products", products)
    return text % {"count": count(products)}


def say_categories(told: Told) -> str:
    """Different categories met."""
    categories = round(told.row.categories)
    if categories < 1:
        return say_products(told)
    text = ngettext("Keeps to one category of products", "Has looked at %(count)s categories of products", categories)
    return text % {"count": count(categories)}


def say_dwell(told: Told) -> str:
    """Time on product pages."""
    if told.row.product_dwell < GLANCE:
        return _("Has not stayed on a product page yet")
    words = {"span": span(told.row.product_dwell)}
    if told.row.products == 1:
        return _("Has looked at one product for %(span)s") % words
    return _("Has spent %(span)s on product pages") % words


def say_repeats(told: Told) -> str:
    """Products looked at again."""
    if told.row.repeats < 1:
        return _("Has not come back to a product")
    return _("Came back to a product %(times)s") % {"times": times(told.row.repeats)}


def _priced(say: Saying) -> Saying:
    return no_product(lambda told: say(told) if told.state.priced > 0 else _("No price of these products is known"))


def say_price(told: Told) -> str:
    """The latest price."""
    return _("The latest product costs %(money)s") % {"money": money(told.row.price)}


def say_mean_price(told: Told) -> str:
    """The usual price."""
    return _("Looks at products of %(money)s") % {"money": money(told.row.mean_price)}


def say_max_price(told: Told) -> str:
    """The highest price."""
    return _("The dearest product seen costs %(money)s") % {"money": money(told.row.max_price)}


def say_min_price(told: Told) -> str:
    """The lowest price."""
    return _("The cheapest product seen costs %(money)s") % {"money": money(told.row.min_price)}


def say_total_price(told: Told) -> str:
    """All prices together."""
    return _("The products seen add up to %(money)s") % {"money": money(told.row.total_price)}


def say_price_to_mean(told: Told) -> str:
    """The latest price against the others."""
    if told.state.priced < 2:
        return say_price(told)
    if told.row.price_to_mean > DEARER:
        return _("The latest product is dearer than the others seen")
    if told.row.price_to_mean < CHEAPER:
        return _("The latest product is cheaper than the others seen")
    return _("The latest product costs about as much as the others seen")


def say_price_to_category(told: Told) -> str:
    """The latest price against its category's."""
    if told.row.price_to_category <= 0:
        return say_price(told)
    if told.row.price_to_category > DEARER:
        return _("The latest product is dearer than is usual in its category")
    if told.row.price_to_category < CHEAPER:
        return _("The latest product is cheaper than is usual in its category")
    return _("The latest product costs what is usual in its category")


def say_popularity(told: Told) -> str:
    """Views of the product in the last weeks."""
    if told.row.product_popularity < 1:
        return _("Nobody looked at the latest product in the last four weeks")
    words = {"times": times(told.row.product_popularity)}
    return _("The latest product was looked at %(times)s in the last four weeks") % words


def _often(often: Saying, seldom: Saying) -> Saying:
    return no_product(lambda told: often(told) if told.up else seldom(told))


say_product_carts = _often(
    lambda _told: _("The latest product often goes into baskets"),
    lambda _told: _("The latest product seldom goes into baskets"),
)
say_product_buys = _often(
    lambda _told: _("The latest product sells well for its views"),
    lambda _told: _("The latest product sells little for its views"),
)
say_mean_buys = _often(
    lambda _told: _("The products seen sell well for their views"),
    lambda _told: _("The products seen sell little for their views"),
)
say_category_sells = _often(
    lambda _told: _("Looks at a category from which visitors buy more often"),
    lambda _told: _("Looks at a category from which visitors seldom buy"),
)
say_category_carts = _often(
    lambda _told: _("Products of this category often go into baskets"),
    lambda _told: _("Products of this category seldom go into baskets"),
)
say_brand_sells = _often(
    lambda _told: _("Looks at a brand that visitors buy more often"),
    lambda _told: _("Looks at a brand that visitors seldom buy"),
)


def say_category(told: Told) -> str:
    """The category, where the shop names one."""
    if told.row.category:
        return say_category_sells(told)
    return no_product(lambda _told: _("The category is not known"))(told)


def say_brand(told: Told) -> str:
    """The brand, where the shop names one."""
    if told.row.brand:
        return say_brand_sells(told)
    return no_product(lambda _told: _("The brand is not known"))(told)


THEMES: Final = (
    Theme(
        "products",
        {
            "views": no_product(say_views),
            "products": no_product(say_products),
            "categories": no_product(say_categories),
        },
    ),
    Theme("product_dwell", {"product_dwell": no_product(say_dwell)}),
    Theme("repeats", {"repeats": no_product(say_repeats)}),
    Theme(
        "price",
        {
            "price": _priced(say_price),
            "mean_price": _priced(say_mean_price),
            "max_price": _priced(say_max_price),
            "min_price": _priced(say_min_price),
            "total_price": _priced(say_total_price),
            "price_to_mean": _priced(say_price_to_mean),
            "price_to_category": _priced(say_price_to_category),
        },
    ),
    Theme(
        "appeal",
        {
            "product_popularity": no_product(say_popularity),
            "product_cart_rate": say_product_carts,
            "product_buy_rate": say_product_buys,
            "mean_buy_rate": say_mean_buys,
        },
    ),
    Theme("category", {"category": say_category, "category_cart_rate": say_category_carts}),
    Theme("brand", {"brand": say_brand}),
)
