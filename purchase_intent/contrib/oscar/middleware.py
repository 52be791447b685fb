"""What django-oscar sends no signal for: pages that are shown, a basket that is changed, and whose request it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, Final

from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from purchase_intent.contrib.oscar.answering import answering
from purchase_intent.contrib.oscar.pages import tell_shown
from purchase_intent.contrib.oscar.telling import quantities, tell_changed
from purchase_intent.scoring.faults import tell_once

__all__ = ["OscarMiddleware"]

_ATTRIBUTE: Final = "_purchase_intent_oscar_basket"


class OscarMiddleware:
    """List it last, after `TrackingMiddleware` and oscar's own `BasketMiddleware`."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with answering(request):
            response = self.get_response(request)
        before = getattr(request, _ATTRIBUTE, None)
        if before is not None and (after := _counted(request)) is not None:
            tell_changed(request, before, after)
        return response

    def process_view(self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any) -> None:
        """Where the basket's own form is sent, note what was in the basket before."""
        match = request.resolver_match
        if request.method == "POST" and match is not None and match.view_name == "basket:summary":
            setattr(request, _ATTRIBUTE, _counted(request))

    def process_template_response(self, request: HttpRequest, response: Any) -> Any:
        """Tell which page is about to be shown, before its template may ask for the score."""
        if response.status_code == 200:
            tell_shown(request)
        return response


def _counted(request: HttpRequest) -> Counter[str] | None:
    try:
        return quantities(request)
    except (DatabaseError, InterfaceError) as fault:
        tell_once(fault, effect="A change of the basket is not recorded")
        return None
