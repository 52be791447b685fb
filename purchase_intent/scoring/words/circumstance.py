"""When, whence and with what the visitor came."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext as _

from purchase_intent.scoring.words.pages import page_name
from purchase_intent.scoring.words.theme import Theme, Told

__all__ = ["THEMES"]

LONGEST_NAME: Final = 40
"""A longer name of a channel or country is cut: it is the host's, and no sentence."""


def _when(told: Told, moment: str) -> str:
    if told.up:
        return _("It is %(moment)s, when more visits end in an order") % {"moment": moment}
    return _("It is %(moment)s, when fewer visits end in an order") % {"moment": moment}


def say_hour(told: Told) -> str:
    """The part of the day."""
    parts = (_("night"), _("morning"), _("afternoon"), _("evening"))
    return _when(told, parts[int(told.row.hour) // 6 % 4])


def say_weekday(told: Told) -> str:
    """The day of the week."""
    days = (_("Monday"), _("Tuesday"), _("Wednesday"), _("Thursday"), _("Friday"), _("Saturday"), _("Sunday"))
    return _when(told, days[int(told.row.weekday) % 7])


def say_weekend(told: Told) -> str:
    """The weekend, or not."""
    return _when(told, _("the weekend") if told.row.weekend else _("a working day"))


def _such(told: Told, cause: str) -> str:
    if told.up:
        return _("%(cause)s: such visits end in an order more often") % {"cause": cause}
    return _("%(cause)s: such visits seldom end in an order") % {"cause": cause}


def _named(text: str) -> str:
    """Show a host's own text as one short run of words."""
    return " ".join(text.replace("_", " ").split())[:LONGEST_NAME].strip()


def say_device(told: Told) -> str:
    """The kind of device, by name where the session gives it."""
    name = _named(told.session.device) if told.session is not None else ""
    known = {
        "mobile": _("Shops on a phone"),
        "phone": _("Shops on a phone"),
        "smartphone": _("Shops on a phone"),
        "tablet": _("Shops on a tablet"),
        "desktop": _("Shops on a computer"),
    }
    if name:
        return _such(told, known.get(name.lower()) or _("Shops on this device: %(name)s") % {"name": name})
    return _such(told, _("Shops on a device of this kind") if told.row.device else _("The kind of device is not known"))


def say_channel(told: Told) -> str:
    """The marketing channel, by name where the session gives it."""
    name = _named(told.session.channel) if told.session is not None else ""
    known = {
        "direct": _("Came straight to the shop"),
        "social": _("Came from social media"),
        "email": _("Came from a newsletter or an e-mail"),
        "search": _("Came from a search engine"),
        "organic": _("Came from a search engine"),
        "organic search": _("Came from a search engine"),
        "paid": _("Came from an advertisement"),
        "paid search": _("Came from a search advertisement"),
        "cpc": _("Came from a search advertisement"),
        "display": _("Came from an advertisement"),
        "referral": _("Came from a link on another site"),
        "affiliate": _("Came from a partner's site"),
    }
    if name:
        return _such(told, known.get(name.lower()) or _("Came from %(name)s") % {"name": name})
    return _such(told, _("Came by this channel") if told.row.channel else _("Where the visitor came from is not known"))


def say_country(told: Told) -> str:
    """The country, by name where the session gives it."""
    name = _named(told.session.country) if told.session is not None else ""
    if name:
        return _such(told, _("Comes from %(name)s") % {"name": name})
    return _such(told, _("Comes from this country") if told.row.country else _("The country is not known"))


def say_landing(told: Told) -> str:
    """The page on which the visit began."""
    return _such(told, _("Began on %(page)s") % {"page": page_name(int(told.row.landing))})


def say_shop(told: Told) -> str:
    """How the shop has sold of late."""
    if told.state.shop_sessions <= 0:
        return _("Nothing is known yet of how the shop has sold of late")
    if told.row.shop_conversion <= 0:
        return _("Nobody has bought in the last four weeks")
    if told.up:
        return _("Many visits have ended in an order in the last four weeks")
    return _("Few visits have ended in an order in the last four weeks")


THEMES: Final = (
    Theme("time", {"hour": say_hour, "weekday": say_weekday, "weekend": say_weekend}),
    Theme("device", {"device": say_device}),
    Theme("channel", {"channel": say_channel}),
    Theme("country", {"country": say_country}),
    Theme("landing", {"landing": say_landing}),
    Theme("shop", {"shop_conversion": say_shop}),
)
