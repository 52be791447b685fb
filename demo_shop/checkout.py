"""The checkout between basket and order: what has been given so far, kept in the browser's session."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any

from demo_shop.basket import Basket

__all__ = ["STEPS", "Checkout", "begin", "current", "end", "fingerprint", "keep", "missing_step"]

STEPS = (
    ("checkout_address", "Address"),
    ("checkout_payment", "Payment"),
    ("checkout_review", "Review"),
)
"""URL name and words of each step, in order."""

_KEY = "checkout"


@dataclass(frozen=True, slots=True)
class Checkout:
    """One way to an order. `attempt` is its secret name: whatever happens, it places one order."""

    attempt: uuid.UUID
    address: Mapping[str, str] = field(default_factory=dict)
    payment: str = ""


def begin() -> Checkout:
    """Return a new checkout with nothing given yet."""
    return Checkout(uuid.uuid4())


def current(session: Mapping[str, Any]) -> Checkout | None:
    """Return the checkout under way, or None."""
    kept = session.get(_KEY)
    return None if kept is None else Checkout(uuid.UUID(kept["attempt"]), kept["address"], kept["payment"])


def keep(session: MutableMapping[str, Any], checkout: Checkout) -> None:
    """Keep a checkout as far as it has come."""
    session[_KEY] = {
        "attempt": str(checkout.attempt),
        "address": dict(checkout.address),
        "payment": checkout.payment,
    }


def end(session: MutableMapping[str, Any]) -> None:
    """Forget the checkout under way."""
    session.pop(_KEY, None)


def missing_step(checkout: Checkout | None, *, before: str) -> str | None:
    """Return the URL name of the first step that is not done and comes before the one given, or None."""
    done = {
        "checkout_address": checkout is not None and bool(checkout.address),
        "checkout_payment": checkout is not None and bool(checkout.payment),
    }
    for name, _ in STEPS:
        if name == before:
            return None
        if not done[name]:
            return name
    return None


def fingerprint(basket: Basket) -> str:
    """Return a digest of what is bought at which prices, delivery's too, to tell whether that has changed."""
    lines = sorted((line.product_id, line.quantity, f"{line.product.price:.2f}") for line in basket.lines)
    return hashlib.sha256(repr((lines, f"{basket.delivery:.2f}")).encode()).hexdigest()
