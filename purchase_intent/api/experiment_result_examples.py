"""What the OpenAPI document says of the endpoints of an experiment's results: parameters, answers, examples."""

from __future__ import annotations

from typing import Final

from rest_framework import serializers

from purchase_intent.api.describing import described, refused
from purchase_intent.api.examples import bad, missing
from purchase_intent.api.experiment_examples import DECIDED, NAMED, OF_A_DAY
from purchase_intent.api.experiment_result_bodies import (
    ChangeSerializer,
    ExperimentVerdictSerializer,
    LookSerializer,
    RecordSerializer,
    ReplaySerializer,
    ResultsSerializer,
    UpliftSerializer,
    WeightsSerializer,
)
from purchase_intent.api.serializers import Query

__all__ = ["NO_LOOK", "NO_SUCH_LOOK", "ResultsQuery"]

NO_LOOK: Final = "Nobody has looked yet: the daily task does after the first whole day."
NO_SUCH_LOOK: Final = "This experiment has no such look: take one from the list."


class ResultsQuery(Query):
    """Which days."""

    day = serializers.DateField(required=False, help_text="Only this day's.")
    since = serializers.DateField(required=False, help_text="Only those of this day and later.")


_FIGURE: Final = {"value": 0.041, "low": 0.004, "high": 0.079}
_SHOWN: Final = {name: value for name, value in OF_A_DAY.items() if name not in ("rule", "taken_at")}
_RESULTS: Final = {
    "key": "free-shipping-bar",
    "results": [_SHOWN | {"exposed": {"plain": 11_020, "bar": 10_984}, "metrics": [{"name": "conversion"}]}],
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
_OF_LOOK: Final = {**NAMED, **missing("look_not_found", NO_SUCH_LOOK)}

RESULTS: Final = described(
    "experiment_results",
    ResultsSerializer,
    _RESULTS,
    {**bad("day", "Date has wrong format."), **NAMED},
    parameters=[ResultsQuery],
)
VERDICT: Final = described(
    "experiment_verdict", ExperimentVerdictSerializer, OF_A_DAY, {**NAMED, **missing("look_not_found", NO_LOOK)}
)
LOOKS: Final = described("list_looks", LookSerializer(many=True), _LOOK, NAMED)
LOOK_NOW: Final = described(
    "look_now",
    RecordSerializer,
    _RECORD | {"kind": "asked", "planned": False, "who": "ada, over the API"},
    {**DECIDED, **refused("state: free-shipping-bar has not begun: start it, and then look at it")},
    status=201,
    request=None,
)
LOOK: Final = described("read_look", RecordSerializer, _RECORD, _OF_LOOK)
REPLAY: Final = described(
    "replay_look", ReplaySerializer, {"look": 12, "verdict": "HOLD", "same": True, "fault": ""}, _OF_LOOK
)
CHANGES: Final = described("list_changes", ChangeSerializer(many=True), _CHANGE, NAMED)
WEIGHTS: Final = described(
    "list_weights",
    WeightsSerializer(many=True),
    {"since": "2026-03-02T09:00:00Z", "weights": {"plain": 0.5, "bar": 0.5}},
    NAMED,
)
UPLIFT: Final = described("list_uplift_models", UpliftSerializer(many=True), _UPLIFT, NAMED)
