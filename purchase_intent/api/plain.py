"""Endpoints whose everyday request is answered as a plain Django view: REST framework's own handling takes longer.

What is asked a thousand times a second is let through by the same checks in the same order, and answered with the
same headers. Any other request goes to REST framework: `plainly` decides before it counts or reads anything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import update_wrapper
from typing import Any, ClassVar, Final

from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest
from django.http.response import HttpResponse, HttpResponseBase
from rest_framework.compat import LONG_SEPARATORS, SHORT_SEPARATORS
from rest_framework.exceptions import APIException, Throttled
from rest_framework.renderers import JSONRenderer

from purchase_intent.api.problems import CONTENT_TYPE, problem_details
from purchase_intent.api.throttles import wait_for
from purchase_intent.api.views import Endpoint
from purchase_intent.exceptions import IntentError

__all__ = ["PlainEndpoint"]

_encode: Final = JSONRenderer.encoder_class(
    ensure_ascii=JSONRenderer.ensure_ascii,
    allow_nan=not JSONRenderer.strict,
    separators=SHORT_SEPARATORS if JSONRenderer.compact else LONG_SEPARATORS,
).encode


class PlainEndpoint(Endpoint):
    """An endpoint that REST framework describes, and answers where `plainly` does not.

    `allow` is its `Allow` header, `beside` the headers of an answer that is no error beside that.
    """

    allow: ClassVar[str]
    beside: ClassVar[Mapping[str, str]] = {}

    @classmethod
    def plainly(cls, request: HttpRequest) -> Any:
        """The answer as plain data; None where REST framework is to answer. Raises what a view of its may raise."""
        raise NotImplementedError

    @classmethod
    def let_through(cls, sender: Callable[[], str | None]) -> None:
        """Count the request of a sender. Raises Throttled beyond the rate."""
        if (wait := wait_for(cls.rate, sender)) is not None:
            raise Throttled(wait)

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        """The view, with all that others look for on one of REST framework's."""
        framework = super().as_view(**initkwargs)

        def view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            try:
                found = cls.plainly(request)
            except (APIException, IntentError, DatabaseError, InterfaceError) as error:
                return cls._refused(error)
            return framework(request, *args, **kwargs) if found is None else cls._answered(found)

        return update_wrapper(view, framework)

    @classmethod
    def _answered(cls, found: Any) -> HttpResponse:
        headers = {"Content-Type": "application/json", "Allow": cls.allow, **cls.beside}
        return HttpResponse(_rendered(found), headers=headers)

    @classmethod
    def _refused(cls, error: Exception) -> HttpResponse:
        told = problem_details(error, {})
        if told is None:
            raise error
        headers = {**told.headers, "Content-Type": CONTENT_TYPE, "Allow": cls.allow}
        return HttpResponse(_rendered(told.data), status=told.status_code, headers=headers)


def _rendered(found: Any) -> bytes:
    """The JSON of REST framework's renderer, which makes an encoder for each answer."""
    # Two letters that end a line in JavaScript, and in no JSON: they are escaped there as well.
    return str(_encode(found)).replace("\u2028", "\\u2028").replace("\u2029", "\\u2029").encode()
