"""A shop of one page that this side's cache serves, another that only the script tells of, and the app's endpoint."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.template import RequestContext, Template
from django.urls import include, path
from django.views.decorators.cache import cache_page

from demo_shop.urls import urlpatterns as demo

__all__ = ["urlpatterns"]

PAGE = """{% load purchase_intent %}<!doctype html><html lang="en"><head><title>Lamp</title>
<link rel="icon" href="/static/shop/mark.svg" type="image/svg+xml">
{% intent_script cached=True %}</head><body><h1>Lamp</h1>
<form action="/shop/" data-intent="cart" data-intent-product="1001"><input name="quantity" value="3" aria-label="n">
<button>Add</button></form>
<button data-intent="wishlist" data-intent-product="1001">Wish</button></body></html>"""


PARTS = """<div id="parts">{% ifintent "< 0.9999" cached=True %}Welcome back.{% else %}Welcome.{% endifintent %}
{% ifsegment "new-visitors" cached="span" %}First time here.{% endifsegment %}
{% ifintent "> 0.9999" cached=True %}Sure to buy.{% endifintent %}</div></body>"""


def page(request: HttpRequest) -> HttpResponse:
    """A page of which every visitor gets the same copy."""
    return HttpResponse(Template(PAGE).render(RequestContext(request)))


def viewed(request: HttpRequest) -> HttpResponse:
    """A product's page that is told by its attributes alone."""
    text = PAGE.replace("<h1>", '<h1 data-intent="view" data-intent-product="1001">')
    return HttpResponse(Template(text).render(RequestContext(request)))


def parted(request: HttpRequest) -> HttpResponse:
    """A page with parts that only some are shown, and of which every visitor gets the same copy."""
    return HttpResponse(Template(PAGE.replace("</body>", PARTS)).render(RequestContext(request)))


urlpatterns = [
    path("parted/", cache_page(600)(parted), name="information"),
    path("cached/", cache_page(600)(page), name="listing"),
    path("viewed/", viewed, name="product"),
    *demo,
    path("again/", include("purchase_intent.urls", namespace="again")),
]
