"""Looks at an experiment: the daily one and others, what they conclude, what follows by itself, and replay."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from io import StringIO
from threading import Barrier, Thread
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.dispatch import Signal
from django.utils import timezone
from pytest_django import Settings

from purchase_intent import tasks
from purchase_intent.exceptions import ExperimentRefused
from purchase_intent.experiments.acting import act_on
from purchase_intent.experiments.analysing import analyse_unrecorded
from purchase_intent.experiments.definition import MetricSpec
from purchase_intent.experiments.editing import change_experiment, stop_experiment
from purchase_intent.experiments.looking import (
    DAILY,
    analyse_all,
    broken_looks,
    history,
    latest,
    look_daily,
    look_now,
    replay_look,
)
from purchase_intent.experiments.planning import planned
from purchase_intent.experiments.results import Conclusion, Result
from purchase_intent.experiments.stored import definition_of
from purchase_intent.models import Experiment, ExperimentChange, ExperimentLook, Visitor
from purchase_intent.signals import experiment_decided, experiment_stopped
from purchase_intent.stats.evidence import Evidence
from tests.integration.experiments.town import BEGIN, Shopper, open_town, running, shoppers

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
NIGHT = timedelta(hours=4, minutes=20)
CONVERSION = (MetricSpec(kind="conversion", role="primary", window_days=1),)


@pytest.fixture(autouse=True)
def shop_in_greenwich(settings: Settings) -> None:
    settings.PURCHASE_INTENT = {**settings.PURCHASE_INTENT, "TIME_ZONE": "UTC"}


def walk_through(experiment: Experiment, *days: int) -> list[ExperimentLook]:
    found = []
    for day in days:
        experiment.refresh_from_db()
        found.append(look_daily(experiment, now=BEGIN + day * DAY + NIGHT))
    return found


def certain(count: int, *, better: str = "on", buyers: int = 6) -> list[Shopper]:
    """So many of ten of those who were shown the better arm order within the hour, and three of ten of the others."""
    found = []
    for number in range(count):
        arm, at = ("off", "on")[number % 2], BEGIN + 10 * DAY * (number / count)
        orders = number // 2 % 10 < (buyers if arm == better else 3)
        found.append(Shopper(arm, at, None, [("order", at + timedelta(hours=1), 10.0)] if orders else []))
    return found


@contextmanager
def heard(signal: Signal) -> Iterator[list[dict[str, Any]]]:
    found: list[dict[str, Any]] = []

    def hear(sender: Any, **told: Any) -> None:
        found.append(told)

    signal.connect(hear)
    try:
        yield found
    finally:
        signal.disconnect(hear)


def test_days_are_looked_at_once_each_planned_where_due_and_kept(django_capture_on_commit_callbacks: Any) -> None:
    experiment = running(metrics=CONVERSION, design={"units": 1_000, "looks": 4})
    open_town(experiment, certain(1_000))
    with pytest.raises(ExperimentRefused, match="day: bar has no whole day behind it: wait for midnight"):
        look_daily(experiment, now=BEGIN + NIGHT)
    with heard(experiment_decided) as told, django_capture_on_commit_callbacks(execute=True):
        looks = walk_through(experiment, *range(1, 7))
    assert [(each.planned, each.share, each.verdict) for each in looks] == [
        (False, 0.0, "HOLD"),
        (False, 0.1, "HOLD"),
        (False, 0.2, "SHIP"),  # by the reserve for moments between the planned ones
        (True, 0.3, "SHIP"),
        (False, 0.4, "SHIP"),
        (True, 0.5, "SHIP"),
    ]
    assert [(each["look"], each["experiment"].key) for each in told] == [(looks[2], "bar")]
    assert look_daily(experiment, now=BEGIN + 6 * DAY + 2 * NIGHT) == looks[5]
    assert ExperimentLook.objects.count() == 6
    results = history(experiment)
    assert [each.day for each in results] == [date(2026, 3, 2) + place * DAY for place in range(6)]
    assert [each.looks_taken for each in results] == [0, 0, 0, 1, 1, 2]
    last = results[-1]
    assert Result.from_json(last.as_json()) == last
    assert (last.arm, last.who, last.exposed) == ("on", DAILY, {"off": 300, "on": 300})
    watched = last.metrics[0].versus[0].watched
    assert watched is not None
    assert (watched.treatment, watched.control) == (0.6, 0.3)
    assert latest(experiment) == looks[5]
    experiment.refresh_from_db()
    assert experiment.state == "running"  # nobody has let it end by itself


def test_what_a_planned_look_concluded_stands_in_between(django_capture_on_commit_callbacks: Any) -> None:
    experiment = running(metrics=CONVERSION, design={"units": 1_000, "looks": 4})
    open_town(experiment, certain(1_000, buyers=4))
    with heard(experiment_decided) as told, django_capture_on_commit_callbacks(execute=True):
        looks = walk_through(experiment, 1, 9, 10, 11)
    assert [(each.planned, each.verdict) for each in looks] == [
        (False, "HOLD"),
        (True, "SHIP"),
        (False, "HOLD"),
        (True, "SHIP"),
    ]
    assert [each["look"] for each in told] == [looks[1]]
    planned, between = history(experiment)[1:3]
    assert between.reasons[0].startswith("The planned look of 2026-03-10 came to SHIP, and that stands")
    assert (planned.stands, between.stands) == (
        None,
        Conclusion(day=date(2026, 3, 10), verdict="SHIP", arm="on", rolled_back=()),
    )
    assert Result.from_json(between.as_json()) == between
    # A hundred visitors a day, and a day's window: that day's look is the first to see two hundred outcomes.
    assert history(experiment)[0].expected == date(2026, 3, 4)


def test_a_look_in_between_is_on_record_and_counts_as_no_planned_one() -> None:
    experiment = running(metrics=CONVERSION, design={"units": 1_000, "looks": 4})
    open_town(experiment, certain(1_000))
    for hour in range(3):
        peek = look_now(experiment, who="ada, by script", now=BEGIN + 4 * DAY + timedelta(hours=hour))
        assert (peek.kind, peek.planned, peek.who) == ("asked", False, "ada, by script")
        rule = Result.from_json(peek.result).metrics[0].versus[0].rule
        assert rule is not None
        assert (rule.rule, rule.number) == ("always-valid", 0)
    look = look_daily(experiment, now=BEGIN + 4 * DAY + NIGHT)
    result = Result.from_json(look.result)
    assert (look.planned, result.looks_taken) == (True, 1)
    rule = result.metrics[0].versus[0].rule
    assert rule is not None
    assert (rule.rule, rule.number) == ("group-sequential", 1)
    assert [each.kind for each in experiment.looks.order_by("pk")] == ["asked"] * 3 + ["daily"]


@pytest.mark.parametrize(
    ("better", "design", "end"),
    [
        pytest.param("on", {"ships": True}, ("stopped", "on", "SHIP"), id="a winner is shipped"),
        pytest.param("off", {"rolls_back": True}, ("stopped", "", "ROLL BACK"), id="a loser is rolled back"),
        pytest.param("on", {"rolls_back": True}, ("running", "", "SHIP"), id="a winner without leave to ship"),
        pytest.param("off", {"ships": True}, ("running", "", "ROLL BACK"), id="a loser without leave to roll back"),
    ],
)
def test_it_ends_by_itself_where_that_was_decided_beforehand(
    better: str, design: dict[str, Any], end: tuple[str, str, str], django_capture_on_commit_callbacks: Any
) -> None:
    experiment = running(metrics=CONVERSION, design={"units": 1_000, "looks": 4} | design)
    open_town(experiment, certain(1_000, better=better))
    look_now(experiment, who="ada", now=BEGIN + 6 * DAY)
    experiment.refresh_from_db()
    assert experiment.state == "running"  # nobody's look ends it but the daily one
    with heard(experiment_stopped) as told, django_capture_on_commit_callbacks(execute=True):
        looks = walk_through(experiment, 1, 2, 3, 4)
    experiment.refresh_from_db()
    assert (experiment.state, experiment.shipped, looks[3].verdict) == end
    changes = ExperimentChange.objects.filter(what="stopped", who="automatic")
    assert (changes.count(), len(told)) == ((1, 1) if end[0] == "stopped" else (0, 0))
    if end[0] == "stopped":
        assert changes.get().facts["why"].startswith(f"{end[2]}: on is {'better' if better == 'on' else 'worse'} than")
        assert analyse_all(BEGIN + 9 * DAY) == {}  # its last look is taken
        assert experiment.looks.daily().count() == 4


@pytest.mark.parametrize(
    ("better", "buyers", "free", "end"),
    [
        pytest.param("on", 4, {"ships": True}, ("stopped", "on", "SHIP"), id="a winner is shipped"),
        pytest.param("off", 4, {"rolls_back": True}, ("stopped", "", "ROLL BACK"), id="a loser is rolled back"),
        pytest.param("on", 4, {"rolls_back": True}, ("running", "", ""), id="no leave to ship"),
    ],
)
def test_leave_to_end_by_itself_that_comes_after_the_end_of_the_plan_acts_on_what_stands(
    better: str, buyers: int, free: dict[str, Any], end: tuple[str, str, str]
) -> None:
    experiment = running(metrics=CONVERSION, design={"units": 800, "looks": 4})
    open_town(experiment, certain(1_000, better=better, buyers=buyers))
    planned, between = walk_through(experiment, 10, 11)
    assert (planned.planned, planned.share >= 1, between.planned, between.verdict) == (True, True, False, "HOLD")
    before = definition_of(experiment)
    after = replace(before, design=replace(before.design, **free))
    change_experiment(experiment, after, who="ada", now=BEGIN + 11 * DAY + 2 * NIGHT)
    assert experiment.state == "running"
    (look,) = walk_through(experiment, 12)
    experiment.refresh_from_db()
    done = ExperimentChange.objects.filter(what="stopped", who="automatic")
    found = done.get().facts["why"].partition(":")[0] if end[2] else ""
    assert (look.verdict, experiment.state, experiment.shipped, found, done.count()) == ("HOLD", *end, bool(end[2]))
    if end[2]:
        assert f"The planned look of 2026-03-11 came to {end[2]}, and that stands" in done.get().facts["why"]


def test_what_stands_is_not_shipped_where_a_later_look_finds_it_worse() -> None:
    experiment = running(metrics=CONVERSION, design={"units": 800, "looks": 4, "ships": True})
    open_town(experiment, certain(400))
    found = analyse_unrecorded(experiment, moment=BEGIN + 9 * DAY).result
    stands = Conclusion(day=date(2026, 3, 10), verdict="SHIP", arm="on", rolled_back=())
    hold = replace(found, verdict="HOLD", arm="", rolled_back=("on",), stands=stands)
    assert not act_on(experiment, hold, now=BEGIN + 12 * DAY)
    assert not act_on(experiment, replace(hold, verdict="INVALID", rolled_back=()), now=BEGIN + 12 * DAY)
    assert Experiment.objects.get().state == "running"
    assert act_on(experiment, replace(hold, rolled_back=()), now=BEGIN + 12 * DAY)
    assert Experiment.objects.get().shipped == "on"


def test_the_look_at_the_end_of_the_plan_is_the_final_one_of_a_guardrail_behind_it_too() -> None:
    slow = MetricSpec(kind="add_to_cart", role="guardrail", margin=0.2, window_days=4)
    experiment = running(metrics=(*CONVERSION, slow), design={"units": 800, "looks": 4})
    open_town(experiment, certain(1_000))
    looks = walk_through(experiment, 5, 10, 11)
    stored = [json.loads(each.record)["evidence"] for each in looks]
    assert [(each["planned"], each["final"]) for each in stored] == [(True, False), (True, True), (False, False)]
    last = looks[1]
    plan, evidence = planned(experiment).plan, Evidence.from_json(stored[1])
    assert evidence.look(plan, "add_to_cart").share < 1
    rule, cautious = (
        plan.monitoring.applied(replace(evidence.look(plan, "add_to_cart"), final=final)) for final in (True, False)
    )
    assert rule is not None
    assert cautious is not None
    assert rule.boundary < cautious.boundary
    result = Result.from_json(last.result)
    (shown,) = [each.versus[0].rule for each in result.metrics if each.role == "guardrail"]
    assert shown == rule
    assert replay_look(last).verdict == last.verdict


def test_a_look_is_replayed_from_its_inputs_and_never_changed() -> None:
    experiment = running(metrics=CONVERSION, design={"units": 1_000, "looks": 4})
    people = open_town(experiment, certain(1_000))
    first, second, third = walk_through(experiment, 1, 2, 3)
    Visitor.objects.filter(pk__in=[each.pk for each in people[:50]]).update(bot="crawler")
    assert replay_look(third).verdict == third.verdict  # whatever became of the rows since
    assert broken_looks(experiment) == []
    with pytest.raises(TypeError, match="never changed"):
        third.save()
    with pytest.raises(TypeError, match="never changed, nor are its verdict"):
        ExperimentLook.objects.filter(pk=third.pk).update(verdict="SHIP")
    forged = ExperimentLook(pk=third.pk, before=third.before, digest=third.digest, day=third.day)
    stored = json.loads(third.record)
    stored["evidence"]["summaries"]["conversion"]["off"] |= {"y": 10.0, "yy": 10.0}
    forged.record = json.dumps(stored)
    with pytest.raises(ExperimentRefused, match="digest: the record of 2026-03-04 is not the one that was written"):
        replay_look(forged)
    forged.digest = ExperimentLook.digest_of(forged.before, forged.record)
    with pytest.raises(ExperimentRefused, match="came out otherwise"):
        replay_look(forged)
    second.delete()
    assert broken_looks(experiment) == [third]
    assert first.is_intact


def test_arms_that_did_not_get_their_shares_invalidate_it_and_show_where() -> None:
    experiment = running(metrics=CONVERSION, design={"units": 1_000, "ships": True})
    people = certain(1_000)
    owners = open_town(experiment, people)
    lost = [each.pk for place, each in enumerate(owners) if place % 2 and place % 5]
    experiment.exposures.filter(visitor__in=lost, browser="Firefox").delete()
    look = look_daily(experiment, now=BEGIN + 8 * DAY)
    result = Result.from_json(look.result)
    experiment.refresh_from_db()
    assert experiment.state == "running"  # nothing ends by figures that cannot be trusted
    assert (look.verdict, result.ratio.sequential_p_value < 0.01) == ("INVALID", True)
    assert (result.parts[0].dimension, result.parts[0].value) == ("browser", "Firefox")
    assert result.metrics[0].versus == ()
    assert "Look at the breakdown by browser, device and bot label, mend the cause, and start anew." in result.reasons


def test_the_task_looks_at_all_that_run_and_says_what_it_could_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: BEGIN + 5 * DAY + NIGHT)
    first = running(metrics=CONVERSION, design={"units": 1_000})
    open_town(first, shoppers(300, days=5))
    running("young", begin=BEGIN + 5 * DAY + NIGHT / 2)
    done = running("done", metrics=CONVERSION)
    stop_experiment(done, who="ada", now=BEGIN + 2 * DAY + NIGHT)
    said = {
        "bar": "HOLD",
        "young": "day: young has no whole day behind it: wait for midnight",
        "done": "HOLD",
    }
    assert tasks.analyse_experiments() == said
    assert tasks.analyse_experiments() == {name: said[name] for name in ("bar", "young")}
    assert ExperimentLook.objects.count() == 2
    assert done.looks.get().at == BEGIN + 2 * DAY + NIGHT


def test_a_fault_in_one_keeps_no_other_from_its_look(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    running("broken", metrics=CONVERSION)
    running("sound", metrics=CONVERSION)

    def breaking(experiment: Experiment, **options: Any) -> Any:
        return 1 / 0 if experiment.key == "broken" else analyse_unrecorded(experiment, **options)

    monkeypatch.setattr("purchase_intent.experiments.looking.analyse_unrecorded", breaking)
    assert analyse_all(BEGIN + 2 * DAY) == {"broken": "failed: ZeroDivisionError, the log says more", "sound": "HOLD"}
    assert [record.getMessage() for record in caplog.records] == ["No look was taken at broken."]


def test_the_command_does_the_same_and_says_what_it_cannot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: BEGIN + 5 * DAY + NIGHT)

    def said(*words: str) -> str:
        out = StringIO()
        call_command("intent_experiments", *words, stdout=out, no_color=True)
        return out.getvalue()

    assert said() == "No experiments.\n"
    experiment = running(metrics=CONVERSION, design={"units": 1_000, "looks": 4})
    open_town(experiment, certain(1_000))
    with pytest.raises(CommandError, match="Nobody has looked at bar yet: the daily task does, or analyse"):
        said("verdict", "bar")
    assert said("daily") == f"{'bar':32} SHIP\n"
    assert said("list") == f"{'bar':32} running     100%  SHIP, 2026-03-06, 40% of the visitors\n"
    assert "on is better than off on conversion, by the group-sequential rule" in said("verdict", "bar")
    assert "This look is on record." in said("analyse", "bar")
    assert experiment.looks.get(kind="asked").who.endswith("intent_experiments")
    assert said("replay", "bar") == "2 looks of bar replayed, each to the same verdict.\n"
    with pytest.raises(CommandError, match="No experiment has the key foo"):
        said("analyse", "foo")
    with pytest.raises(CommandError, match="state: only a draft is started, and this one is running"):
        said("start", "bar")
    with pytest.raises(CommandError, match="traffic: the share may only grow"):
        said("ramp", "bar", "0.5")
    assert said("stop", "bar", "--ship", "on") == "bar is stopped: everybody is shown on.\n"
    experiment.looks.daily().delete()
    with pytest.raises(
        CommandError, match="The record of bar is broken at 2026-03-07: a look was changed or taken out"
    ):
        said("replay", "bar")


@pytest.mark.django_db(transaction=True)
def test_of_two_daily_looks_at_once_one_is_written_and_acts_once() -> None:
    if not connection.features.has_select_for_update:
        pytest.skip("only PostgreSQL locks rows")
    experiment = running(metrics=CONVERSION, design={"units": 1_000, "looks": 4, "ships": True})
    open_town(experiment, certain(1_000))
    ready, found = Barrier(2), []

    def look() -> None:
        mine = Experiment.objects.get(pk=experiment.pk)
        ready.wait()
        found.append(look_daily(mine, now=BEGIN + 6 * DAY + NIGHT).pk)
        connection.close()

    beside = [Thread(target=look) for _ in range(2)]
    for each in beside:
        each.start()
    for each in beside:
        each.join()
    experiment.refresh_from_db()
    assert (experiment.state, experiment.shipped) == ("stopped", "on")
    assert found == [experiment.looks.get().pk] * 2
    assert experiment.changes.filter(what="stopped", who="automatic").count() == 1
