"""What every page of the shop shows around its content."""

from __future__ import annotations

from functools import cached_property

from django.http import HttpRequest

from demo_shop import acts
from demo_shop.basket import count
from demo_shop.models import Department

__all__ = ["Frame", "shop"]


class Frame:
    """Header and footer's facts, each asked for only by a template that shows it."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    @cached_property
    def departments(self) -> list[Department]:
        return list(Department.objects.all())

    @cached_property
    def pieces(self) -> int:
        return count(acts.owner_of(self._request))


def shop(request: HttpRequest) -> dict[str, Frame]:
    """Give templates `shop.departments` and `shop.pieces` (how many pieces are in the basket)."""
    return {"shop": Frame(request)}
