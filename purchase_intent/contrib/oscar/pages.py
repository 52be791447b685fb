"""What each page of django-oscar is, and what it is told as when it is shown: docs/oscar.md has the table."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit

from django.http import HttpRequest
from django.urls import Resolver404, resolve

from purchase_intent.adapters import current_shop
from purchase_intent.events import Page
from purchase_intent.shortcuts import shown_again, track
from purchase_intent.tracking.identity import has_cookie

__all__ = ["before", "is_list", "leads_back", "page_of", "tell_shown"]

_PAGES: Final = MappingProxyType(
    {
        "home": Page.HOME,
        "catalogue:index": Page.LISTING,
        "catalogue:category": Page.LISTING,
        "catalogue:range": Page.LISTING,
        "catalogue:detail": Page.PRODUCT,
        "offer:list": Page.LISTING,
        "offer:detail": Page.LISTING,
        "search:search": Page.SEARCH,
        "basket:summary": Page.BASKET,
        "basket:add": Page.PRODUCT,
        "checkout:index": Page.CHECKOUT,
        "checkout:shipping-address": Page.CHECKOUT,
        "checkout:user-address-update": Page.CHECKOUT,
        "checkout:user-address-delete": Page.CHECKOUT,
        "checkout:shipping-method": Page.CHECKOUT,
        "checkout:payment-method": Page.PAYMENT,
        "checkout:payment-details": Page.PAYMENT,
        "checkout:preview": Page.REVIEW,
        "checkout:thank-you": Page.CONFIRMATION,
        "customer:login": Page.SIGN_IN,
        "customer:register": Page.REGISTER,
    }
)
"""Role of each page, by its URL's name."""
_ACCOUNT: Final = frozenset({"customer", "wishlists"})
"""Namespaces of what is a customer's own."""
_WITH_FORMS: Final = ("catalogue:", "basket:", "search:")
"""Pages with a form that leads back to them: it puts a product into the basket."""
_LISTS: Final = frozenset({Page.LISTING, Page.SEARCH, Page.HOME})


def page_of(name: str) -> Page:
    """The role of the page of that name, with its namespace."""
    namespace = name.partition(":")[0]
    return _PAGES.get(name, Page.ACCOUNT if namespace in _ACCOUNT else Page.OTHER)


def tell_shown(request: HttpRequest) -> None:
    """Tell of a page that no signal tells of; nothing of those that are page views and no more."""
    match = request.resolver_match
    name = match.view_name if match is not None else ""
    if (
        name.startswith("dashboard:")
        or name == "checkout:thank-you"
        or (name.startswith(_WITH_FORMS) and leads_back(request))
    ):
        shown_again(request)
    elif name == "basket:summary":
        track(request, "view_cart")
    elif name == "checkout:payment-details":
        track(request, "payment_info")
    elif name == "checkout:preview" and request.POST.get("action") != "place_order":
        track(request, "checkout")
    elif name == "catalogue:category" and match is not None:
        track(request, "page_view", category=str(match.kwargs.get("category_slug", "")))


def before(request: HttpRequest) -> str:
    """The path, with its query, of the page of this shop that led here; empty where none did."""
    try:
        came_from = urlsplit(request.META.get("HTTP_REFERER", ""))
    except ValueError:  # a browser sends no such thing, but anyone can
        return ""
    if came_from.netloc != request.get_host():
        return ""
    return f"{came_from.path}?{came_from.query}" if came_from.query else came_from.path


def is_list(path: str) -> bool:
    """Whether products are chosen from a list on the page of that path."""
    try:
        return page_of(resolve(path.partition("?")[0]).view_name) in _LISTS
    except Resolver404:
        return False


def leads_back(request: HttpRequest) -> bool:
    """Whether a form on this very page has led back to it: what was done by it is told already.

    Not where nobody is known yet: then the form was the one that asks for consent.
    """
    is_known = has_cookie(request) or current_shop().cookieless
    return is_known and before(request) == request.get_full_path()
