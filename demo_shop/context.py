"""What every page of the shop shows around its content."""

from __future__ import annotations

from functools import cached_property

from django.http import HttpRequest

from demo_shop import acts, consent
from demo_shop.basket import count
from demo_shop.models import Department
from purchase_intent.models import Session
from purchase_intent.tracking.attached import tracker_of
from purchase_intent.tracking.consent import objects

__all__ = ["Frame", "shop"]


class Frame:
    """Header and footer's facts, each asked for only by a template that shows it."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    @cached_property
    def departments(self) -> list[Department]:
        return list(Department.objects.all())

    @cached_property
    def pieces(self) -> int:
        return count(acts.owner_of(self._request))

    @property
    def may_ask(self) -> bool:
        """Whether the banner asks for leave to record."""
        return consent.may_ask(self._request)

    @property
    def recorded(self) -> bool:
        """Whether this visitor has said yes, and their browser does not object."""
        return consent.answer(self._request) is consent.Answer.ACCEPTED and not self.objects

    @property
    def objects(self) -> bool:
        """Whether the browser objects to being recorded."""
        return objects(self._request)

    @cached_property
    def session_number(self) -> int | None:
        """This visit's number in the admin; None before its first page is written down, or where nothing is."""
        tracker = tracker_of(self._request)
        if tracker is None:
            return None
        key = tracker.journey.sender.session
        return Session.objects.filter(key=key, site="").values_list("pk", flat=True).first()


def shop(request: HttpRequest) -> dict[str, Frame]:
    """Give templates `shop.departments`, `shop.pieces` (how many pieces are in the basket) and `shop.may_ask`."""
    return {"shop": Frame(request)}
