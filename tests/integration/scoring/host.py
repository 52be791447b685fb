"""A shop of one view that does what a test asks of it, with templates that use the tag."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.urls import path

from purchase_intent.adapters import Shop

__all__ = ["Host", "render"]


class Host(Shop):
    """Agrees to being recorded unless the test says otherwise."""

    agreed: ClassVar[bool] = True
    doing: ClassVar[Callable[[HttpRequest], object]]

    def consent(self, request: HttpRequest) -> bool:
        return self.agreed


def render(text: str, request: HttpRequest | None) -> str:
    """A template with the tag loaded."""
    return engines["django"].from_string("{% load purchase_intent %}" + text).render({}, request)


def act(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(Host.doing(request)))


async def act_later(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(Host.doing(request)))


async def act_in_a_thread(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(await sync_to_async(Host.doing)(request)))


urlpatterns = [
    path("", act, name="home"),
    path("basket/", act, name="basket"),
    path("later/", act_later, name="home"),
    path("thread/", act_in_a_thread, name="home"),
]
