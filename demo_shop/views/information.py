"""Pages of text, the pictures, and the page for what is not there."""

from __future__ import annotations

import hashlib
from types import MappingProxyType

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified
from django.shortcuts import render
from django.views.decorators.http import require_safe

from demo_shop import delivery, pictures

__all__ = ["TOPICS", "information", "missing", "picture"]

TOPICS = MappingProxyType(
    {"delivery": "Delivery", "returns": "Returns", "payment": "Payment", "about": "About this shop"}
)
"""Name in the address and title of each page of text."""


@require_safe
def information(request: HttpRequest, topic: str) -> HttpResponse:
    """Show one page of text."""
    if topic not in TOPICS:
        raise Http404("no such page of text")
    shown = {"title": TOPICS[topic], "cost": delivery.STANDARD, "free_from": delivery.FREE_FROM, "topics": TOPICS}
    return render(request, f"shop/information/{topic}.html", shown | {"topic": topic})


@require_safe
def picture(request: HttpRequest, department: str, shape: str, number: int) -> HttpResponse:
    """Draw a product. The address holds all that the drawing depends on, so a browser may keep it."""
    drawn = pictures.draw(department, shape, number)
    if drawn is None:
        raise Http404("no such thing can be drawn")
    mark = f'"{hashlib.md5(drawn.encode(), usedforsecurity=False).hexdigest()}"'
    known = request.headers.get("If-None-Match") == mark
    response = HttpResponseNotModified() if known else HttpResponse(drawn, content_type="image/svg+xml")
    response.headers["ETag"] = mark
    response.headers["Cache-Control"] = "public, max-age=86400"
    return response


def missing(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 (the signature is Django's)
    """Say that nothing is here, and where to go instead."""
    return render(request, "shop/404.html", status=404)
