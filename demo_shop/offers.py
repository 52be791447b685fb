"""Free delivery for visitors who are close to an order: given once, kept until the order that uses it."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

from django.http import HttpRequest

from demo_shop.basket import Basket
from purchase_intent.models import Stage
from purchase_intent.scoring.answer import Intent, Standing
from purchase_intent.shortcuts import score

__all__ = ["BAND", "consider", "give", "given", "use_up"]

BAND = "top_5"
"""Unless the shop stored a rule for it at the desk, the offer is for the twentieth of the moments that are likeliest to
end in an order; before the checkout begins."""

_KEY = "free_delivery"
_STAGES = frozenset({Stage.BROWSING, Stage.PRODUCT, Stage.CART})


def given(session: MutableMapping[str, Any]) -> bool:
    """Whether this visitor's next order is delivered free."""
    return bool(session.get(_KEY, False))


def give(session: MutableMapping[str, Any], intent: Intent) -> bool:
    """Give the offer where the visitor's intent earns it; whether they have it now.

    Once given it stays, whatever the score does. Only a model's score gives it: the rules of a cold start do not.
    """
    if given(session):
        return True
    chosen = BAND in intent.bands if intent.offer is None else intent.offer
    earned = intent.standing == Standing.SCORED and chosen and intent.stage in _STAGES
    if earned:
        session[_KEY] = True
    return earned


def consider(request: HttpRequest, basket: Basket) -> bool:
    """Give the offer to who looks into their basket, where it would change anything; whether they have it now."""
    if given(request.session) or not basket.lines or not basket.delivery:
        return given(request.session)
    return give(request.session, score(request))


def use_up(session: MutableMapping[str, Any]) -> None:
    """The order that the offer was for is placed."""
    session.pop(_KEY, None)
