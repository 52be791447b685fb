"""Search by whole keys only, each of which an index finds."""

from __future__ import annotations

from typing import Final

from purchase_intent.events.reasons import LONGEST_TEXT
from purchase_intent.models import Order, Session, Visitor

__all__ = ["HELP", "sessions_named", "visitors_named"]

HELP: Final = "A whole customer key, cookie id, session key or order number."
_MOST: Final = 200


def visitors_named(term: str) -> set[int]:
    """The visitors whom a whole customer key, cookie id, session key or order number names; 800 at most."""
    if not _is_key(term):
        return set()
    visitors = Visitor.objects.order_by("pk")
    return {
        *visitors.filter(cookie=term).values_list("pk", flat=True)[:_MOST],
        *visitors.filter(customer=term).exclude(customer="").values_list("pk", flat=True)[:_MOST],
        *Session.objects.order_by("pk").filter(key=term).values_list("visitor_id", flat=True)[:_MOST],
        *Order.objects.order_by("pk").filter(number=term).values_list("visitor_id", flat=True)[:_MOST],
    }


def sessions_named(term: str) -> set[int]:
    """The sessions of a whole session key or order number, and the latest of a customer key or cookie id."""
    if not _is_key(term):
        return set()
    visitors = Visitor.objects.order_by("pk")
    people = {
        *visitors.filter(cookie=term).values_list("pk", flat=True)[:_MOST],
        *visitors.filter(customer=term).exclude(customer="").values_list("pk", flat=True)[:_MOST],
    }
    orders = Order.objects.order_by("pk").filter(number=term, session__isnull=False)
    return {
        *Session.objects.order_by("pk").filter(key=term).values_list("pk", flat=True)[:_MOST],
        *orders.values_list("session_id", flat=True)[:_MOST],
        *Session.objects.filter(visitor__in=people).order_by("-last_at", "-pk").values_list("pk", flat=True)[:_MOST],
    }


def _is_key(term: str) -> bool:
    return 0 < len(term) <= LONGEST_TEXT and "\x00" not in term
