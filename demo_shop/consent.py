"""Whether a visitor may be recorded: their answer, in a cookie of the shop's own. Their browser may overrule it."""

from __future__ import annotations

import time
from enum import StrEnum
from typing import Final

from django.http import HttpRequest, HttpResponse

from purchase_intent.tracking.consent import objects

__all__ = ["COOKIE", "Answer", "answer", "came_from", "keep", "keep_referrer", "may_ask"]

COOKIE = "privacy"

_SECONDS = 180 * 24 * 60 * 60
_CAME_FROM: Final = "came_from"
_ONWARD_SECONDS: Final = 60
"""How long the browser may take from the form back to its page."""
_LONGEST_REFERRER: Final = 2_048


class Answer(StrEnum):
    """What a visitor said to being recorded."""

    NONE = ""
    ACCEPTED = "accepted"
    DECLINED = "declined"


def answer(request: HttpRequest) -> Answer:
    """Return the visitor's answer; what is no answer of ours counts as none."""
    try:
        return Answer(request.COOKIES.get(COOKIE, ""))
    except ValueError:
        return Answer.NONE


def may_ask(request: HttpRequest) -> bool:
    """Whether the banner is shown: nobody has answered yet, and the browser has not objected."""
    return answer(request) is Answer.NONE and not objects(request)


def keep(response: HttpResponse, given: Answer, *, secure: bool) -> None:
    """Have the browser remember an answer for half a year."""
    response.set_cookie(COOKIE, given.value, max_age=_SECONDS, secure=secure, httponly=True, samesite="Lax")


def keep_referrer(request: HttpRequest, referrer: str, *, path: str) -> None:
    """Keep what led to the page at `path`, which the browser is about to ask for again now that it may be recorded."""
    request.session[_CAME_FROM] = [path, referrer[:_LONGEST_REFERRER], time.time()]


def came_from(request: HttpRequest) -> str:
    """The address that led to this page; for one asked for again after the question, what led to it at first."""
    kept = request.session.get(_CAME_FROM)
    if kept is None:
        return request.headers.get("Referer", "")
    path, referrer, since = kept
    is_same = path == request.get_full_path() and time.time() - since < _ONWARD_SECONDS
    return str(referrer) if is_same else request.headers.get("Referer", "")
