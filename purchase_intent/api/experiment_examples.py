"""What the OpenAPI document says of the experiments' endpoints: parameters, answers, examples."""

from __future__ import annotations

from typing import Final

from rest_framework import serializers

from purchase_intent.api.describing import described, only_staff, refused
from purchase_intent.api.examples import bad, missing, unreadable
from purchase_intent.api.experiment_bodies import (
    DefinitionSerializer,
    ExperimentSerializer,
    ProposalSerializer,
    RampSerializer,
    StopSerializer,
)
from purchase_intent.api.serializers import Query

__all__ = ["ASKED", "DECIDED", "NAMED", "NO_EXPERIMENT", "OF_A_DAY", "StateQuery"]

NO_EXPERIMENT: Final = "No experiment has this key: take one from the list of experiments."


class StateQuery(Query):
    """Filters of the list."""

    state = serializers.ChoiceField(
        choices=("draft", "running", "stopped"), required=False, help_text="Only those that have come so far."
    )


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
        "uplift": False,
        "bandit": None,
    },
}
OF_A_DAY: Final = {
    "key": "free-shipping-bar",
    "verdict": "HOLD",
    "rule": "group-sequential",
    "day": "2026-03-12",
    "taken_at": "2026-03-13T02:50:00Z",
    "share": 0.36,
    "planned": True,
    "arm": "",
    "rolled_back": [],
    "reasons": ["bar is not told apart from plain on conversion, by the group-sequential rule at planned look 10: …"],
    "missing": ["bar lies 1.71 standard errors from plain on conversion, and the rule asks for 3.41 at this look."],
    "expected": "2026-03-24",
    "stands": None,
}
_TOLD: Final = _SENT | {
    "state": "running",
    "shipped": "",
    "started_at": "2026-03-02T09:00:00Z",
    "stopped_at": None,
    "plan": {"plan": {"units": 61_250}, "per_day": 2_190.0, "baseline": 0.031, "ends": "2026-04-06"},
    "latest_verdict": OF_A_DAY,
}
_PROPOSAL: Final = {
    "units": 61_250,
    "expected_units": 45_400,
    "fixed_units": 55_700,
    "weeks": 4,
    "baseline": 0.031,
    "reduction": 0.112,
    "assumed": [
        "Reckoned from the 61,320 visitors who came from 26 January to 22 February 2026, each from the first visit on.",
        (
            "The chance to buy is expected to take 11.2% of the noise out, as the scores stored at the time did for "
            "48,014 of these visitors."
        ),
    ],
    "per_day": 2_190.0,
    "window_days": 7,
    "missing": "",
    "found_in": [{"days": 7, "units": 15_330.0, "lift": 0.103}, {"days": 14, "units": 30_660.0, "lift": 0.072}],
}
ASKED: Final = only_staff("view_experiment")
NAMED: Final = {**ASKED, **missing("experiment_not_found", NO_EXPERIMENT)}
_ADDED: Final = only_staff("add_experiment")
DECIDED: Final = {**NAMED, **only_staff("change_experiment")}
_UNFIT: Final = bad("arms", "give the arms weights that sum to 1, not 0.9")
_SENDING: Final = unreadable()


LIST: Final = described(
    "list_experiments",
    ExperimentSerializer(many=True),
    _TOLD,
    {**bad("state", "“new” is not a valid choice."), **ASKED},
    parameters=[StateQuery],
)
CREATE: Final = described(
    "create_experiment",
    ExperimentSerializer,
    _TOLD | {"state": "draft", "started_at": None, "plan": {}, "latest_verdict": None},
    {**_UNFIT, **_ADDED, **_SENDING, **refused("key: another experiment is called so: its key is taken for good")},
    status=201,
    request=DefinitionSerializer,
    example=_SENT,
)
READ: Final = described("read_experiment", ExperimentSerializer, _TOLD, NAMED)
CHANGE: Final = described(
    "change_experiment",
    ExperimentSerializer,
    _TOLD,
    {**_UNFIT, **DECIDED, **_SENDING, **refused("arms: the arms of an experiment that has begun stand: stop it")},
    request=DefinitionSerializer,
    example=_SENT,
)
PROPOSAL: Final = described("size_experiment", ProposalSerializer, _PROPOSAL, {**_UNFIT, **NAMED})
SIZING: Final = described(
    "size_new_experiment",
    ProposalSerializer,
    _PROPOSAL,
    {**_UNFIT, **only_staff("add_experiment", "change_experiment"), **_SENDING},
    request=DefinitionSerializer,
    example=_SENT,
)
START: Final = described(
    "start_experiment",
    ExperimentSerializer,
    _TOLD,
    {**DECIDED, **refused("state: only a draft is started, and this one is running")},
    request=None,
)
RAMP: Final = described(
    "ramp_experiment",
    ExperimentSerializer,
    _TOLD | {"traffic": 0.5},
    {
        **bad("traffic", "the share may only grow from 0.5 (50%): to end it, stop it"),
        **DECIDED,
        **_SENDING,
        **refused("state: only a running experiment is ramped"),
    },
    request=RampSerializer,
    example={"traffic": 0.5},
)
STOP: Final = described(
    "stop_experiment",
    ExperimentSerializer,
    _TOLD | {"state": "stopped", "shipped": "bar", "stopped_at": "2026-03-30T09:00:00Z"},
    {
        **bad("shipped", "“foot” is none of its arms: plain, bar"),
        **DECIDED,
        **_SENDING,
        **refused("state: only a running experiment is stopped"),
    },
    request=StopSerializer,
    example={"ship": "bar", "why": "It sells."},
)
