"""Which requests show a page to a person: successful HTML answers to a GET, and not what is loaded beside a page."""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

__all__ = ["is_unseen", "may_show", "shows"]

_NOT_THE_SHOP: Final = frozenset({"admin", "rest_framework", "purchase_intent"})
"""`app_name`s of URLs that are the shop's own people's, not its visitors'."""
_HTML: Final = ("text/html", "application/xhtml+xml")
_AHEAD: Final = ("prefetch", "prerender", "preview")
_PURPOSES: Final = ("HTTP_SEC_PURPOSE", "HTTP_PURPOSE", "HTTP_X_PURPOSE", "HTTP_X_MOZ")


def is_unseen(request: HttpRequest) -> bool:
    """Whether nobody looks at the answer: a HEAD, or a page that the browser loads ahead in case it is wanted."""
    if request.method == "HEAD":
        return True
    # Not `request.headers`: making it costs more than all that is asked of it here.
    purposes = [request.META[header].lower() for header in _PURPOSES if header in request.META]
    return any(word in purpose for purpose in purposes for word in _AHEAD)


def may_show(request: HttpRequest) -> bool:
    """Whether the answer to this request, if it is a successful HTML one, is a page view."""
    if request.method != "GET" or is_unseen(request) or _is_partial(request) or _is_file(request.path):
        return False
    match = request.resolver_match
    return match is None or _NOT_THE_SHOP.isdisjoint(match.app_names)


def shows(request: HttpRequest, response: HttpResponseBase) -> bool:
    """Whether this answer is a page view."""
    if response.status_code != 200:
        return False
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return kind in _HTML and may_show(request)


def _is_partial(request: HttpRequest) -> bool:
    given = request.META
    if given.get("HTTP_HX_REQUEST") == "true" and given.get("HTTP_HX_BOOSTED") != "true":
        return True
    is_script = given.get("HTTP_X_REQUESTED_WITH") == "XMLHttpRequest"
    return is_script or "HTTP_TURBO_FRAME" in given or "HTTP_RANGE" in given


def _is_file(path: str) -> bool:
    return any(
        len(prefix) > 1 and prefix.startswith("/") and path.startswith(prefix)
        for prefix in (settings.STATIC_URL or "", settings.MEDIA_URL or "")
    )
