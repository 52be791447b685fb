"""How the desk says things: a probability, a band, a moment, a sum, a long name."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.utils.html import format_html
from django.utils.timesince import timesince

from purchase_intent.events import EventName, Page
from purchase_intent.insights.words import band_words, clock, effect, money, per_cent
from purchase_intent.models import Visitor

__all__ = [
    "LONGEST_COOKIE",
    "LONGEST_NAME",
    "PAGES",
    "WORDS",
    "ago",
    "band_words",
    "clock",
    "effect",
    "label_words",
    "listed",
    "money",
    "named",
    "per_cent",
    "short",
    "since",
    "timed",
]

LONGEST_NAME: Final = 30
"""Characters of a name in a list; the whole stands in its title."""
LONGEST_COOKIE: Final = 16
"""Characters of a cookie id that are shown as they are; of a longer one the first eight tell two apart."""

WORDS: Final = {
    EventName.PAGE_VIEW: "Looked at a page",
    EventName.INTERACTION: "Used the page",
    EventName.SELECT_ITEM: "Picked a product",
    EventName.VIEW: "Viewed a product",
    EventName.SEARCH: "Searched",
    EventName.CART: "Added to the basket",
    EventName.REMOVE_FROM_CART: "Took out of the basket",
    EventName.VIEW_CART: "Looked at the basket",
    EventName.CHECKOUT: "At the checkout",
    EventName.PAYMENT_INFO: "Gave payment details",
    EventName.PURCHASE: "Bought",
    EventName.LOGIN: "Logged in",
    EventName.LOGOUT: "Logged out",
    EventName.SIGN_UP: "Made an account",
    EventName.WISHLIST: "Put on the wish list",
}
"""What a shopper did, in a merchandiser's words."""

PAGES: Final = {page: page.label.replace("_", " ") for page in Page} | {Page.OTHER: "another page"}
"""What role a page plays, in words."""


def ago(moment: datetime, now: datetime) -> str:
    """How long ago a moment was, in its largest unit; a moment to come counts as now."""
    if now - moment < timedelta(minutes=1):
        return "just now"
    return f"{timesince(moment, now, depth=1)} ago".replace("\xa0", " ")


def timed(moment: datetime, now: datetime) -> str:
    """How long ago, with the exact moment in its title."""
    return format_html('<time datetime="{}" title="{}">{}</time>', moment.isoformat(), clock(moment), ago(moment, now))


def since(begin: datetime, moment: datetime) -> str:
    """The time from one moment to another as minutes and seconds, "4:05", or with hours, "1:04:05"."""
    seconds = max(0, int((moment - begin).total_seconds()))
    minutes, rest = divmod(seconds, 60)
    hours, minutes_left = divmod(minutes, 60)
    return f"{hours}:{minutes_left:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def short(text: str) -> str:
    """A name of at most 30 characters; a longer one is cut, and stands whole in its title."""
    if len(text) <= LONGEST_NAME:
        return text
    return format_html('<span title="{}">{}…</span>', text, text[: LONGEST_NAME - 1])


def named(visitor: Visitor) -> str:
    """A visitor by name: the customer's key, said to be one, or the beginning of the browser's id."""
    if visitor.customer:
        return f"Customer {visitor.customer}"
    cookie = visitor.cookie
    return f"Visitor {cookie}" if len(cookie) <= LONGEST_COOKIE else f"Visitor {cookie[:8]}…"


def listed(visitor: Visitor) -> str:
    """A visitor's name in a list, with the whole key or id in its title where it is cut."""
    name = named(visitor)
    if visitor.customer or len(visitor.cookie) <= LONGEST_COOKIE:
        return short(name)
    return format_html('<span title="{}">{}</span>', visitor.cookie, name)


def label_words(visitor: Visitor) -> str:
    """What kind of visitor this is: a shopper, staff, or which bot."""
    if not visitor.bot:
        return "shopper"
    return "staff" if visitor.bot == "staff" else f"bot: {visitor.bot.replace('_', ' ')}"
