"""What a walk comes to: counted by several shoppers at once."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from threading import Lock

__all__ = ["Refusal", "Tally"]


class Refusal(StrEnum):
    """Why something that a shopper wanted did not happen; the shopper goes on."""

    SOLD_OUT = "sold out"
    NOT_ADDED = "not put into the basket"
    NOT_IN_BASKET = "not in the basket any more"
    NOT_CHANGED = "quantity not changed"
    NO_CHECKOUT = "basket cannot be ordered"
    BACK_A_STEP = "sent back in the checkout"
    NOT_PLACED = "order not placed"
    NO_ACCOUNT = "account not made"
    NOT_SIGNED_IN = "not signed in"
    MISSING = "page not found"
    FAULT = "fault of the shop"


@dataclass(slots=True)
class Tally:
    """The figures of a walk."""

    sessions: int = 0
    requests: int = 0
    consents: int = 0
    accounts: int = 0
    sign_ins: int = 0
    sign_outs: int = 0
    added: int = 0
    orders: int = 0
    refusals: Counter[Refusal] = field(default_factory=Counter)
    _lock: Lock = field(default_factory=Lock, repr=False)

    def count(self, figure: str) -> None:
        """Count one more of a figure."""
        with self._lock:
            setattr(self, figure, getattr(self, figure) + 1)

    def count_request(self, status: int) -> None:
        """Count a request by the status of its answer."""
        with self._lock:
            self.requests += 1
            if status >= 500:
                self.refusals[Refusal.FAULT] += 1

    def refuse(self, why: Refusal) -> None:
        """Count something that did not happen."""
        with self._lock:
            self.refusals[why] += 1
