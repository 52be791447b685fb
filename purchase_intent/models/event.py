"""Events: what happened, once each, in the order in which the fold reads it."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple, Self
from uuid import UUID

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from purchase_intent.events import EventName, Page
from purchase_intent.events.reasons import HIGHEST_MONEY, LONGEST_TEXT, MOST_UNITS
from purchase_intent.models.session import Session
from purchase_intent.models.visitor import Visitor

__all__ = ["Event", "EventQuerySet", "EventRow"]


def _text(name: object) -> models.CharField[str, str]:
    return models.CharField(name, max_length=LONGEST_TEXT, blank=True, default="")  # type: ignore[arg-type]


class EventQuerySet(models.QuerySet["Event"]):
    """Events, in the words the rest of the app asks for them."""

    def in_order(self) -> Self:
        """The one order of history and live: by time, then by sequence."""
        return self.order_by("occurred_at", "sequence", "pk")

    def of_people(self) -> Self:
        """Leave out the events of bots."""
        return self.filter(visitor__bot="")

    def known_by(self, moment: datetime) -> Self:
        """Keep what had happened, and had arrived, before `moment`."""
        return self.filter(occurred_at__lt=moment, received_at__lt=moment)

    def older_than(self, moment: datetime) -> Self:
        """Keep what happened before `moment`."""
        return self.filter(occurred_at__lt=moment)


class Event(models.Model):
    """One event; `key` is made by `models.keys.event_key`. `visitor` is the one known when it arrived, for good.

    No table may point at this one: on PostgreSQL its months are dropped whole.
    """

    key = models.UUIDField(_("key"), primary_key=True, editable=False)
    event_id = models.CharField(_("event id"), max_length=LONGEST_TEXT, help_text=_("The client's own."))
    visitor = models.ForeignKey(
        Visitor, models.CASCADE, related_name="events", db_index=False, verbose_name=_("visitor")
    )
    session = models.ForeignKey(
        Session, models.CASCADE, related_name="events", db_index=False, verbose_name=_("session")
    )
    occurred_at = models.DateTimeField(_("occurred at"), help_text=_("Corrected for the client's clock."))
    received_at = models.DateTimeField(_("received at"))
    sequence = models.BigIntegerField(_("sequence"), help_text=_("Grows within the session: settles equal times."))
    name = models.PositiveSmallIntegerField(_("event"), choices=[(name.value, name.label) for name in EventName])
    page = models.PositiveSmallIntegerField(
        _("page"), choices=[(page.value, page.label) for page in Page], default=Page.OTHER.value
    )
    product = _text(_("product"))
    category = _text(_("category"))
    brand = _text(_("brand"))
    price = models.FloatField(_("price"), null=True, blank=True, help_text=_("Of one unit."))
    quantity = models.PositiveIntegerField(_("quantity"), null=True, blank=True)
    order = _text(_("order"))
    revenue = models.FloatField(_("revenue"), null=True, blank=True, help_text=_("The order's total, on each line."))
    search = _text(_("search term"))
    device = _text(_("device"))
    channel = _text(_("channel"))
    country = _text(_("country"))

    objects = EventQuerySet.as_manager()

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        ordering = ("-occurred_at", "-sequence")
        indexes = (
            models.Index(fields=("session", "occurred_at", "sequence"), name="intent_event_timeline"),
            models.Index(fields=("visitor", "occurred_at"), name="intent_event_visitor"),
            models.Index(fields=("occurred_at", "sequence", "key"), name="intent_event_order"),
            models.Index(fields=("name", "-occurred_at"), name="intent_event_name"),
        )
        constraints = (
            models.CheckConstraint(
                condition=Q(price=None) | Q(price__gte=0, price__lte=HIGHEST_MONEY), name="intent_event_price"
            ),
            models.CheckConstraint(
                condition=Q(quantity=None) | Q(quantity__lte=MOST_UNITS), name="intent_event_quantity"
            ),
            models.CheckConstraint(
                condition=~Q(name=EventName.PURCHASE.value) | ~Q(order=""), name="intent_purchase_has_order"
            ),
        )

    def __str__(self) -> str:
        return f"{EventName(self.name).label} {self.occurred_at:%Y-%m-%d %H:%M:%S}"


class EventRow(NamedTuple):
    """The columns of an `Event` in their order, for an insert without Django's own making of one."""

    key: UUID
    event_id: str
    visitor_id: int
    session_id: int
    occurred_at: datetime
    received_at: datetime
    sequence: int
    name: int
    page: int
    product: str
    category: str
    brand: str
    price: float | None
    quantity: int | None
    order: str
    revenue: float | None
    search: str
    device: str
    channel: str
    country: str
