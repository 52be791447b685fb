"""Pages and acts as a merchandiser calls them."""

from __future__ import annotations

from django.utils.translation import gettext as _

from purchase_intent.events import EventName, Page

__all__ = ["act_name", "page_name"]


def page_name(page: int) -> str:
    """The page of a role, with its article; unknown roles are other pages."""
    names = {
        Page.HOME: _("the home page"),
        Page.LISTING: _("a product list"),
        Page.PRODUCT: _("a product page"),
        Page.SEARCH: _("a page of search results"),
        Page.BASKET: _("the basket page"),
        Page.SIGN_IN: _("the sign-in page"),
        Page.REGISTER: _("the registration page"),
        Page.ACCOUNT: _("the account page"),
        Page.CHECKOUT: _("the address page of the checkout"),
        Page.PAYMENT: _("the payment page"),
        Page.REVIEW: _("the last page before ordering"),
        Page.CONFIRMATION: _("the thank-you page"),
        Page.INFORMATION: _("an information page"),
    }
    return {int(key): name for key, name in names.items()}.get(page) or _("one of the other pages")


def act_name(kind: int) -> str:
    """What was done, in the past tense; empty where it was only to look at a page."""
    names = {
        EventName.INTERACTION: _("clicked on a detail of the page"),
        EventName.SELECT_ITEM: _("picked a product from a list"),
        EventName.VIEW: _("opened a product"),
        EventName.SEARCH: _("searched"),
        EventName.CART: _("put something into the basket"),
        EventName.REMOVE_FROM_CART: _("took something out of the basket"),
        EventName.VIEW_CART: _("opened the basket"),
        EventName.CHECKOUT: _("went on with the checkout"),
        EventName.PAYMENT_INFO: _("came to the payment"),
        EventName.PURCHASE: _("placed an order"),
        EventName.LOGIN: _("signed in"),
        EventName.LOGOUT: _("signed out"),
        EventName.SIGN_UP: _("made an account"),
        EventName.WISHLIST: _("put a product on the wish list"),
    }
    return {int(key): name for key, name in names.items()}.get(kind, "")
