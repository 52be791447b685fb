"""Whether this request may be recorded at all."""

from __future__ import annotations

from django.http import HttpRequest

from purchase_intent.adapters import Shop, current_shop
from purchase_intent.exceptions import ConfigurationError

__all__ = ["is_off", "may_record", "objects"]


def is_off() -> bool:
    """Whether nobody is recorded: the adapter says nothing of consent. One that cannot be made is a fault, not off."""
    try:
        return type(current_shop()).consent is Shop.consent
    except ConfigurationError:
        return False


def objects(request: HttpRequest) -> bool:
    """Whether the browser asks not to be followed: Global Privacy Control or Do Not Track."""
    return any(request.META.get(header, "").strip() == "1" for header in ("HTTP_SEC_GPC", "HTTP_DNT"))


def may_record(request: HttpRequest, shop: Shop) -> bool:
    """Whether the shop has the visitor's consent and the browser does not object; its word overrules the shop's."""
    return not objects(request) and bool(shop.consent(request))
