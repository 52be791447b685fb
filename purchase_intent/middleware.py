"""`TrackingMiddleware`: gives each request its tracker, and has it recorded once the page is made.

List it after the session and authentication middleware. Where the shop's adapter says nothing of consent nobody may be
recorded, and Django leaves it out.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import cast

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from purchase_intent.tracking.attached import attach
from purchase_intent.tracking.consent import is_off

__all__ = ["TrackingMiddleware"]

_Sync = Callable[[HttpRequest], HttpResponseBase]
_Async = Callable[[HttpRequest], Awaitable[HttpResponseBase]]


class TrackingMiddleware:
    """Records page views and what `track` was told. A fault of its own is logged and changes nothing for the page."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: _Sync | _Async) -> None:
        if is_off():
            raise MiddlewareNotUsed("the shop's adapter has no consent of its own, so nobody is recorded")
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if self.is_async:
            return self._later(request)
        tracker = attach(request)
        get_response = cast("_Sync", self.get_response)
        if tracker is None:
            return get_response(request)
        try:
            response = get_response(request)
        except Exception:
            tracker.finish(None)
            raise
        tracker.finish(response)
        return response

    async def _later(self, request: HttpRequest) -> HttpResponseBase:
        tracker = attach(request)
        get_response = cast("_Async", self.get_response)
        if tracker is None:
            return await get_response(request)
        # The database belongs to the thread that Django gives to synchronous code.
        finish = sync_to_async(tracker.finish, thread_sensitive=True)
        try:
            response = await get_response(request)
        except Exception:
            await finish(None)
            raise
        if tracker.concerns(response):
            await finish(response)
        return response
