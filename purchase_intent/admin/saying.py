"""How the desk says things: a probability, a band, a moment, a sum, a long name."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.timesince import timesince

from purchase_intent.adapters import current_shop
from purchase_intent.conf import config
from purchase_intent.events import EventName, Page
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


def per_cent(probability: float) -> str:
    """A probability (0 to 1) without false precision: "<1%", "3%", ">99%"."""
    if probability < 0.01:
        return "<1%"
    return ">99%" if probability > 0.99 else f"{probability * 100:.0f}%"


def band_words(band: str) -> str:
    """A band as a merchandiser reads it: "top 5%"; for none, where the score is below all."""
    return f"{band.replace('_', ' ')}%" if band.startswith("top_") else band.replace("_", " ") or "lower 80%"


def clock(moment: datetime) -> str:
    """A moment on the shop's clock, to the second, with its zone."""
    return f"{moment.astimezone(config().time_zone):%Y-%m-%d %H:%M:%S %Z}"


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


def money(amount: Decimal | float, currency: str | None = None) -> str:
    """A sum with its currency, by default the shop's."""
    unit = current_shop().currency if currency is None else currency
    return f"{number_format(f'{amount:.2f}', decimal_pos=2, force_grouping=True)} {unit}".rstrip()


def effect(log_odds: float) -> str:
    """What a reason does to the odds of a purchase, as a factor: "1.8 times the odds"."""
    factor = 2.718281828459045 ** min(max(log_odds, -20.0), 20.0)
    if factor > 99:
        return "more than 99 times the odds"
    return f"{factor:.1f} times the odds" if factor >= 0.95 else f"{factor:.2f} times the odds"


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
