"""Live equals history: what the recorder leaves behind is what folding the stored events gives, byte for byte."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models import Max

from purchase_intent.models import Event, Outcome, Session, Visitor
from purchase_intent.models.session import IDLE
from purchase_intent.sources.orm import stored_events
from purchase_intent.sources.refold import Refolded, refold
from tests.integration.live.walks import walk

pytestmark = pytest.mark.django_db

ZONE = "Europe/Berlin"


def close_all() -> None:
    """End what has ended by the last event, as the task for idle sessions does."""
    last = Event.objects.aggregate(last=Max("occurred_at"))["last"]
    for session in Session.objects.open().filter(last_at__lt=last - IDLE):
        bought = session.read_state().purchases
        Session.objects.swap(
            session,
            closed_at=session.last_at + IDLE,
            outcome=(Outcome.BOUGHT if bought else Outcome.LEFT).value,
        )
    for visitor in Visitor.objects.annotate(last=Max("events__occurred_at")).filter(last__isnull=False):
        Visitor.objects.filter(pk=visitor.pk).update(last_seen=visitor.last)  # type: ignore[attr-defined]


def differing() -> Refolded:
    """How many rows history would write otherwise."""
    close_all()
    with stored_events(zone=ZONE, progress=lambda step: None) as stored:
        return refold(stored, progress=lambda step: None)


@pytest.mark.parametrize("seed", range(6))
def test_a_walk_ends_where_folding_its_stored_events_ends(seed: int) -> None:
    walk(seed, steps=120)
    assert Event.objects.count() > 120
    assert differing() == Refolded()


@pytest.mark.parametrize("seed", range(3))
def test_so_does_a_walk_of_many_sessions_at_once(seed: int) -> None:
    walk(seed, steps=130, browsers=1, customers=1, late=0.03)
    assert differing() == Refolded()


def test_times_are_whole_milliseconds() -> None:
    walk(1, steps=5)
    assert all(when.microsecond % 1000 == 0 for when in Event.objects.values_list("occurred_at", flat=True))
    assert timedelta(0) <= IDLE
