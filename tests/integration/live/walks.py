"""Shoppers at the recorder: one by one, and random walks of devices, tabs, logins, late events, and shared moments."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from purchase_intent.events import Event, EventName, Page
from purchase_intent.models import Event as Row
from purchase_intent.models import Order, Session, Visitor
from purchase_intent.tracking.recorder import Journey, Recorded, Sender

__all__ = ["BEGIN", "SENDER", "Browser", "act", "counts", "later", "walk"]

BEGIN = datetime(2026, 3, 9, 8, tzinfo=UTC)
SENDER = Sender(visitor="v1", session="s1")
ACTS = (
    *(EventName.PAGE_VIEW, EventName.VIEW, EventName.VIEW, EventName.SEARCH, EventName.CART, EventName.VIEW_CART),
    *(EventName.REMOVE_FROM_CART, EventName.CHECKOUT, EventName.PAYMENT_INFO, EventName.PURCHASE, EventName.LOGOUT),
)
PRODUCTS = tuple((f"p{number}", f"c{number % 3}", f"b{number % 2}", 5.0 + number) for number in range(20))


@dataclass
class Browser:
    """A cookie, and who is logged in."""

    visitor: str
    session: str
    customer: str = ""
    bot: str = ""

    def send(self, *events: Event) -> Recorded:
        """Record events as one request, and take over what the cookie must hold."""
        sender = Sender(visitor=self.visitor, session=self.session, customer=self.customer, bot=self.bot)
        done = Journey(sender).record([replace(event, visitor=self.visitor) for event in events])
        self.visitor, self.session = done.visitor, done.session
        return done


def act(number: int, when: datetime, name: EventName = EventName.PAGE_VIEW, **fields: object) -> Event:
    """One event; its id is its number."""
    return Event(**{"event_id": f"e{number}", "name": name, "occurred_at": when, "visitor": "-"} | fields)  # type: ignore[arg-type]


def later(**span: float) -> datetime:
    """So long after BEGIN."""
    return BEGIN + timedelta(**span)


def counts() -> tuple[int, int, int, int]:
    """Visitors, sessions, events and orders stored."""
    return Visitor.objects.count(), Session.objects.count(), Row.objects.count(), Order.objects.count()


def walk(
    seed: int,
    *,
    steps: int,
    browsers: int = 3,
    customers: int = 2,
    late: float = 0.08,
    begin: datetime = BEGIN,
    staff: bool = False,
) -> list[Recorded]:
    """Shop with a few browsers for `steps` requests; times move by milliseconds to half an hour, and sometimes back.

    With `staff`, the first customer is one of the shop's own people.
    """
    draw = random.Random(seed)
    here = [Browser(f"v{number}", f"s{number}") for number in range(browsers)]
    now, number, done = begin, 1000 * seed, []
    for step in range(steps):
        now += timedelta(milliseconds=draw.choice((0, 1, 1500, 20_000, 60_000, 300_000, 2_000_000)))
        browser = draw.choice(here)
        if draw.random() < 0.08:
            browser.customer = f"customer{draw.randrange(customers)}"
        elif draw.random() < 0.04:
            browser.customer, browser.visitor, browser.session = "", f"v-{step}", f"s-{step}"
        elif draw.random() < 0.05:
            here.append(Browser(browser.visitor, f"tab-{step}", browser.customer))
        browser.bot = "staff" if staff and browser.customer == "customer0" else ""
        when = now
        if draw.random() < late:
            when -= timedelta(milliseconds=draw.choice((1, 1500, 60_000, 2_000_000, 20_000_000)))
        events = []
        for _ in range(draw.choice((1, 1, 1, 2, 3))):
            number += 1
            events.append(random_event(draw, number, when))
            when += timedelta(milliseconds=draw.choice((0, 0, 7)))
        done.append(browser.send(*events))
    return done


def random_event(draw: random.Random, number: int, when: datetime) -> Event:
    """Anything a shopper does, with whatever belongs to it."""
    name = draw.choice(ACTS)
    fields: dict[str, object] = {"device": draw.choice(("desktop", "phone")), "channel": draw.choice(("", "search"))}
    if name in (EventName.VIEW, EventName.CART, EventName.REMOVE_FROM_CART, EventName.PURCHASE):
        product, category, brand, price = draw.choice(PRODUCTS)
        fields |= {"product": product, "category": category, "brand": brand, "price": price}
        fields |= {"quantity": draw.choice((None, 1, 3))}
    if name is EventName.PURCHASE:
        fields |= {"order": f"o{number}", "revenue": 20.0}
    if name is EventName.PAGE_VIEW:
        fields |= {"page": draw.choice((Page.HOME, Page.LISTING, Page.SIGN_IN, Page.OTHER))}
    return act(number, when, name, **fields)
