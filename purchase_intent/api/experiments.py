"""Experiments over the API, for staff: decide on one, start, ramp and stop it, and read what it has come to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from http import HTTPStatus
from typing import Any, ClassVar

from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.exceptions import APIException, NotFound, ValidationError
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response

from purchase_intent.api import experiment_examples as examples
from purchase_intent.api.experiment_bodies import (
    ChangeSerializer,
    DefinitionSerializer,
    ExperimentSerializer,
    LookSerializer,
    RampSerializer,
    RecordSerializer,
    StopSerializer,
    UpliftSerializer,
    definition_from,
)
from purchase_intent.api.permissions import MayRunExperiments
from purchase_intent.api.views import Endpoint, documented, parameters
from purchase_intent.exceptions import ExperimentRefused
from purchase_intent.experiments.editing import (
    change_experiment,
    make_experiment,
    ramp_experiment,
    start_experiment,
    stop_experiment,
)
from purchase_intent.experiments.stored import definition_of
from purchase_intent.models import Experiment, ExperimentLook

__all__ = [
    "ChangesView",
    "ExperimentView",
    "ExperimentsView",
    "LookView",
    "LooksView",
    "ProposalView",
    "RampView",
    "ResultsView",
    "StartView",
    "StopView",
    "UpliftView",
    "VerdictView",
]

MOST = 100
"""Looks, or changes, of one answer: the latest."""


class Conflict(APIException):
    """What is asked for does not go with how far the experiment has come."""

    status_code = HTTPStatus.CONFLICT
    default_code = "experiment_refused"


class ExperimentEndpoint(Endpoint):
    """What these share: who may ask, JSON and nothing else, and how a refusal is told."""

    permission_classes = (MayRunExperiments,)
    parser_classes = (JSONParser,)
    serializer_class: ClassVar[type[serializers.BaseSerializer[Any]]] = ExperimentSerializer  # type: ignore[misc]

    def named(self) -> Experiment:
        """The experiment of the key in the path. NotFound where there is none."""
        rows = Experiment.objects.select_related("segment", "group", "holdout").prefetch_related("arms", "metrics")
        found: Experiment | None = rows.filter(key=self.kwargs["key"]).first()
        if found is None:
            raise NotFound(examples.NO_EXPERIMENT, code="experiment_not_found")
        return found

    def sent(self, shape: type[serializers.Serializer[Any]]) -> dict[str, Any]:
        """The body; ValidationError naming what is not fit."""
        given = shape(data=self.request.data)
        given.is_valid(raise_exception=True)
        return dict(given.validated_data)

    @property
    def who(self) -> str:
        """Who asks, for the record."""
        return f"{self.request.user.get_username()}, over the API"

    def told(self, experiment: Experiment, status: HTTPStatus = HTTPStatus.OK) -> Response:
        """The experiment as it now is."""
        fresh = Experiment.objects.select_related("segment", "group", "holdout").get(pk=experiment.pk)
        return Response(ExperimentSerializer(fresh).data, status=status)


@contextmanager
def refusals() -> Iterator[None]:
    """Tell a refusal with its field and remedy: 409 where it hangs on the state, else 400."""
    try:
        yield
    except ExperimentRefused as refused:
        if refused.reason in examples.CONFLICTS:
            raise Conflict(refused.message) from refused
        raise ValidationError({refused.field: [refused.remedy]}) from refused


class ExperimentsView(ExperimentEndpoint):
    """Every experiment."""

    @documented(examples.LIST)
    def get(self, request: Request) -> Response:
        """List the experiments, those made last first."""
        asked = parameters(examples.StateQuery, request)
        rows = Experiment.objects.select_related("segment", "group", "holdout").prefetch_related("arms", "metrics")
        return Response([ExperimentSerializer(each).data for each in rows.filter(**asked)])

    @documented(examples.CREATE)
    def post(self, request: Request) -> Response:  # noqa: ARG002 - the signature is the framework's
        """Put an experiment on record as a draft: nobody is shown an arm until it is started."""
        with refusals():
            made = make_experiment(definition_from(self.sent(DefinitionSerializer)), who=self.who, now=timezone.now())
        return self.told(made, HTTPStatus.CREATED)


class ExperimentView(ExperimentEndpoint):
    """One experiment."""

    @documented(examples.READ)
    def get(self, request: Request, key: str) -> Response:  # noqa: ARG002 - the signature is the framework's
        """Read one experiment: what was decided, and how far it has come."""
        return Response(ExperimentSerializer(self.named()).data)

    @documented(examples.CHANGE)
    def put(self, request: Request, key: str) -> Response:  # noqa: ARG002 - the signature is the framework's
        """Change a draft; of one that has begun, title, hypothesis, and whether it may end by itself."""
        experiment = self.named()
        with refusals():
            definition = definition_from(self.sent(DefinitionSerializer))
            change_experiment(experiment, definition, who=self.who, now=timezone.now())
        return self.told(experiment)


class ProposalView(ExperimentEndpoint):
    """How large an experiment has to be."""

    @documented(examples.PROPOSAL)
    def get(self, request: Request, key: str) -> Response:  # noqa: ARG002 - the signature is the framework's
        """Say how many visitors and weeks it needs, by the shop's last 28 days."""
        from purchase_intent.experiments.planning import proposal  # SciPy is nothing that every page should load

        found = proposal(definition_of(self.named()), now=timezone.now())
        size = found.sizing
        return Response(
            {
                "units": size and size.units,
                "expected_units": size and size.expected_units,
                "weeks": size and size.weeks,
                "baseline": found.baseline,
                "per_day": found.per_day,
                "window_days": found.window_days,
                "missing": found.missing,
            }
        )


class StartView(ExperimentEndpoint):
    """The start."""

    @documented(examples.START)
    def post(self, request: Request, key: str) -> Response:  # noqa: ARG002 - the signature is the framework's
        """Let a draft take visitors in, and freeze its plan."""
        experiment = self.named()
        with refusals():
            start_experiment(experiment, who=self.who, now=timezone.now())
        return self.told(experiment)


class RampView(ExperimentEndpoint):
    """More traffic."""

    @documented(examples.RAMP)
    def post(self, request: Request, key: str) -> Response:  # noqa: ARG002 - the signature is the framework's
        """Raise the share of visitors that it takes in: nobody changes arm."""
        experiment = self.named()
        with refusals():
            ramp_experiment(experiment, self.sent(RampSerializer)["traffic"], who=self.who, now=timezone.now())
        return self.told(experiment)


class StopView(ExperimentEndpoint):
    """The end."""

    @documented(examples.STOP)
    def post(self, request: Request, key: str) -> Response:  # noqa: ARG002 - the signature is the framework's
        """End it for good: everybody is shown the arm that is shipped, or the control."""
        experiment, sent = self.named(), self.sent(StopSerializer)
        with refusals():
            stop_experiment(experiment, shipped=sent["ship"], who=self.who, now=timezone.now(), why=sent["why"])
        return self.told(experiment)


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
        look = self.named().looks.daily().last()
        if look is None:
            raise NotFound(examples.NO_LOOK, code="look_not_found")
        names = ("key", "verdict", "day", "share", "planned", "arm", "rolled_back", "reasons", "missing", "expected")
        return Response({name: look.result[name] for name in names} | {"stands": look.result.get("stands")})


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
        found = self.named().looks.filter(pk=look).first()
        if found is None:
            raise NotFound(_("This experiment has no such look: take one from the list."), code="look_not_found")
        return Response(_whole(found))


class ChangesView(ExperimentEndpoint):
    """What was done to it."""

    @documented(examples.CHANGES)
    def get(self, request: Request, key: str) -> Response:  # noqa: ARG002 - the signature is the framework's
        """List what was done to it, the latest first, with who did it."""
        return Response(ChangeSerializer(self.named().changes.all()[:MOST], many=True).data)


class UpliftView(ExperimentEndpoint):
    """Who is moved by its treatment."""

    @documented(examples.UPLIFT)
    def get(self, request: Request, key: str) -> Response:  # noqa: ARG002 - the signature is the framework's
        """List the models of uplift that were learnt from it, the latest first, with how well each ranks."""
        return Response(UpliftSerializer(self.named().uplift_versions.all()[:MOST], many=True).data)


def _whole(look: ExperimentLook) -> dict[str, Any]:
    return dict(RecordSerializer(look).data) | {"record": json.loads(look.record)}
