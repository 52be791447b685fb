"""The page of a shop, and the app's own addresses."""

from __future__ import annotations

from django.urls import include, path

from benchmarks.page_of_a_shop import product

__all__ = ["urlpatterns"]

urlpatterns = [
    path("product/<str:number>/", product, name="product"),
    path("intent/", include("purchase_intent.urls")),
]
