"""Times, counts and money as people say them: no more precise than what follows from them."""

from __future__ import annotations

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from purchase_intent.adapters import current_shop

__all__ = ["count", "money", "span", "times"]

MINUTE = 60.0
HOUR = 3600.0
DAY = 86_400.0


def span(seconds: float) -> str:
    """A length of time: "a few seconds", "a minute and a half", "12 days"."""
    if seconds < 105:
        return _under_two_minutes(seconds)
    if seconds < 55 * MINUTE:
        minutes = round(seconds / MINUTE)
        whole = minutes if minutes <= 20 else 5 * round(minutes / 5)
        return ngettext("%(count)s minute", "%(count)s minutes", whole) % {"count": _number(whole)}
    if seconds < 1.5 * HOUR:
        return _("an hour")
    if seconds < 22 * HOUR:
        whole = round(seconds / HOUR)
        return ngettext("%(count)s hour", "%(count)s hours", whole) % {"count": _number(whole)}
    return _days(seconds / DAY)


def _under_two_minutes(seconds: float) -> str:
    if seconds < 15:
        return _("a few seconds")
    if seconds < 45:
        return _("half a minute")
    return _("a minute") if seconds < 75 else _("a minute and a half")


def _days(days: float) -> str:
    if days < 1.5:
        return _("a day")
    if days < 46:
        whole = round(days)
        text = ngettext("%(count)s day", "%(count)s days", whole)
    elif days < 670:
        whole = round(days / 30.44)
        text = ngettext("%(count)s month", "%(count)s months", whole)
    else:
        whole = round(days / 365.25)
        text = ngettext("%(count)s year", "%(count)s years", whole)
    return text % {"count": _number(whole)}


def count(number: float) -> str:
    """A number of things, at least one: "three", "14", "about 120"."""
    whole = max(1, round(number))
    return _number(whole) if whole <= 20 else _("about %(number)s") % {"number": _plain(_two_figures(whole))}


def times(number: float) -> str:
    """How often, at least once: "once", "twice", "three times"."""
    whole = max(1, round(number))
    if whole == 1:
        return _("once")
    if whole == 2:
        return _("twice")
    return ngettext("%(count)s time", "%(count)s times", whole) % {"count": count(whole)}


def money(amount: float) -> str:
    """An amount to two figures, in the shop's currency where it names one: "about 120 EUR"."""
    currency = current_shop().currency
    if amount < 1:
        text, number = _("less than %(amount)s"), 1
    else:
        text, number = _("about %(amount)s"), _two_figures(round(amount))
    plain = _plain(number)
    said = _("%(amount)s %(currency)s") % {"amount": plain, "currency": currency} if currency else plain
    return text % {"amount": said}


def _two_figures(whole: int) -> int:
    return round(whole, 2 - len(str(whole)))


def _plain(whole: int) -> str:
    return str(number_format(whole, decimal_pos=0, force_grouping=True))


def _number(whole: int) -> str:
    small = {
        1: _("one"),
        2: _("two"),
        3: _("three"),
        4: _("four"),
        5: _("five"),
        6: _("six"),
        7: _("seven"),
        8: _("eight"),
        9: _("nine"),
        10: _("ten"),
    }
    return small.get(whole) or _plain(whole)
