"""What an experiment has come to, over the API: results, verdict, looks on record, changes, weights, uplift."""

from __future__ import annotations

import json
from datetime import date
from http import HTTPStatus
from typing import Any

from django.utils import timezone
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from purchase_intent.api import experiment_result_examples as examples
from purchase_intent.api.experiment_result_bodies import (
    ChangeSerializer,
    LookSerializer,
    RecordSerializer,
    UpliftSerializer,
)
from purchase_intent.api.experiment_verdicts import latest_verdicts
from purchase_intent.api.experiments import ExperimentEndpoint
from purchase_intent.api.staff import refusals
from purchase_intent.api.views import documented, parameters
from purchase_intent.exceptions import ExperimentRefused
from purchase_intent.experiments.weighing import weights_over_time
from purchase_intent.models import ExperimentLook

__all__ = [
    "ChangesView",
    "LookView",
    "LooksView",
    "ReplayView",
    "ResultsView",
    "UpliftView",
    "VerdictView",
    "WeightsView",
]

MOST = 100
"""Looks, or changes, of one answer: the latest."""


class ResultsView(ExperimentEndpoint):
    """What it has come to, day by day."""

    @documented(examples.RESULTS)
    def get(self, request: Request, key: str) -> Response:
        """Read the daily results, in order of day, as the daily task stored them. Reading them is no look."""
        asked: dict[str, date] = parameters(examples.ResultsQuery, request)
        looks = self.named().looks.daily()
        if "day" in asked:
            looks = looks.filter(day=asked["day"])
        if "since" in asked:
            looks = looks.filter(day__gte=asked["since"])
        return Response({"key": key, "results": list(looks.values_list("result", flat=True))})


class VerdictView(ExperimentEndpoint):
    """What to do now."""

    @documented(examples.VERDICT)
    def get(self, request: Request, key: str) -> Response:  # noqa: ARG002 - the signature is the framework's
        """Read the latest daily verdict in words, with what is missing and by when it is expected."""
        experiment = self.named()
        found = latest_verdicts([experiment.pk]).get(experiment.pk)
        if found is None:
            raise NotFound(examples.NO_LOOK, code="look_not_found")
        return Response(found)


class LooksView(ExperimentEndpoint):
    """Who has looked, and when."""

    @documented(examples.LOOKS)
    def get(self, request: Request, key: str) -> Response:  # noqa: ARG002 - the signature is the framework's
        """List the latest looks: those of the daily task, and all others with their authors."""
        rows = self.named().looks.order_by("-pk")[:MOST]
        return Response(LookSerializer(rows, many=True).data)

    @documented(examples.LOOK_NOW)
    def post(self, request: Request, key: str) -> Response:  # noqa: ARG002 - the signature is the framework's
        """Look now. It goes on record with its author, counts as no planned look, and the stricter rule holds."""
        from purchase_intent.experiments.looking import look_now  # SciPy is nothing that every page should load

        with refusals():
            look = look_now(self.named(), who=self.who, now=timezone.now())
        return Response(_whole(look), status=HTTPStatus.CREATED)


class LookView(ExperimentEndpoint):
    """One decision with its inputs."""

    @documented(examples.LOOK)
    def get(self, request: Request, key: str, look: int) -> Response:  # noqa: ARG002 - the signature is the framework's
        """Read a look's record: all that it can be replayed from."""
        return Response(_whole(_look(self, look)))


class ReplayView(ExperimentEndpoint):
    """One decision made again."""

    @documented(examples.REPLAY)
    def get(self, request: Request, key: str, look: int) -> Response:  # noqa: ARG002 - the signature is the framework's
        """Decide again from a look's record, and say whether that gives the same to the last bit; writes nothing."""
        from purchase_intent.experiments.looking import replay_look  # SciPy is nothing that every page should load

        found, fault = _look(self, look), ""
        try:
            replay_look(found)
        except ExperimentRefused as refused:
            fault = refused.message
        return Response({"look": found.pk, "verdict": found.verdict, "same": not fault, "fault": fault})


class ChangesView(ExperimentEndpoint):
    """What was done to it."""

    @documented(examples.CHANGES)
    def get(self, request: Request, key: str) -> Response:  # noqa: ARG002 - the signature is the framework's
        """List what was done to it, the latest first, with who did it."""
        return Response(ChangeSerializer(self.named().changes.all()[:MOST], many=True).data)


class WeightsView(ExperimentEndpoint):
    """Which arm got how much, and when."""

    @documented(examples.WEIGHTS)
    def get(self, request: Request, key: str) -> Response:  # noqa: ARG002 - the signature is the framework's
        """List from when on each arm had which weight, the earliest first: one entry where they never moved."""
        times = weights_over_time(self.named())
        return Response([{"since": since, "weights": weights} for since, weights in times])


class UpliftView(ExperimentEndpoint):
    """Who is moved by its treatment."""

    @documented(examples.UPLIFT)
    def get(self, request: Request, key: str) -> Response:  # noqa: ARG002 - the signature is the framework's
        """List the models of uplift that were learnt from it, the latest first, with how well each ranks."""
        return Response(UpliftSerializer(self.named().uplift_versions.all()[:MOST], many=True).data)


def _whole(look: ExperimentLook) -> dict[str, Any]:
    return dict(RecordSerializer(look).data) | {"record": json.loads(look.record)}


def _look(view: ExperimentEndpoint, number: int) -> ExperimentLook:
    found: ExperimentLook | None = view.named().looks.filter(pk=number).first()
    if found is None:
        raise NotFound(examples.NO_SUCH_LOOK, code="look_not_found")
    return found
