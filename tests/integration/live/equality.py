"""What history would make of the stored events, against what the recorder left behind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date

from django.db import transaction
from django.db.models import Max

from purchase_intent.models import Event, Outcome, Session, Visitor
from purchase_intent.models.session import IDLE
from purchase_intent.scoring.facts import facts
from purchase_intent.sources.days import freeze_days
from purchase_intent.sources.orm import stored_events
from purchase_intent.sources.refold import Refolded, refold

__all__ = ["ZONE", "close_all", "differing", "freeze_earlier_days", "starting_over"]

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


def freeze_earlier_days(day: date) -> int:
    """Count the catalogue days before `day`, as the nightly task does."""
    with stored_events(zone=ZONE, progress=lambda step: None) as stored:
        frozen = freeze_days(stored, before=day)
    facts.forget()
    return frozen


@contextmanager
def starting_over() -> Iterator[None]:
    """Take everything back at the end: one test may walk more than once."""
    with suppress(_TakenBack), transaction.atomic():
        yield
        raise _TakenBack


class _TakenBack(Exception):
    """Rolls a transaction back."""
