"""How this visit has gone: its length, its pace, and where it has been."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from purchase_intent.scoring.words.amounts import count, span, times
from purchase_intent.scoring.words.pages import act_name, page_name
from purchase_intent.scoring.words.theme import Saying, Theme, Told

__all__ = ["THEMES"]

GLANCE: Final = 10.0
"""Seconds: less than this is no time spent."""


def _arrived(say: Saying) -> Saying:
    return lambda told: say(told) if told.row.moments > 1 else _("Has only just arrived")


def say_duration(told: Told) -> str:
    """How long the visit lasts."""
    words = {"span": span(told.row.duration)}
    if told.row.duration < 120 and not told.up:
        return _("Has been here for only %(span)s") % words
    if told.up or told.row.purchases > 0:
        return _("Has been here for %(span)s") % words
    return _("Has been here for %(span)s without an order") % words


def say_steps(told: Told) -> str:
    """How much was done."""
    steps = round(told.row.moments)
    if told.up:
        text = ngettext("Has taken %(count)s step in %(span)s", "Has taken %(count)s steps in %(span)s", steps)
    elif steps < 5:
        text = ngettext("Has taken only %(count)s step so far", "Has taken only %(count)s steps so far", steps)
    elif told.row.purchases > 0:
        text = ngettext("Has taken %(count)s step so far", "Has taken %(count)s steps so far", steps)
    else:
        text = ngettext(
            "Has taken %(count)s step without an order", "Has taken %(count)s steps without an order", steps
        )
    return text % {"count": count(steps), "span": span(told.row.duration)}


def say_gap(told: Told) -> str:
    """The pause before the latest step."""
    if told.row.gap < GLANCE:
        return _("Took the latest step at once")
    return _("Paused for %(span)s before the latest step") % {"span": span(told.row.gap)}


def say_pace(told: Told) -> str:
    """The pace of late."""
    if told.row.pace < GLANCE:
        return _("Moves quickly from step to step")
    return _("Takes %(span)s from step to step") % {"span": span(told.row.pace)}


def say_longest_gap(told: Told) -> str:
    """The longest pause."""
    if told.row.longest_gap < GLANCE:
        return _("Has hardly paused so far")
    return _("Has paused for up to %(span)s") % {"span": span(told.row.longest_gap)}


def say_page(told: Told) -> str:
    """The page shown last."""
    return _("Was last on %(page)s") % {"page": page_name(int(told.row.page))}


def say_kind(told: Told) -> str:
    """What was done last."""
    act = act_name(int(told.row.kind))
    return _("Latest step: %(act)s") % {"act": act} if act else say_page(told)


def say_trail(told: Told) -> str:
    """The way from the page before to the one shown last."""
    trail = int(told.row.trail)
    before, page = trail >> 4 & 15, trail & 15
    if told.state.steps < 2 or before == page:
        return say_page(told)
    return _("Went from %(before)s to %(page)s") % {"before": page_name(before), "page": page_name(page)}


def say_interactions(told: Told) -> str:
    """Clicks that lead nowhere else."""
    if told.row.interactions < 1:
        return _("Has not clicked on the details of a page")
    return _("Clicked on the details of a page %(times)s") % {"times": times(told.row.interactions)}


def say_searches(told: Told) -> str:
    """Searches."""
    if told.row.searches < 1:
        return _("Has not searched for anything")
    return _("Searched %(times)s") % {"times": times(told.row.searches)}


def say_information(told: Told) -> str:
    """Delivery, returns, help."""
    if told.row.information_visits < 1:
        return _("Has not read about delivery or returns")
    return _("Read about delivery, returns or help %(times)s") % {"times": times(told.row.information_visits)}


def say_home_visits(told: Told) -> str:
    """Visits to the home page."""
    if told.row.home_visits < 1:
        return _("Has not been on the home page")
    return _("Was on the home page %(times)s") % {"times": times(told.row.home_visits)}


def say_home_dwell(told: Told) -> str:
    """Time on the home page."""
    if told.row.home_dwell < GLANCE:
        return say_home_visits(told)
    return _("Has spent %(span)s on the home page") % {"span": span(told.row.home_dwell)}


def say_listing_visits(told: Told) -> str:
    """Visits to product lists."""
    visits = round(told.row.listing_visits)
    if visits < 1:
        return _("Has not looked through product lists")
    return ngettext("Has looked through one product list", "Has looked through product lists %(times)s", visits) % {
        "times": times(visits)
    }


def say_listing_dwell(told: Told) -> str:
    """Time on product lists."""
    if told.row.listing_dwell < GLANCE:
        return say_listing_visits(told)
    return _("Has spent %(span)s on product lists") % {"span": span(told.row.listing_dwell)}


THEMES: Final = (
    Theme(
        "length", {"duration": _arrived(say_duration), "events": _arrived(say_steps), "moments": _arrived(say_steps)}
    ),
    Theme("pace", {"gap": _arrived(say_gap), "pace": _arrived(say_pace), "longest_gap": _arrived(say_longest_gap)}),
    Theme("now", {"kind": say_kind, "page": say_page, "trail": say_trail}),
    Theme("clicks", {"interactions": say_interactions}),
    Theme("search", {"searches": say_searches}),
    Theme("information", {"information_visits": say_information}),
    Theme("home", {"home_visits": say_home_visits, "home_dwell": say_home_dwell}),
    Theme("lists", {"listing_visits": say_listing_visits, "listing_dwell": say_listing_dwell}),
)
