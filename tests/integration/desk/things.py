"""A shop with something to look at."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from purchase_intent.events import EventName
from purchase_intent.models import Event, ModelVersion, Session, Visitor
from purchase_intent.models.keys import event_key
from purchase_intent.scoring.rebuild import rebuild_session

__all__ = ["BEGIN", "WAY", "version", "visitor", "walk"]

BEGIN = datetime(2026, 3, 1, 12, tzinfo=UTC)
WAY = (EventName.PAGE_VIEW, EventName.VIEW, EventName.CART, EventName.VIEW_CART, EventName.CHECKOUT)


def visitor(cookie: str = "v1", **fields: Any) -> Visitor:
    """A visitor on record."""
    made: Visitor = Visitor.objects.create(**{"cookie": cookie, "first_seen": BEGIN, "last_seen": BEGIN} | fields)
    return made


def walk(
    owner: Visitor,
    key: str = "s1",
    names: tuple[EventName, ...] = WAY,
    *,
    begin: datetime = BEGIN,
    product: str = "kettle",
    **fields: Any,
) -> Session:
    """A session with its events, half a minute apart, folded as the shop folds them."""
    moments = [begin + timedelta(seconds=30 * place) for place in range(len(names))]
    session = Session.objects.create(
        key=key, visitor=owner, started_at=begin, last_at=moments[-1] if moments else begin, **fields
    )
    Event.objects.bulk_create(
        Event(
            key=event_key(
                site="", visitor=owner.cookie, event_id=f"{key}-{place}", milliseconds=int(at.timestamp() * 1000)
            ),
            event_id=f"{key}-{place}",
            visitor=owner,
            session=session,
            occurred_at=at,
            received_at=at,
            sequence=place + 1,
            name=name.value,
            product=product if name in (EventName.VIEW, EventName.CART, EventName.PURCHASE) else "",
            price=19.5 if name in (EventName.VIEW, EventName.CART, EventName.PURCHASE) else None,
            quantity=1 if name in (EventName.CART, EventName.PURCHASE) else None,
            order="o1" if name is EventName.PURCHASE else "",
        )
        for place, (name, at) in enumerate(zip(names, moments, strict=True))
    )
    if names:
        rebuild_session(session)
        Session.objects.filter(pk=session.pk).update(**fields)
    return Session.objects.get(pk=session.pk)


def version(**fields: Any) -> ModelVersion:
    """A model version on record, sound unless told otherwise; its bundle is not in the storage."""
    sound: dict[str, Any] = {
        "trained_from": datetime(2026, 1, 1, tzinfo=UTC),
        "trained_until": datetime(2026, 2, 1, tzinfo=UTC),
        "events": 1000,
        "sessions": 100,
        "buyers": 7,
        "schema_hash": "5" * 64,
        "bundle": "session/1.zip",
        "bundle_sha256": "a" * 64,
        "verdict": "Passed the checks.",
        "figures": {
            "weights": {"catboost": 0.6, "lightgbm": 0.4},
            "thresholds": {"session": 0.2, "point": 0.3, "bands": {"top_1": 0.61, "top_5": 0.32, "top_20": 0.08}},
            "models": {
                "baseline": {"session": {"rows": 900.0, "positives": 61.0, "auc": 0.7012, "average_precision": 0.3131}},
                "ensemble": {"session": {"rows": 900.0, "positives": 61.0, "auc": 0.7312, "average_precision": 0.4131}},
            },
        },
    }
    made: ModelVersion = ModelVersion.objects.create(**sound | fields)
    return made
