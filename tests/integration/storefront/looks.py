"""What the tests of orders look at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from demo_shop.models import Product

Add = Callable[..., int]
Stock = Callable[..., Product]
Reviewed = Callable[[], dict[str, str]]


def messages_of(response: Any) -> list[str]:
    """What the page tells the shopper, but for what was added."""
    return [str(message) for message in response.context["messages"] if message.extra_tags != "added"]


def stocks() -> dict[int, int]:
    """Pieces left, by product."""
    return dict(Product.objects.values_list("pk", "stock"))
