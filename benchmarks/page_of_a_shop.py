"""The page that `bench_page.py` asks for: one row of the database, one track, a little HTML."""

from __future__ import annotations

from django.contrib.auth.models import Group
from django.http import HttpRequest, HttpResponse
from django.urls import path

from purchase_intent.adapters import ProductFacts, Shop
from purchase_intent.tracking.attached import attached

__all__ = ["OpenShop", "StockedShop", "product", "urlpatterns"]


class OpenShop(Shop):
    """Has everybody's leave."""

    def consent(self, request: HttpRequest) -> bool:  # noqa: ARG002 (the signature is the adapter's)
        """Say yes."""
        return True


class StockedShop(OpenShop):
    """Knows every product."""

    def product(self, product: str) -> ProductFacts:  # noqa: ARG002 (the same)
        """Say the same of each."""
        return ProductFacts(category="home/lamps", brand="Lumo", price=19.5)


def product(request: HttpRequest, number: str) -> HttpResponse:
    """Show a product, and tell of it where the request is tracked."""
    from purchase_intent.shortcuts import track

    Group.objects.filter(name=number).first()
    if attached(request) is not None:
        track(request, "view", product=number, category="home/lamps", brand="Lumo", price=19.5)
    return HttpResponse("<h1>product</h1>")


urlpatterns = [path("product/<str:number>/", product, name="product")]
