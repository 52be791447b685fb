"""A shop with something to look at."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from purchase_intent.events import EventName
from purchase_intent.models import Event, Health, ModelVersion, Session, Visitor, WatchReport
from purchase_intent.models.keys import event_key
from purchase_intent.scoring.rebuild import rebuild_session

__all__ = ["BEGIN", "WAY", "version", "visitor", "walk", "watched"]

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


def watched(model: ModelVersion, *, name: str = "basket") -> WatchReport:
    """A report of the watch with something of everything."""
    columns = [
        ("score", "The score itself", "watch", "-1 to -0.5", 0.0),
        ("kind", "What the latest event was", "drifted", name, 0.14),
        *((f"c{place}", f"Meaning of column {place}", "stable", "0 to 3.5", 0.02) for place in range(14)),
    ]
    live = {
        "reason": "",
        "scores": 4000,
        "sessions": 1500,
        "buyers": 130,
        "auc": 0.731,
        "auc_interval": [0.702, 0.76],
        "ece": 0.012,
        "ece_interval": None,
        "ratio": 0.91,
        "ratio_interval": [0.8, 1.04],
        "slope": 0.97,
        "slope_interval": [0.8, 1.1],
        "reliability": [
            {
                "said": 0.004 * 1.6**place,
                "bought": 0.005 * 1.55**place,
                "low": 0.003 * 1.5**place,
                "high": 0.008 * 1.55**place,
                "sessions": 150.0,
            }
            for place in range(10)
        ],
        "bands": {"top_5": {"sessions": 75, "share": 0.05, "bought": 30, "precision": 0.4, "low": 0.3, "high": 0.51}},
    }
    day = {"day": "2026-03-30", "model": model.pk, "sessions": 60, "buyers": 5, "said": 0.08, "bought": 0.09}
    checks = [
        {"name": "volume", "passed": True, "said": "100 events, as usual for a Monday."},
        {"name": "price_zero", "passed": False, "said": "Prices of zero: 12%; at most 1% is in order."},
        {"name": "no_price", "passed": None, "said": "No event about a product."},
    ]
    made: WatchReport = WatchReport.objects.create(
        day=date(2026, 3, 30),
        model=model,
        health=Health.ACT,
        has_drifted=True,
        quality=93.3,
        said=["A training was asked for. Drifted for 3 days: How far it has come.", "Scores hold."],
        figures={
            "drift": {
                "sessions": 900,
                "days": 7,
                "reason": "",
                "columns": [
                    {
                        "name": key,
                        "meaning": meaning,
                        "band": band,
                        "moved": moved,
                        "weight": weight,
                        "psi": 0.41,
                        "distance": 0.25,
                        "before": 0.12,
                        "now": 0.31,
                        "usual": 0.1 if key == "c0" else 0.0,
                        "top": weight > 0.1,
                    }
                    for key, meaning, band, moved, weight in columns
                ],
            },
            "quality": {"events": 400, "score": 93.3, "checks": checks, "refused": []},
            "performance": {
                "live": live,
                "promised": {"auc": 0.812, "ece": 0.004, "bands": {"top_5": {"precision": 0.44}}},
                "offer": {
                    "by": "profit",
                    "from": 0.021,
                    "to": 0.47,
                    "sessions": 310,
                    "share": 0.2067,
                    "bought": 61,
                    "expected": 58.2,
                    "precision": 0.1968,
                    "low": 0.156,
                    "high": 0.2449,
                },
                "by_day": [day, day | {"day": "2026-03-29", "auc": 0.75}],
            },
            "recalibration": {
                "reason": "The scores fit recent outcomes.",
                "challenger": {"model": 41, "reason": "", "applied": 7},
            },
        },
    )
    return made
