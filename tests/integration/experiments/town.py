"""Shoppers who were shown arms, and what they did, as rows, and the same as a plain frame worked out without SQL."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np

from purchase_intent.events import EventName
from purchase_intent.experiments.definition import ArmSpec, Definition, MetricSpec
from purchase_intent.experiments.design import Design
from purchase_intent.experiments.editing import make_experiment, start_experiment
from purchase_intent.models import Event, Experiment, Exposure, Order, Session, Visitor
from purchase_intent.models.keys import event_key

__all__ = ["BEGIN", "METRICS", "Shopper", "events", "exposed", "open_town", "orders", "running", "shoppers"]

BEGIN = datetime(2026, 3, 2, tzinfo=UTC)
METRICS = (
    MetricSpec(kind="conversion", role="primary", window_days=3),
    MetricSpec(kind="revenue", window_days=3),
    MetricSpec(kind="order_value", window_days=5),
    MetricSpec(kind="add_to_cart", window_days=3),
    MetricSpec(kind="cart_abandonment", window_days=3, role="guardrail", margin=0.2),
    MetricSpec(kind="event", event="search", window_days=2),
)


@dataclass
class Shopper:
    """One person: the arm first shown, when, the score then, and what was done: event or "order", moment, revenue."""

    arm: str
    at: datetime
    score: float | None
    deeds: list[tuple[str, datetime, float]] = field(default_factory=list)


def running(key: str = "bar", *, begin: datetime = BEGIN, metrics: Any = METRICS, **fields: Any) -> Experiment:
    """An experiment that began at `begin`; `design` takes the fields of a Design."""
    arms = fields.pop("arms", (ArmSpec("off", 0.5), ArmSpec("on", 0.5)))
    design = Design(**({"units": 2_000} | fields.pop("design", {})))
    definition = Definition(key=key, title=key, arms=arms, metrics=metrics, design=design, **fields)
    made = make_experiment(definition, who="ada", now=begin)
    start_experiment(made, who="ada", now=begin)
    return made


def shoppers(count: int, *, days: float, seed: int = 1, lift: float = 0.0) -> list[Shopper]:
    """People exposed evenly over so many days, half of them to each arm; those shown "on" buy more often by `lift`."""
    chance = np.random.default_rng(seed)
    found = []
    for number in range(count):
        arm, score = ("off", "on")[number % 2], float(chance.beta(1, 8))
        at = BEGIN + timedelta(days=days) * (number / count) + timedelta(microseconds=number + 1)
        who = Shopper(arm, at, None if number % 50 == 3 else score)
        found.append(who)
        if chance.random() < 0.2 + score:
            who.deeds += [("cart", at + timedelta(hours=float(chance.uniform(0, 100))), 0.0) for _ in range(2)]
        if chance.random() < (0.1 + score) * (1 + (lift if arm == "on" else 0)):
            for _ in range(1 + chance.integers(3)):
                revenue = round(float(chance.lognormal(3, 1)), 2)
                who.deeds.append(("order", at + timedelta(hours=float(chance.uniform(-5, 150))), revenue))
        if chance.random() < 0.3:
            who.deeds.append(("search", at + timedelta(hours=float(chance.uniform(-20, 60))), 0.0))
    return found


def open_town(experiment: Experiment, people: list[Shopper], *, prefix: str = "c") -> list[Visitor]:
    """Store them as rows."""
    last = BEGIN + timedelta(days=60)
    owners = Visitor.objects.bulk_create(
        Visitor(cookie=f"{prefix}{place}", first_seen=BEGIN, last_seen=last) for place in range(len(people))
    )
    told = list(zip(people, owners, strict=True))
    exposed(experiment, told)
    orders(told)
    events([(who, owner) for who, owner in told if any(name != "order" for name, _, _ in who.deeds)])
    return list(owners)


def exposed(experiment: Experiment, people: list[tuple[Shopper, Visitor]]) -> None:
    arms = {arm.key: arm for arm in experiment.arms.all()}
    Exposure.objects.bulk_create(
        Exposure(
            experiment=experiment,
            arm=arms[who.arm],
            unit=owner.cookie,
            visitor=owner,
            device="mobile" if place % 3 else "desktop",
            browser="Firefox" if place % 5 else "Safari",
            at=who.at,
            score=who.score,
        )
        for place, (who, owner) in enumerate(people)
    )


def orders(told: list[tuple[Shopper, Visitor]]) -> None:
    Order.objects.bulk_create(
        Order(
            number=f"{owner.cookie}-{place}",
            visitor=owner,
            revenue=Decimal(str(revenue)),
            placed_at=moment,
        )
        for who, owner in told
        for place, (name, moment, revenue) in enumerate(who.deeds)
        if name == "order"
    )


def events(told: list[tuple[Shopper, Visitor]]) -> None:
    visits = Session.objects.bulk_create(
        Session(key=owner.cookie, visitor=owner, started_at=BEGIN, last_at=BEGIN + timedelta(days=60))
        for _, owner in told
    )
    Event.objects.bulk_create(
        Event(
            key=event_key(
                site="", visitor=owner.cookie, event_id=str(place), milliseconds=int(moment.timestamp() * 1000)
            ),
            event_id=f"{owner.cookie}-{place}",
            visitor=owner,
            session=visit,
            occurred_at=moment,
            received_at=moment,
            sequence=place,
            name=EventName[name.upper()].value,
        )
        for (who, owner), visit in zip(told, visits, strict=True)
        for place, (name, moment, _) in enumerate(who.deeds)
        if name != "order"
    )
