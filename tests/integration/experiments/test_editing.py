"""Experiments as they are decided on: what is refused, what stands once one runs, and the record of each change."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from purchase_intent.exceptions import ExperimentRefused
from purchase_intent.experiments.definition import ArmSpec, Definition, GroupRange, MetricSpec
from purchase_intent.experiments.editing import (
    change_experiment,
    make_experiment,
    ramp_experiment,
    start_experiment,
    stop_experiment,
)
from purchase_intent.experiments.stored import definition_of
from purchase_intent.models import Experiment, ExperimentArm, ExperimentChange, Holdout
from tests.integration.segments.street import segment_of

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
CONVERSION = MetricSpec(kind="conversion", role="primary")
SOUND: dict[str, Any] = {
    "key": "free-shipping-bar",
    "title": "Free shipping bar",
    "arms": (ArmSpec("plain", 0.5), ArmSpec("bar", 0.5, "With the bar")),
    "metrics": (CONVERSION, MetricSpec(kind="order_value", role="guardrail", margin=0.05, window_days=14)),
}


def definition(**fields: Any) -> Definition:
    return Definition(**SOUND | fields)


def made(**fields: Any) -> Experiment:
    return make_experiment(definition(**fields), who="ada", now=NOW)


def test_what_was_decided_is_read_back() -> None:
    segment_of("fresh", ("visits", "=", 1))
    Holdout.objects.create(key="never", share=0.05)
    wanted = definition(
        hypothesis="It sells.",
        traffic=0.1,
        segment="fresh",
        group=GroupRange("checkout", 0.0, 0.5),
        holdout="never",
    )
    found = make_experiment(wanted, who="ada", now=NOW)
    assert definition_of(Experiment.objects.get()) == wanted
    assert (found.state, found.control, found.created_at) == ("draft", "plain", NOW)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        pytest.param({"arms": (ArmSpec("a", 0.5), ArmSpec("b", 0.4))}, "weights: make them sum to 1", id="weights"),
        pytest.param({"arms": (ArmSpec("a", 1.5), ArmSpec("b", -0.5))}, "weights: give none below 0", id="negative"),
        pytest.param({"arms": (ArmSpec("a", 1.0),)}, "arms: name two or more different arms", id="one arm"),
        pytest.param({"arms": (ArmSpec("a", 0.5), ArmSpec("a", 0.5))}, "arms: name two or more different", id="twice"),
        pytest.param({"arms": (ArmSpec("A b", 0.5), ArmSpec("b", 0.5))}, "arms: “A b” is no key", id="an arm's key"),
        pytest.param({"metrics": ()}, "metrics: an experiment has exactly one primary metric", id="no metric"),
        pytest.param({"metrics": (CONVERSION, replace(CONVERSION, kind="revenue"))}, "exactly one primary", id="two"),
        pytest.param(
            {"metrics": (CONVERSION, MetricSpec(kind="conversion"))}, "name each metric once", id="a metric twice"
        ),
        pytest.param({"traffic": 1.2}, "traffic: give a share from 0 to 1", id="traffic"),
        pytest.param({"group": GroupRange("g", 0.6, 0.4)}, "group: needs 0 <= start < end <= 1", id="range"),
        pytest.param({"key": "Free Bar"}, "key: “Free Bar” is no key", id="key"),
        pytest.param({"title": ""}, "title: give it a name", id="title"),
        pytest.param({"segment": "nix"}, "segment: there is no segment nix", id="segment"),
        pytest.param({"holdout": "nix"}, "holdout: there is no holdout nix", id="holdout"),
    ],
)
def test_what_is_no_experiment_is_refused_and_nothing_written(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(ExperimentRefused) as refused:
        made(**fields)
    assert words in refused.value.message
    assert (Experiment.objects.count(), ExperimentArm.objects.count(), ExperimentChange.objects.count()) == (0, 0, 0)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        pytest.param({"kind": "luck"}, "“luck” is no kind: use one of conversion", id="kind"),
        pytest.param({"kind": "revenue", "role": "judge"}, "“judge” is no role", id="role"),
        pytest.param({"kind": "event"}, "a metric of kind event names one of", id="no event"),
        pytest.param({"kind": "event", "event": "dance"}, "a metric of kind event names one of", id="another event"),
        pytest.param(
            {"kind": "revenue", "event": "view"}, "a metric of kind event names one of", id="an event too many"
        ),
        pytest.param(
            {"kind": "revenue", "role": "guardrail"}, "a guardrail, and nothing else, has a margin", id="none"
        ),
        pytest.param({"kind": "revenue", "margin": 0.02}, "a guardrail, and nothing else, has a margin", id="margin"),
        pytest.param({"kind": "revenue", "window_days": 0}, "a window has from 1 to 90 days, not 0", id="window"),
    ],
)
def test_a_metric_that_is_not_fit_is_refused(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(ExperimentRefused) as refused:
        MetricSpec(**fields)
    assert words in refused.value.message


def test_a_key_is_taken_for_good_and_never_renamed() -> None:
    found = made()
    with pytest.raises(ExperimentRefused, match="key: another experiment is called free-shipping-bar"):
        made(title="Again")
    with pytest.raises(ExperimentRefused, match="key: the key stays free-shipping-bar: another key is another"):
        change_experiment(found, definition(key="other"), who="ada", now=NOW)
    assert Experiment.objects.get().key == "free-shipping-bar"


def test_a_draft_may_change_in_everything_else() -> None:
    found = made()
    wanted = definition(
        title="Bar", arms=(ArmSpec("none", 0.2), ArmSpec("top", 0.4), ArmSpec("foot", 0.4)), traffic=0.5
    )
    change_experiment(found, wanted, who="ben", now=NOW)
    assert definition_of(Experiment.objects.get()) == wanted
    assert [(each.what, each.who) for each in ExperimentChange.objects.order_by("pk")] == [
        ("made", "ada"),
        ("changed", "ben"),
    ]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        pytest.param({"arms": (ArmSpec("plain", 0.5), ArmSpec("foot", 0.5))}, "arms: the arms of", id="arm removed"),
        pytest.param({"arms": (ArmSpec("plain", 0.1), ArmSpec("bar", 0.9, "With the bar"))}, "arms: the", id="weights"),
        pytest.param(
            {"metrics": (MetricSpec(kind="revenue", role="primary"),)}, "metrics: the metrics of", id="metric"
        ),
        pytest.param({"traffic": 0.3}, "ramp it instead", id="traffic"),
        pytest.param({"group": GroupRange("g", 0, 0.5)}, "group: the group of an experiment", id="group"),
    ],
)
def test_what_an_experiment_rests_on_stands_once_it_runs(fields: dict[str, Any], words: str) -> None:
    found = made(traffic=0.5)
    start_experiment(found, who="ada", now=NOW)
    before = definition_of(Experiment.objects.get())
    with pytest.raises(ExperimentRefused) as refused:
        change_experiment(found, definition(**{"traffic": 0.5} | fields), who="ada", now=NOW)
    assert words in refused.value.message
    change_experiment(found, definition(traffic=0.5, title="Another title"), who="ada", now=NOW)
    assert definition_of(Experiment.objects.get()) == replace(before, title="Another title")


def test_it_starts_once_is_ramped_upwards_and_stops_for_good() -> None:
    found = made(traffic=0.1)
    with pytest.raises(ExperimentRefused, match="state: only a running experiment is ramped"):
        ramp_experiment(found, 0.5, who="ada", now=NOW)
    with pytest.raises(ExperimentRefused, match="state: only a running experiment is stopped"):
        stop_experiment(found, who="ada", now=NOW)
    start_experiment(found, who="ada", now=NOW)
    with pytest.raises(ExperimentRefused, match="state: only a draft is started, and this one is running"):
        start_experiment(found, who="ada", now=NOW)
    ramp_experiment(found, 0.5, who="ben", now=NOW)
    for share in (0.4, 1.1):
        with pytest.raises(ExperimentRefused, match=r"traffic: the share may only grow from 0\.5 \(50%\)"):
            ramp_experiment(found, share, who="ben", now=NOW)
    with pytest.raises(ExperimentRefused, match="shipped: “foot” is none of its arms: plain, bar"):
        stop_experiment(found, shipped="foot", who="cy", now=NOW)
    stop_experiment(found, shipped="bar", who="cy", now=NOW + timedelta(days=7), why="It sells.")
    assert (found.state, found.shipped, found.traffic) == ("stopped", "bar", 0.5)
    assert [(each.what, each.who, each.facts) for each in ExperimentChange.objects.order_by("pk")][1:] == [
        ("started", "ada", {"traffic": 0.1, "units": 20_000}),
        ("ramped", "ben", {"before": 0.1, "traffic": 0.5}),
        ("stopped", "cy", {"shipped": "bar", "why": "It sells."}),
    ]


def test_a_draft_that_was_changed_while_its_plan_was_worked_out_is_not_started_by_it() -> None:
    made(traffic=0.1)
    before = Experiment.objects.get()
    change_experiment(Experiment.objects.get(), definition(traffic=0.2), who="ben", now=NOW)
    with pytest.raises(ExperimentRefused, match="state: it was changed meanwhile"):
        start_experiment(before, who="ada", now=NOW)
    assert Experiment.objects.get().state == "draft"
    assert Experiment.objects.get().plan == {}
    start_experiment(Experiment.objects.get(), who="ada", now=NOW)
    assert Experiment.objects.get().state == "running"


def test_of_two_starts_at_once_within_a_group_the_second_waits_for_the_first() -> None:
    if not connection.features.has_select_for_update:
        pytest.skip("only PostgreSQL locks rows")
    draft = made(group=GroupRange("checkout", 0.0, 0.5))
    with CaptureQueriesContext(connection) as asked:
        start_experiment(draft, who="ada", now=NOW)
    tables = [each["sql"].split(" FROM ")[1].split()[0] for each in asked if "FOR UPDATE" in each["sql"]]
    assert tables == ['"purchase_intent_experiment"', '"purchase_intent_exclusiongroup"']


def test_ranges_of_one_group_must_not_overlap_where_they_run() -> None:
    start_experiment(made(key="one", group=GroupRange("checkout", 0.0, 0.5)), who="ada", now=NOW)
    beside = made(key="two", group=GroupRange("checkout", 0.5, 1.0))
    over = made(key="three", group=GroupRange("checkout", 0.4, 0.6))
    elsewhere = made(key="four", group=GroupRange("basket", 0.4, 0.6))
    start_experiment(beside, who="ada", now=NOW)
    start_experiment(elsewhere, who="ada", now=NOW)
    with pytest.raises(ExperimentRefused, match=r"^group: .*give them ranges that do not overlap"):
        start_experiment(over, who="ada", now=NOW)
    assert Experiment.objects.get(key="three").state == "draft"
