"""Whether a visitor may be recorded: their answer, in a cookie of the shop's own. Their browser may overrule it."""

from __future__ import annotations

from enum import StrEnum

from django.http import HttpRequest, HttpResponse

from purchase_intent.tracking.consent import objects

__all__ = ["COOKIE", "Answer", "answer", "keep", "may_ask"]

COOKIE = "privacy"

_SECONDS = 180 * 24 * 60 * 60


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
