"""Which request is being answered: `order_placed` does not say in which one an order was placed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from django.http import HttpRequest

__all__ = ["answering", "current_request"]

_request: Final[ContextVar[HttpRequest | None]] = ContextVar("purchase_intent_oscar_request", default=None)


@contextmanager
def answering(request: HttpRequest) -> Iterator[None]:
    """Within it `current_request` is this one, also in threads that Django hands the view to."""
    token = _request.set(request)
    try:
        yield
    finally:
        _request.reset(token)


def current_request() -> HttpRequest | None:
    """The request that is being answered; None outside one, such as in a command."""
    return _request.get()
