"""What the OpenAPI document says of the experiments' endpoints: parameters, answers, examples."""

from __future__ import annotations

from typing import Any, Final

from drf_spectacular.utils import OpenApiExample
from rest_framework import serializers

from purchase_intent.api.examples import REFUSED, bad, conflict, forbidden, missing, shown, unreadable
from purchase_intent.api.experiment_bodies import (
    ChangeSerializer,
    DefinitionSerializer,
    ExperimentSerializer,
    ExperimentVerdictSerializer,
    LookSerializer,
    ProposalSerializer,
    RampSerializer,
    RecordSerializer,
    ResultsSerializer,
    StopSerializer,
    UpliftSerializer,
)
from purchase_intent.api.serializers import Query

__all__ = ["CONFLICTS", "NO_EXPERIMENT", "NO_LOOK", "ResultsQuery", "StateQuery"]

CONFLICTS: Final = frozenset({"state", "taken", "running", "early", "busy", "overlap"})
"""Reasons that hang on how far an experiment, or another one, has come."""
NO_EXPERIMENT: Final = "No experiment has this key: take one from the list of experiments."
NO_LOOK: Final = "Nobody has looked yet: the daily task does after the first whole day."


class StateQuery(Query):
    """Filters of the list."""

    state = serializers.ChoiceField(
        choices=("draft", "running", "stopped"), required=False, help_text="Only those that have come so far."
    )


class ResultsQuery(Query):
    """Which days."""

    day = serializers.DateField(required=False, help_text="Only this day's.")
    since = serializers.DateField(required=False, help_text="Only those of this day and later.")


_SENT: Final = {
    "key": "free-shipping-bar",
    "title": "Free shipping bar",
    "hypothesis": "Who sees how near free delivery is buys more.",
    "arms": [{"key": "plain", "weight": 0.5, "title": ""}, {"key": "bar", "weight": 0.5, "title": "With the bar"}],
    "metrics": [
        {"kind": "conversion", "role": "primary", "event": "", "margin": None, "window_days": 7},
        {"kind": "order_value", "role": "guardrail", "event": "", "margin": 0.05, "window_days": 7},
    ],
    "traffic": 0.1,
    "segment": "",
    "group": None,
    "holdout": "",
    "design": {
        "lift": 0.05,
        "power": 0.8,
        "alpha": 0.05,
        "looks": 28,
        "units": None,
        "adjusted": True,
        "quantile": 0.99,
        "ships": False,
        "rolls_back": True,
        "bandit": None,
    },
}
_TOLD: Final = _SENT | {
    "state": "running",
    "shipped": "",
    "started_at": "2026-03-02T09:00:00Z",
    "stopped_at": None,
    "plan": {"plan": {"units": 61_250}, "per_day": 2_190.0, "baseline": 0.031, "ends": "2026-04-06"},
}
_FIGURE: Final = {"value": 0.041, "low": 0.004, "high": 0.079}
_WORDS: Final = {
    "key": "free-shipping-bar",
    "verdict": "HOLD",
    "day": "2026-03-12",
    "share": 0.36,
    "planned": True,
    "arm": "",
    "rolled_back": [],
    "reasons": ["bar is not told apart from plain on conversion, by the group-sequential rule at planned look 10: …"],
    "missing": ["bar lies 1.71 standard errors from plain on conversion, and the rule asks for 3.41 at this look."],
    "expected": "2026-03-24",
    "stands": None,
}
_RESULTS: Final = {
    "key": "free-shipping-bar",
    "results": [_WORDS | {"exposed": {"plain": 11_020, "bar": 10_984}, "metrics": [{"name": "conversion"}]}],
}
_LOOK: Final = {
    "look": 12,
    "at": "2026-03-12T23:00:00Z",
    "taken_at": "2026-03-13T02:50:00Z",
    "day": "2026-03-12",
    "who": "the daily task",
    "kind": "daily",
    "planned": True,
    "share": 0.36,
    "verdict": "HOLD",
    "arm": "",
    "intact": True,
}
_RECORD: Final = _LOOK | {
    "before": "9b1f…",
    "digest": "4c0a…",
    "record": {"format": 1, "plan": {}, "evidence": {}, "decision": {"verdict": "HOLD"}},
    "result": {"metrics": [{"versus": [{"watched": {"lift": _FIGURE}}]}]},
}
_PROPOSAL: Final = {
    "units": 61_250,
    "expected_units": 45_400,
    "weeks": 4,
    "baseline": 0.031,
    "per_day": 2_190.0,
    "window_days": 7,
    "missing": "",
}
_CHANGE: Final = {"at": "2026-03-02T09:00:00Z", "who": "ada", "what": "started", "facts": {"traffic": 0.1}}
_UPLIFT: Final = {
    "model": 3,
    "status": "serving",
    "created_at": "2026-04-01T09:00:00Z",
    "known_at": "2026-04-01T09:00:00Z",
    "treatment": "bar",
    "outcome": "share that ordered",
    "learner": "x",
    "units": 42_000,
    "outcomes": 1_480,
    "forced": False,
    "verdict": "Serves: it ranks visitors it has not learnt from by what they gain, Qini 0.062 (0.045 to 0.077), …",
    "figures": {
        "rankings": {"x": {"qini": [0.062, 0.045, 0.077]}},
        "groups": [{"group": "persuadable", "share": 0.63}],
    },
}
_NO_RIGHT: Final = (
    "Only staff may ask: with purchase_intent.view_experiment to read, and purchase_intent.change_experiment to decide."
)

_ASKED: Final = {**REFUSED, **forbidden(_NO_RIGHT)}
_NAMED: Final = {**_ASKED, **missing("experiment_not_found", NO_EXPERIMENT)}
_UNFIT: Final = bad("arms", "give the arms weights that sum to 1, not 0.9")
_SENDING: Final = unreadable()


def _told(name: str, shape: Any, value: Any, answers: Any, *, status: int = 200, **more: Any) -> dict[str, Any]:
    found = shown(name, value) if status == 200 else [_example(name, value, status)]
    sent = more.pop("example", None)
    return {
        "operation_id": name,
        "tags": ["experiments"],
        "responses": {status: shape, **answers},
        "examples": [*found, *([OpenApiExample("sent", value=sent, request_only=True)] if sent is not None else [])],
        **more,
    }


def _example(name: str, value: Any, status: int) -> OpenApiExample:
    return OpenApiExample(name, value=value, response_only=True, status_codes=[str(status)])


def _conflict(text: str) -> dict[Any, Any]:
    return conflict("experiment_refused", text)


LIST: Final = _told(
    "list_experiments",
    ExperimentSerializer(many=True),
    _TOLD,
    {**bad("state", "“new” is not a valid choice."), **_ASKED},
    parameters=[StateQuery],
)
CREATE: Final = _told(
    "create_experiment",
    ExperimentSerializer,
    _TOLD | {"state": "draft"},
    {**_UNFIT, **_ASKED, **_SENDING, **_conflict("key: another experiment is called so: its key is taken for good")},
    status=201,
    request=DefinitionSerializer,
    example=_SENT,
)
READ: Final = _told("read_experiment", ExperimentSerializer, _TOLD, _NAMED)
CHANGE: Final = _told(
    "change_experiment",
    ExperimentSerializer,
    _TOLD,
    {**_UNFIT, **_NAMED, **_SENDING, **_conflict("arms: the arms of an experiment that has begun stand: stop it")},
    request=DefinitionSerializer,
    example=_SENT,
)
PROPOSAL: Final = _told("size_experiment", ProposalSerializer, _PROPOSAL, _NAMED)
START: Final = _told(
    "start_experiment",
    ExperimentSerializer,
    _TOLD,
    {**_NAMED, **_conflict("state: only a draft is started, and this one is running")},
    request=None,
)
RAMP: Final = _told(
    "ramp_experiment",
    ExperimentSerializer,
    _TOLD | {"traffic": 0.5},
    {
        **bad("traffic", "the share may only grow, from 0.5 up to 1: to end it, stop it"),
        **_NAMED,
        **_SENDING,
        **_conflict("state: only a running experiment is ramped"),
    },
    request=RampSerializer,
    example={"traffic": 0.5},
)
STOP: Final = _told(
    "stop_experiment",
    ExperimentSerializer,
    _TOLD | {"state": "stopped", "shipped": "bar", "stopped_at": "2026-03-30T09:00:00Z"},
    {
        **bad("shipped", "“foot” is none of its arms: plain, bar"),
        **_NAMED,
        **_SENDING,
        **_conflict("state: only a running experiment is stopped"),
    },
    request=StopSerializer,
    example={"ship": "bar", "why": "It sells."},
)
RESULTS: Final = _told(
    "experiment_results",
    ResultsSerializer,
    _RESULTS,
    {**bad("day", "Date has wrong format."), **_NAMED},
    parameters=[ResultsQuery],
)
VERDICT: Final = _told("experiment_verdict", ExperimentVerdictSerializer, _WORDS, _NAMED)
LOOKS: Final = _told("list_looks", LookSerializer(many=True), _LOOK, _NAMED)
LOOK_NOW: Final = _told(
    "look_now",
    RecordSerializer,
    _RECORD | {"kind": "asked", "planned": False, "who": "ada, over the API"},
    {**_NAMED, **_conflict("state: free-shipping-bar has not begun: start it, and then look at it")},
    status=201,
    request=None,
)
LOOK: Final = _told("read_look", RecordSerializer, _RECORD, _NAMED)
CHANGES: Final = _told("list_changes", ChangeSerializer(many=True), _CHANGE, _NAMED)
UPLIFT: Final = _told("list_uplift_models", UpliftSerializer(many=True), _UPLIFT, _NAMED)
