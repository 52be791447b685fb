"""What the endpoints share by which staff decide: who may, what is sent, how a refusal is told, and who did it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, ClassVar, Final

from django.apps import apps
from django.db import models
from rest_framework import serializers
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.parsers import JSONParser
from rest_framework.request import Request

from purchase_intent.api.permissions import StaffMay
from purchase_intent.api.views import Endpoint
from purchase_intent.exceptions import ExperimentRefused, SegmentRefused

__all__ = [
    "ADDED",
    "CHANGED",
    "CHANGES",
    "CONFLICTS",
    "REMOVED",
    "Conflict",
    "StaffEndpoint",
    "note_in_admin",
    "refusals",
]

ADDED, CHANGED, REMOVED = 1, 2, 3
"""What was done, as the admin's history numbers it."""

CONFLICTS: Final = frozenset({"state", "taken", "running", "early", "busy", "overlap", "named"})
"""Reasons that hang on how far an experiment, or another one, has come."""
CHANGES: Final[Mapping[str, tuple[str, ...]]] = {"POST": ("change",)}
"""For acts on what is there: to change it is enough."""


class Conflict(APIException):
    """What is asked for does not go with what is there."""

    status_code = HTTPStatus.CONFLICT
    default_code = "experiment_refused"


class StaffEndpoint(Endpoint):
    """For JSON and nothing else, by staff with the admin's permissions on what it `keeps`."""

    permission_classes = (StaffMay,)
    parser_classes = (JSONParser,)
    keeps: ClassVar[str]
    """The model, as permissions name it."""
    needs: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """Which permission a method needs, where it is not add for POST, change for PATCH and PUT, delete for DELETE."""

    def sent(self, shape: type[serializers.Serializer[Any]]) -> dict[str, Any]:
        """The body; ValidationError naming what is not fit."""
        given = shape(data=self.request.data)
        given.is_valid(raise_exception=True)
        return dict(given.validated_data)

    @property
    def who(self) -> str:
        """Who asks, for the record."""
        return f"{self.request.user.get_username()}, over the API"


@contextmanager
def refusals() -> Iterator[None]:
    """Tell a refusal with its field and remedy: 409 where it hangs on what is there, else 400."""
    try:
        yield
    except ExperimentRefused as refused:
        if refused.reason in CONFLICTS:
            raise Conflict(refused.message) from refused
        raise ValidationError({refused.field: [refused.remedy]}) from refused
    except SegmentRefused as refused:
        if refused.facts.get("reason") == "taken":
            raise Conflict(refused.message, code=refused.code) from refused
        raise ValidationError(_faults(refused)) from refused


def _faults(refused: SegmentRefused) -> dict[str, list[str]]:
    """What is wrong by field: of conditions, each by itself."""
    facts = refused.facts
    if "field" in facts:
        return {str(facts["field"]): [str(facts["remedy"])]}
    faults = facts.get("faults", (refused.message,))
    return {"rule": [str(each) for each in faults]} if isinstance(faults, tuple) else {"rule": [refused.message]}


def note_in_admin(request: Request, row: models.Model, flag: int, said: str) -> None:
    """Keep what was done in the admin's history, as the desk does, where the admin is installed."""
    if not apps.is_installed("django.contrib.admin"):
        return
    from django.contrib.admin.models import LogEntry

    who: Any = request.user.pk
    LogEntry.objects.log_actions(who, [row], flag, said, single_object=True)
