"""Experiments over the API, for staff: decide on one, size it, start, ramp and stop it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

from django.utils import timezone
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from purchase_intent.api import experiment_examples as examples
from purchase_intent.api.experiment_bodies import (
    DefinitionSerializer,
    ExperimentSerializer,
    ProposalSerializer,
    RampSerializer,
    StopSerializer,
    definition_from,
)
from purchase_intent.api.experiment_verdicts import latest_verdicts
from purchase_intent.api.staff import CHANGES, StaffEndpoint, refusals
from purchase_intent.api.views import documented, parameters
from purchase_intent.experiments.definition import Definition
from purchase_intent.experiments.editing import (
    change_experiment,
    make_experiment,
    ramp_experiment,
    start_experiment,
    stop_experiment,
)
from purchase_intent.experiments.stored import definition_of
from purchase_intent.models import Experiment

__all__ = [
    "ExperimentEndpoint",
    "ExperimentView",
    "ExperimentsView",
    "ProposalView",
    "RampView",
    "SizingView",
    "StartView",
    "StopView",
]

_PROPOSED: Final = ("sizing", "baseline", "reduction", "assumed", "per_day", "window_days", "missing")


class ExperimentEndpoint(StaffEndpoint):
    """What these share: which experiment is meant, and how it is told."""

    keeps = "experiment"
    needs = CHANGES
    serializer_class = ExperimentSerializer

    def named(self) -> Experiment:
        """The experiment of the key in the path. NotFound where there is none."""
        rows = Experiment.objects.select_related("segment", "group", "holdout").prefetch_related("arms", "metrics")
        found: Experiment | None = rows.filter(key=self.kwargs["key"]).first()
        if found is None:
            raise NotFound(examples.NO_EXPERIMENT, code="experiment_not_found")
        return found

    def told(self, experiment: Experiment, status: HTTPStatus = HTTPStatus.OK) -> Response:
        """The experiment as it now is."""
        fresh = Experiment.objects.select_related("segment", "group", "holdout").get(pk=experiment.pk)
        return Response(_told([fresh])[0], status=status)


class ExperimentsView(ExperimentEndpoint):
    """Every experiment."""

    needs = {"POST": ("add",)}  # noqa: RUF012 (the class's own, never written to)

    @documented(examples.LIST)
    def get(self, request: Request) -> Response:
        """List the experiments, those made last first, each with its latest daily verdict in words."""
        asked = parameters(examples.StateQuery, request)
        rows = Experiment.objects.select_related("segment", "group", "holdout").prefetch_related("arms", "metrics")
        return Response(_told(list(rows.filter(**asked))))

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
        return Response(_told([self.named()])[0])

    @documented(examples.CHANGE)
    def put(self, request: Request, key: str) -> Response:  # noqa: ARG002 - the signature is the framework's
        """Change a draft; of one that has begun, title, hypothesis, and whether it may end by itself."""
        experiment = self.named()
        with refusals():
            definition = definition_from(self.sent(DefinitionSerializer))
            change_experiment(experiment, definition, who=self.who, now=timezone.now())
        return self.told(experiment)


class ProposalView(ExperimentEndpoint):
    """How large an experiment on record has to be."""

    @documented(examples.PROPOSAL)
    def get(self, request: Request, key: str) -> Response:  # noqa: ARG002 - the signature is the framework's
        """Say how many visitors and weeks it needs, by the shop's last 28 days."""
        with refusals():
            return Response(_proposed(definition_of(self.named())))


class SizingView(ExperimentEndpoint):
    """How large an experiment would have to be that nobody has put on record."""

    needs = {"POST": ("add", "change")}  # noqa: RUF012 (the class's own, never written to)

    @documented(examples.SIZING)
    def post(self, request: Request) -> Response:  # noqa: ARG002 - the signature is the framework's
        """Say how many visitors and weeks an experiment would need, and what is found sooner; nothing is saved."""
        with refusals():
            return Response(_proposed(definition_from(self.sent(DefinitionSerializer))))


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


def _proposed(definition: Definition) -> dict[str, Any]:
    from purchase_intent.experiments.planning import found_in, proposal  # SciPy is nothing that every page should load

    found = proposal(definition, now=timezone.now())
    facts = {name: getattr(found, name) for name in _PROPOSED}
    return dict(ProposalSerializer(facts | {"found_in": found_in(definition, found)}).data)


def _told(experiments: list[Experiment]) -> list[dict[str, Any]]:
    """Each with its latest verdict, which all of them cost one query."""
    verdicts = latest_verdicts(each.pk for each in experiments)
    return [dict(ExperimentSerializer(each, context={"verdicts": verdicts}).data) for each in experiments]
