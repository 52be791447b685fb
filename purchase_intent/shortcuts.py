"""What a shop's own code calls; nothing here raises."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.http import HttpRequest

from purchase_intent.events import EventName, Page
from purchase_intent.tracking.deeds import Amount, Line
from purchase_intent.tracking.telling import tell, tell_order

__all__ = ["Line", "track", "track_order"]


def track(  # noqa: PLR0913 (an event has these fields)
    request: HttpRequest,
    name: str | EventName,
    *,
    product: str | int = "",
    category: str = "",
    brand: str = "",
    price: Amount | None = None,
    quantity: int | None = None,
    search: str = "",
    page: Page | str | None = None,
    event_id: str | None = None,
    occurred_at: datetime | None = None,
) -> None:
    """Record what the visitor does; what is not fit is logged with its remedy and left out.

    `name` is ours, GA4's, Segment's or REES46's; a purchase is told by `track_order`. `price` is of one unit, in the
    shop's currency; what is left out of a product is asked of the adapter. `page` is where it happens, by default the
    one the event implies or else the one asked for. `occurred_at` (aware) is by default the request's time; with it and
    `event_id` a second telling adds nothing. Within a transaction it counts once that is committed.
    """
    tell(
        request,
        name,
        product=product,
        category=category,
        brand=brand,
        price=price,
        quantity=quantity,
        search=search,
        page=page,
        event_id=event_id,
        occurred_at=occurred_at,
    )


def track_order(
    request: HttpRequest, *, number: str | int, revenue: Amount, lines: Sequence[Line], currency: str = ""
) -> None:
    """Record an order once, however often it is told: `number` is the shop's own id of it.

    `revenue` is its total and, like the prices of its lines, in the shop's currency; another `currency` is refused.
    """
    tell_order(request, number=number, revenue=revenue, lines=lines, currency=currency)
