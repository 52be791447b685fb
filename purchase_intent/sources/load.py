"""From a log into the database: visitors, sessions, events and orders, each once however often the log is loaded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db import transaction

from purchase_intent.events.reasons import Reason
from purchase_intent.models import Event, Order, Session, Visitor
from purchase_intent.models.keys import event_key
from purchase_intent.models.partitions import make_partitions
from purchase_intent.sources.clock import moment
from purchase_intent.sources.log import EventLog
from purchase_intent.sources.told import tell, write_unfit

__all__ = ["Loaded", "load"]

AT_ONCE: Final = 5_000
"""Events of one transaction: what a kill can lose, and what is held in memory."""
MONTH_WORTH: Final = 1_000
"""A month with fewer events gets no partition of its own: a wrong clock can name any month."""

Progress = Callable[[str], None]


class Row(NamedTuple):
    """One row of the table `told`."""

    row: int
    time: int
    kind: int
    page: int
    visitor: str
    session: str
    event_id: str
    product: str
    category: str
    brand: str
    price: float | None
    quantity: float | None
    order: str
    revenue: float | None
    search: str
    device: str
    channel: str
    country: str


@dataclass
class Loaded:
    """What a run added, by kind of row, and what it left out, by reason."""

    added: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(("visitors", "sessions", "events", "orders"), 0)
    )
    rejected: dict[str, int] = field(default_factory=dict)


def load(log: EventLog, paths: Sequence[Path], *, rejects: Path | None, progress: Progress) -> Loaded:
    """Load the opened log of `paths`; rows whose texts no database column can hold are left out and added to `rejects`.

    Each chunk is one transaction, and what is already there is left as it is: a second run adds nothing, and a run
    after a kill adds the rest.
    """
    progress("preparing the log")
    tell(log)
    loaded = Loaded(rejected=dict(log.rejected))
    if unfit := write_unfit(log, paths, rejects):
        loaded.rejected[str(Reason.BAD_TEXT)] = unfit
    for (month,) in log.connection.execute(
        f"SELECT min(time) FROM told GROUP BY date_trunc('month', make_timestamp_ms(time)) "
        f"HAVING count(*) >= {MONTH_WORTH} ORDER BY 1"
    ).fetchall():
        make_partitions(moment(month), moment(month))
    done = 0
    for rows in slices(log, "told"):
        add_events([Row(*row) for row in rows], loaded)
        done += len(rows)
        progress(f"loading events: {done:,} of {log.accepted:,}")
    for rows in slices(log, "told_orders"):
        add_orders(rows, loaded)
    return loaded


def slices(log: EventLog, table: str) -> Iterator[list[tuple[Any, ...]]]:
    """The rows of a table in their order, a bounded number at a time."""
    (total,) = log.connection.execute(f"SELECT count(*) FROM {table}").fetchall()[0]
    for begin in range(0, total, AT_ONCE):
        query = f"SELECT * FROM {table} WHERE rowid >= ? AND rowid < ? ORDER BY rowid"
        yield log.connection.execute(query, [begin, begin + AT_ONCE]).fetchall()


def add_events(rows: list[Row], loaded: Loaded) -> None:
    """Add the events that are not there yet, with their visitors and sessions, all or nothing."""
    keyed = {event_key(site="", visitor=row.visitor, event_id=row.event_id, milliseconds=row.time): row for row in rows}
    for key in Event.objects.filter(pk__in=list(keyed)).values_list("pk", flat=True):
        del keyed[key]
    if not keyed:
        return
    with transaction.atomic():
        visitors = add_visitors(list(keyed.values()), loaded)
        sessions = add_sessions(list(keyed.values()), visitors, loaded)
        events = [
            event_of(key, row, visitor=visitors[row.visitor], session=sessions[row.session])
            for key, row in keyed.items()
        ]
        Event.objects.bulk_create(events, ignore_conflicts=True, batch_size=1000)
    loaded.added["events"] += len(keyed)


def add_visitors(rows: list[Row], loaded: Loaded) -> dict[str, int]:
    """The keys of the rows' visitors by cookie; those not there yet are made."""
    first = {row.visitor: moment(row.time) for row in reversed(rows)}
    there = Visitor.objects.filter(site="", cookie__in=list(first))
    found = dict(there.values_list("cookie", "pk"))
    new = [Visitor(cookie=name, first_seen=at, last_seen=at) for name, at in first.items() if name not in found]
    if new:
        Visitor.objects.bulk_create(new, ignore_conflicts=True, batch_size=1000)
        loaded.added["visitors"] += len(new)
        found = dict(there.all().values_list("cookie", "pk"))
    return found


def add_sessions(rows: list[Row], visitors: dict[str, int], loaded: Loaded) -> dict[str, int]:
    """The keys of the rows' sessions by session id; those not there yet begin with their first row."""
    first = {row.session: row for row in reversed(rows)}
    there = Session.objects.filter(site="", key__in=list(first))
    found = dict(there.values_list("key", "pk"))
    # In the order of their first events, as the fold numbers them.
    new = [
        session_of(row, visitors[row.visitor]) for row in rows if row.session not in found and row is first[row.session]
    ]
    if new:
        Session.objects.bulk_create(new, ignore_conflicts=True, batch_size=1000)
        loaded.added["sessions"] += len(new)
        found = dict(there.all().values_list("key", "pk"))
    return found


def session_of(row: Row, visitor: int) -> Session:
    """A session as its first event shows it; the rest is for the fold to fill in."""
    when: datetime = moment(row.time)
    return Session(
        key=row.session,
        visitor_id=visitor,
        started_at=when,
        last_at=when,
        landing=row.page,
        device=row.device,
        channel=row.channel,
        country=row.country,
    )


def event_of(key: UUID, row: Row, *, visitor: int, session: int) -> Event:
    """An event as the log tells it. It knows of no arrival but the event itself."""
    when = moment(row.time)
    return Event(
        key=key,
        event_id=row.event_id,
        visitor_id=visitor,
        session_id=session,
        occurred_at=when,
        received_at=when,
        sequence=row.row,
        name=row.kind,
        page=row.page,
        product=row.product,
        category=row.category,
        brand=row.brand,
        price=row.price,
        quantity=None if row.quantity is None else int(row.quantity),
        order=row.order,
        revenue=row.revenue,
        search=row.search,
        device=row.device,
        channel=row.channel,
        country=row.country,
    )


def add_orders(rows: list[tuple[Any, ...]], loaded: Loaded) -> None:
    """Add the orders that are not there yet: rows of number, visitor, session, time and revenue."""
    there = set(Order.objects.filter(site="", number__in=[row[0] for row in rows]).values_list("number", flat=True))
    new = [row for row in rows if row[0] not in there]
    visitors = dict(Visitor.objects.filter(site="", cookie__in=[row[1] for row in new]).values_list("cookie", "pk"))
    sessions = dict(Session.objects.filter(site="", key__in=[row[2] for row in new]).values_list("key", "pk"))
    Order.objects.bulk_create(
        [
            Order(
                number=number,
                visitor_id=visitors[visitor],
                session_id=sessions[session],
                revenue=Decimal(str(round(revenue, 4))),
                placed_at=moment(time),
            )
            for number, visitor, session, time, revenue in new
        ],
        ignore_conflicts=True,
    )
    loaded.added["orders"] += len(new)
