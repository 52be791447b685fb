"""The vocabulary of events and pages, and the names other systems use for them."""

from __future__ import annotations

from enum import IntEnum
from types import MappingProxyType

__all__ = ["ALIASES", "PAGE_OF_EVENT", "EventName", "Page", "event_name"]


class EventName(IntEnum):
    """What a shopper did. The numbers are stored in packed states: never reuse one."""

    PAGE_VIEW = 1
    INTERACTION = 2
    SELECT_ITEM = 3
    VIEW = 4
    SEARCH = 5
    CART = 6
    REMOVE_FROM_CART = 7
    VIEW_CART = 8
    CHECKOUT = 9
    PAYMENT_INFO = 10
    PURCHASE = 11
    LOGIN = 12
    LOGOUT = 13
    SIGN_UP = 14
    WISHLIST = 15

    @property
    def label(self) -> str:
        """The name as logs and the database spell it: `view_cart`."""
        return self.name.lower()


class Page(IntEnum):
    """What role the page plays on which the event happened; OTHER where the shop does not say."""

    OTHER = 0
    HOME = 1
    LISTING = 2
    PRODUCT = 3
    SEARCH = 4
    BASKET = 5
    SIGN_IN = 6
    REGISTER = 7
    ACCOUNT = 8
    CHECKOUT = 9
    PAYMENT = 10
    REVIEW = 11
    CONFIRMATION = 12
    INFORMATION = 13

    @property
    def label(self) -> str:
        """The name as logs and the database spell it: `sign_in`."""
        return self.name.lower()


PAGE_OF_EVENT = MappingProxyType(
    {
        EventName.VIEW: Page.PRODUCT,
        EventName.SEARCH: Page.SEARCH,
        EventName.VIEW_CART: Page.BASKET,
        EventName.CHECKOUT: Page.CHECKOUT,
        EventName.PAYMENT_INFO: Page.PAYMENT,
        EventName.PURCHASE: Page.CONFIRMATION,
    }
)
"""The page an event implies where its source names none."""

_GA4 = {
    "page_view": EventName.PAGE_VIEW,
    "view_item_list": EventName.PAGE_VIEW,
    "user_engagement": EventName.INTERACTION,
    "select_item": EventName.SELECT_ITEM,
    "select_promotion": EventName.SELECT_ITEM,
    "view_item": EventName.VIEW,
    "search": EventName.SEARCH,
    "view_search_results": EventName.SEARCH,
    "add_to_cart": EventName.CART,
    "remove_from_cart": EventName.REMOVE_FROM_CART,
    "view_cart": EventName.VIEW_CART,
    "begin_checkout": EventName.CHECKOUT,
    "add_shipping_info": EventName.CHECKOUT,
    "add_payment_info": EventName.PAYMENT_INFO,
    "purchase": EventName.PURCHASE,
    "login": EventName.LOGIN,
    "sign_up": EventName.SIGN_UP,
    "add_to_wishlist": EventName.WISHLIST,
}

_SEGMENT = {
    "page viewed": EventName.PAGE_VIEW,
    "product list viewed": EventName.PAGE_VIEW,
    "product list filtered": EventName.INTERACTION,
    "promotion clicked": EventName.SELECT_ITEM,
    "product clicked": EventName.SELECT_ITEM,
    "product viewed": EventName.VIEW,
    "products searched": EventName.SEARCH,
    "product added": EventName.CART,
    "product removed": EventName.REMOVE_FROM_CART,
    "cart viewed": EventName.VIEW_CART,
    "checkout started": EventName.CHECKOUT,
    "checkout step viewed": EventName.CHECKOUT,
    "checkout step completed": EventName.CHECKOUT,
    "payment info entered": EventName.PAYMENT_INFO,
    "order completed": EventName.PURCHASE,
    "signed in": EventName.LOGIN,
    "signed out": EventName.LOGOUT,
    "signed up": EventName.SIGN_UP,
    "product added to wishlist": EventName.WISHLIST,
}

_REES46 = {
    "view": EventName.VIEW,
    "cart": EventName.CART,
    "remove_from_cart": EventName.REMOVE_FROM_CART,
    "purchase": EventName.PURCHASE,
}

ALIASES = MappingProxyType({**{name.label: name for name in EventName}, **_GA4, **_SEGMENT, **_REES46})
"""Lower-case spelling to event name: our own, GA4's, Segment's e-commerce specification's, REES46's."""


def event_name(spelling: str) -> EventName | None:
    """The event a spelling stands for, or None where nobody knows it. Case and outer blanks do not matter."""
    return ALIASES.get(spelling.strip().lower())
