"""What only this shop can answer."""

from __future__ import annotations

from django.http import HttpRequest

from purchase_intent.contrib.oscar.shop import OscarShop

__all__ = ["MyShop"]


class MyShop(OscarShop):
    """Its visitors are asked by a banner, which keeps their answer in a cookie."""

    def consent(self, request: HttpRequest) -> bool:
        return request.COOKIES.get("consent") == "yes"
