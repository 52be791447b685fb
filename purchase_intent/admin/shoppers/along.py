"""A session told event by event, and its facts, as rows of tables."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from purchase_intent.admin.saying import PAGES, WORDS, ago, clock, label_words, money, per_cent, since
from purchase_intent.admin.shoppers.products import named_products
from purchase_intent.events import EventName, Page
from purchase_intent.models import Event, Session
from purchase_intent.scoring.answer import Intent, Standing
from purchase_intent.scoring.timeline import Moment

__all__ = ["facts_of", "rows_of", "said"]


def rows_of(moments: Sequence[Moment], begin: datetime) -> list[dict[str, Any]]:
    """Each event in words, with its time since the session began and the score right after it."""
    products = named_products(moment.event for moment in moments)
    return [
        {
            "since": since(begin, moment.event.occurred_at),
            "exact": clock(moment.event.occurred_at),
            "what": said(moment.event),
            "product": products.get(moment.event.product),
            "price": "" if moment.event.price is None else money(moment.event.price),
            "quantity": moment.event.quantity or "",
            "cart": money(moment.cart_value) if moment.cart_units else "",
            "score": _score(moment.intent),
            "is_step": moment.event.name in _STEPS,
        }
        for moment in moments
    ]


_STEPS = {EventName.CART, EventName.CHECKOUT, EventName.PAYMENT_INFO, EventName.PURCHASE}


def said(event: Event) -> str:
    """One event in a merchandiser's words."""
    name, page = EventName(event.name), Page(event.page)
    if name is EventName.SEARCH and event.search:
        return f"Searched for “{event.search}”"
    if name is EventName.PAGE_VIEW and page is not Page.OTHER:
        return f"Looked at a page: {PAGES[page]}"
    if name is EventName.PURCHASE:
        return f"Bought, order {event.order}"
    return WORDS[name]


def _score(intent: Intent) -> str:
    if intent.standing is Standing.ALREADY_BOUGHT:
        return "has bought"
    return "-" if intent.probability is None else per_cent(intent.probability)


def facts_of(session: Session, now: datetime) -> list[tuple[str, str]]:
    """What is known of a session beside its events."""
    visitor = session.visitor
    reason = f" ({visitor.bot_reason})" if visitor.bot_reason else ""
    return [
        ("Outcome", session.get_outcome_display()),
        ("Stage reached", session.get_stage_display()),
        ("Began", f"{clock(session.started_at)}, {ago(session.started_at, now)}"),
        ("Last event", f"{clock(session.last_at)}, {ago(session.last_at, now)}"),
        ("Lasted so far" if session.closed_at is None else "Lasted", since(session.started_at, session.last_at)),
        ("Channel", session.channel or "not known"),
        ("Device", session.device or "not known"),
        ("Country", session.country or "not known"),
        ("Landing page", PAGES[Page(session.landing)]),
        ("Label", label_words(visitor) + reason),
        ("Session key", session.key),
        ("Customer key" if visitor.customer else "Cookie id", visitor.customer or visitor.cookie),
    ]
