"""A shop of a few views, sync and async, whose adapter answers what a test wants: the host of the tracking tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, ClassVar

from asgiref.sync import sync_to_async
from django.contrib import admin
from django.contrib.auth import alogin, alogout, login, logout
from django.contrib.auth.models import User
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import include, path

from purchase_intent.adapters import ProductFacts, Shop
from purchase_intent.events import Page
from purchase_intent.shortcuts import track

__all__ = ["CornerShop", "Unsaid"]

BACKEND = "django.contrib.auth.backends.ModelBackend"


class CornerShop(Shop):
    """Agrees to everything unless the test says otherwise."""

    currency = "EUR"
    agreed: ClassVar[bool] = True
    broken: ClassVar[frozenset[str]] = frozenset()
    """Methods that raise."""
    asked: ClassVar[list[str]] = []
    """Methods in the order in which they were called."""
    here: ClassVar[str] = ""
    doing: ClassVar[Callable[[HttpRequest], object] | None] = None
    """What the view `act` does."""

    def _asked(self, name: str) -> None:
        self.asked.append(name)
        if name in self.broken:
            raise LookupError(f"{name} is broken")

    def consent(self, request: HttpRequest) -> bool:
        self._asked("consent")
        return self.agreed and "refused" not in request.COOKIES

    def customer(self, request: HttpRequest) -> str:
        self._asked("customer")
        return super().customer(request)

    def is_staff(self, request: HttpRequest) -> bool:
        self._asked("is_staff")
        return super().is_staff(request)

    def site(self, request: HttpRequest) -> str:
        self._asked("site")
        return self.here

    def page(self, request: HttpRequest) -> Page:
        self._asked("page")
        return super().page(request)

    def country(self, request: HttpRequest) -> str:
        self._asked("country")
        return "Poland"

    def product(self, product: str) -> ProductFacts:
        self._asked("product")
        return ProductFacts(category="home/lamps", brand="Lumo", price=19.5) if product == "7" else ProductFacts()


class Unsaid(Shop):
    """An adapter that says nothing of consent."""


def home(request: HttpRequest) -> HttpResponse:
    return HttpResponse("<h1>home</h1>")


def product(request: HttpRequest, number: str) -> HttpResponse:
    track(request, "view_item", product=number)
    return HttpResponse("<h1>product</h1>")


def act(request: HttpRequest) -> HttpResponseBase:
    doing = CornerShop.doing
    done = doing(request) if doing is not None else None
    return done if isinstance(done, HttpResponseBase) else HttpResponse("<h1>done</h1>")


async def aact(request: HttpRequest) -> HttpResponseBase:
    doing = CornerShop.doing
    done = doing(request) if doing is not None else None
    return done if isinstance(done, HttpResponseBase) else HttpResponse("<h1>done</h1>")


def stock(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"left": 3})


def missing(request: HttpRequest) -> HttpResponse:
    track(request, "wishlist", product="7")
    raise Http404


def moved(request: HttpRequest) -> HttpResponse:
    track(request, "cart", product="7", quantity=2)
    return HttpResponseRedirect("/")


def failing(request: HttpRequest) -> HttpResponse:
    track(request, "cart", product="7")
    raise ZeroDivisionError("the view's own")


async def afailing(request: HttpRequest) -> HttpResponse:
    track(request, "cart", product="7")
    raise ZeroDivisionError("the view's own")


def stream(request: HttpRequest) -> StreamingHttpResponse:
    def parts() -> Iterator[str]:
        yield "<h1>one</h1>"
        yield "<h1>two</h1>"

    return StreamingHttpResponse(parts())


async def astream(request: HttpRequest) -> StreamingHttpResponse:
    async def parts() -> AsyncIterator[str]:
        yield "<h1>one</h1>"
        yield "<h1>two</h1>"

    return StreamingHttpResponse(parts())


def enter(request: HttpRequest) -> HttpResponse:
    login(request, User.objects.get(username=request.POST["name"]), backend=BACKEND)
    return HttpResponseRedirect("/")


def leave(request: HttpRequest) -> HttpResponse:
    logout(request)
    return HttpResponseRedirect("/")


async def aenter(request: HttpRequest) -> HttpResponse:
    user: Any = await User.objects.aget(username=request.POST["name"])
    await alogin(request, user, backend=BACKEND)
    return HttpResponseRedirect("/")


async def aleave(request: HttpRequest) -> HttpResponse:
    await alogout(request)
    return HttpResponseRedirect("/")


async def abuy(request: HttpRequest) -> HttpResponse:
    def inside() -> None:
        with transaction.atomic():
            track(request, "cart", product="7")

    await sync_to_async(inside)()
    return HttpResponse("<h1>in the cart</h1>")


urlpatterns = [
    path("", home, name="home"),
    path("product/<str:number>/", product, name="product"),
    path("act/", act, name="listing"),
    path("aact/", aact, name="listing"),
    path("review/", act, name="review"),
    path("product-7/", act, name="product"),
    path("register/", act, name="register"),
    path("stock/", stock),
    path("missing/", missing),
    path("moved/", moved),
    path("failing/", failing),
    path("afailing/", afailing),
    path("stream/", stream, name="listing"),
    path("astream/", astream, name="listing"),
    path("enter/", enter, name="sign_in"),
    path("aenter/", aenter, name="sign_in"),
    path("leave/", leave),
    path("aleave/", aleave),
    path("abuy/", abuy, name="product"),
    path("media/leaflet/", home, name="home"),
    path("admin/", admin.site.urls),
    path("intent/", include("purchase_intent.urls")),
]
