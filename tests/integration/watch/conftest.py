"""A shop of a month: sessions with events and judged scores, made in bulk."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from pytest_django import Settings
from scipy.special import expit

from purchase_intent.events import EventName
from purchase_intent.models import Event, ModelVersion, Score, Session, Visitor
from purchase_intent.models.keys import event_key

NOW = datetime(2026, 3, 31, 2, 30, tzinfo=UTC)
END = datetime(2026, 3, 31, tzinfo=UTC)
"""The local midnight, in UTC, after the day that a watch at NOW reports on."""

Fill = Callable[..., list[Session]]


@pytest.fixture(autouse=True)
def on_utc(settings: Settings) -> None:
    """A shop whose clock is that of UTC."""
    settings.PURCHASE_INTENT = {"TIME_ZONE": "UTC"}


@pytest.fixture
def fill(db: None) -> Fill:
    """Return a function that makes closed sessions of five events, the last of them `ago` before END and earlier."""

    def make(
        count: int = 20, *, prefix: str = "s", ago: timedelta = timedelta(hours=2), bought: int = 0, **fields: Any
    ) -> list[Session]:
        owner, _ = Visitor.objects.get_or_create(cookie=f"{prefix}-visitor", defaults={"first_seen": END})
        sessions, events = [], []
        for place in range(count):
            buys = place < bought
            end = EventName.PURCHASE if buys else EventName.VIEW
            names = (EventName.PAGE_VIEW, EventName.VIEW, EventName.CART, EventName.VIEW_CART, end)
            last = END - ago - timedelta(minutes=place)
            begin = last - timedelta(minutes=2)
            session = Session(
                key=f"{prefix}{place}",
                visitor=owner,
                started_at=begin,
                last_at=last,
                closed_at=last + timedelta(minutes=30),
                outcome="bought" if buys else "left",
                stage=5 if buys else 3,
            )
            sessions.append(session)
            events.append((session, names, begin))
        Session.objects.bulk_create(sessions)
        Event.objects.bulk_create(
            event_of(session, name, begin + timedelta(seconds=30 * step), step, **fields)
            for session, names, begin in events
            for step, name in enumerate(names)
        )
        return sessions

    return make


def event_of(session: Session, name: EventName, at: datetime, step: int, **fields: Any) -> Event:
    """One event of a session, sound unless told otherwise."""
    about = name in (EventName.VIEW, EventName.CART, EventName.PURCHASE)
    event_id = f"{session.key}-{step}-{fields.get('event_id', '')}"
    sound: dict[str, Any] = {
        "received_at": at,
        "product": "kettle" if about else "",
        "category": "kitchen" if about else "",
        "price": 19.5 if about else None,
        "device": "mobile",
        "channel": "Direct",
        "order": f"o-{session.key}" if name is EventName.PURCHASE else "",
    }
    given = sound | fields | {"event_id": event_id}
    milliseconds = int(at.timestamp() * 1000)
    key = event_key(site="", visitor=session.key, event_id=event_id, milliseconds=milliseconds)
    return Event(
        key=key, visitor=session.visitor, session=session, occurred_at=at, sequence=step, name=name.value, **given
    )


@pytest.fixture
def judge(db: None) -> Callable[..., None]:
    """Return a function that records judged scores of a version: said as given, true with the odds shifted."""

    def make(version: ModelVersion, *, sessions: int = 1500, shift: float = 0.0, days: int = 28, seed: int = 4) -> None:
        rng = np.random.default_rng(seed)
        owner, _ = Visitor.objects.get_or_create(cookie="judged", defaults={"first_seen": END})
        said = expit(rng.normal(-2.2, 1.3, sessions))
        bought = rng.random(sessions) < expit(np.log(said / (1 - said)) + shift)
        at = [END - timedelta(days=float(share) * days) - timedelta(seconds=1) for share in rng.random(sessions)]
        rows = Session.objects.bulk_create(
            Session(key=f"j{seed}-{place}", visitor=owner, started_at=moment, last_at=moment)
            for place, moment in enumerate(at)
        )
        ranks = said.argsort().argsort() / sessions
        Score.objects.bulk_create(
            Score(
                session=row,
                model=version,
                probability=float(chance),
                moment=moment,
                came_true=bool(true),
                band="top_1" if rank >= 0.99 else "top_5" if rank >= 0.95 else "top_20" if rank >= 0.8 else "",
            )
            for row, chance, moment, true, rank in zip(rows, said, at, bought, ranks, strict=True)
        )

    return make
