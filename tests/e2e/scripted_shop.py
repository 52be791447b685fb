"""A shop of two pages whose own scripts ask for arms: one of its visitor's own, one that a cache may hand out."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.template import RequestContext, Template
from django.urls import path

from demo_shop.urls import urlpatterns as demo

__all__ = ["urlpatterns"]

PAGE = """{% load purchase_intent %}<!doctype html><html lang="en"><head><title>Lamp</title>
<link rel="icon" href="/static/shop/mark.svg" type="image/svg+xml">
{% experiments_script KIND %}</head><body><h1>Lamp</h1></body></html>"""


def own(request: HttpRequest) -> HttpResponse:
    """A page of its visitor's own."""
    return HttpResponse(Template(PAGE.replace("KIND", "")).render(RequestContext(request)))


def shared(request: HttpRequest) -> HttpResponse:
    """A page that says nothing of its visitor."""
    return HttpResponse(Template(PAGE.replace("KIND", "cached=True")).render(RequestContext(request)))


urlpatterns = [path("own/", own, name="listing"), path("shared/", shared, name="listing"), *demo]
