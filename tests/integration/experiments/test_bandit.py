"""A bandit at work: weights that follow what is seen, arms that stay, shares as expected, figures that are honest."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from purchase_intent.exceptions import ExperimentRefused
from purchase_intent.experiments.analysing import analyse_unrecorded
from purchase_intent.experiments.definition import ArmSpec, MetricSpec
from purchase_intent.experiments.looking import history, look_daily, replay_look
from purchase_intent.experiments.results import Result
from purchase_intent.experiments.weighing import WEIGHED, chances, weights_over_time
from purchase_intent.models import Experiment, Exposure, Segment, SegmentMembership, Visitor
from purchase_intent.segments.presets import install
from tests.integration.experiments.town import BEGIN, Shopper, open_town, running

pytestmark = pytest.mark.django_db

DAYS = 6
A_DAY = 400
RATES = {"off": 0.1, "on": 0.3}
CONVERSION = MetricSpec(kind="conversion", role="primary", window_days=1)
ORDER_VALUE = MetricSpec(kind="order_value", role="primary")
ARMS = (ArmSpec("off", 0.5), ArmSpec("on", 0.5))
THREE = (ArmSpec("off", 0.5), ArmSpec("b", 0.3), ArmSpec("c", 0.2))


def bandit(*, metrics: tuple[MetricSpec, ...] = (CONVERSION,), **fields: Any) -> Experiment:
    return running(metrics=metrics, arms=ARMS, design={"bandit": 0.1, "units": 2_000}, **fields)


def live_through(experiment: Experiment, *, days: int = DAYS) -> None:
    """Shoppers come by the weights of the day, and each midnight is looked at."""
    chance = np.random.default_rng(5)
    for day in range(days):
        weight = experiment.arms.get(key="on").weight
        people = []
        for number in range(A_DAY):
            arm = "on" if chance.random() < weight else "off"
            at = BEGIN + timedelta(days=day, minutes=5 + number)
            bought = chance.random() < RATES[arm]
            spent = 20.0 + 10 * int(chance.integers(5))
            people.append(Shopper(arm, at, None, [("order", at + timedelta(hours=2), spent)] if bought else []))
        open_town(experiment, people, prefix=f"d{day}-")
        look_daily(experiment, now=BEGIN + timedelta(days=day + 1, minutes=1))


def test_weights_follow_what_is_seen_and_the_figures_stay_honest() -> None:
    experiment = bandit(metrics=(CONVERSION, MetricSpec(kind="order_value", window_days=1)))
    live_through(experiment)
    times = weights_over_time(experiment)
    assert dict(times[0][1]) == {"off": 0.5, "on": 0.5}
    assert times[-1][1]["on"] == pytest.approx(0.9, abs=0.01)
    assert all(min(weights.values()) >= 0.1 for _, weights in times)
    assert {arm.key: arm.weight for arm in experiment.arms.all()} == times[-1][1]
    changes = experiment.changes.filter(what=WEIGHED)
    assert set(changes.values_list("who", flat=True)) == {"the daily task"}
    assert changes.count() == len(times) - 1 >= 2
    result = history(experiment)[-1]
    (versus,) = result.metrics[0].versus
    assert versus.fixed is not None
    assert versus.fixed.method == "adaptively weighted"
    assert versus.fixed.difference.low < 0.2 < versus.fixed.difference.high
    assert versus.watched is None
    for arm in result.metrics[0].arms:
        assert arm.low is not None
        assert arm.high is not None
        assert arm.low < RATES[arm.arm] < arm.high
    first, *_, last = (each.metrics[1] for each in history(experiment))
    assert {(each.value, each.low) for each in first.arms} == {(None, None)}  # nobody's day is over
    assert first.versus[0].fixed is None
    for arm in last.arms:
        assert arm.low is not None
        assert arm.high is not None
        assert 30 < arm.low < 40 < arm.high < 50  # the average order, the same for both
    fixed = last.versus[0].fixed
    assert fixed is not None
    assert (fixed.method, fixed.difference.excludes(0)) == ("adaptively weighted", False)
    assert last.versus[0].posterior is not None
    # The shares are far from even, and just as they were to be.
    assert result.exposed["on"] > 1.5 * result.exposed["off"]
    assert result.ratio.sequential_p_value > 0.05
    assert (result.verdict, result.segments) == ("HOLD", ())
    assert "A bandit earns while it learns" in result.reasons[0]
    for look in experiment.looks.all():
        assert replay_look(look).verdict == look.verdict
    moments = [BEGIN + timedelta(hours=1), BEGIN + timedelta(days=DAYS)]
    found = chances(experiment, "on", moments)
    assert found is not None
    assert found.tolist() == [0.5, times[-1][1]["on"]]


def test_devices_and_segments_are_judged_by_the_weights_of_their_own_days() -> None:
    experiment = bandit()
    people = []
    for day, shares in enumerate(((50, 50), (10, 90))):
        for arm, count in zip(("off", "on"), shares, strict=True):
            for number in range(count):
                at = BEGIN + timedelta(days=day, minutes=5 + number)
                bought = number % 10 < 10 * RATES[arm]
                people.append(Shopper(arm, at, None, [("order", at + timedelta(hours=2), 20.0)] if bought else []))
    owners = open_town(experiment, people)
    moved = BEGIN + timedelta(days=1)
    facts = {"before": {"off": 0.5, "on": 0.5}, "after": {"off": 0.1, "on": 0.9}}
    experiment.changes.create(at=moved, who="x", what=WEIGHED, facts=facts)
    Exposure.objects.filter(at__lt=moved).update(device="desktop", browser="")
    Exposure.objects.filter(at__gte=moved).update(device="mobile", browser="")
    robots = [Shopper("on", moved + timedelta(hours=1), None) for _ in range(10)]
    open_town(experiment, robots, prefix="robot")
    Visitor.objects.filter(cookie__startswith="robot").update(bot="crawler")
    install(now=BEGIN)  # those that are not there
    segment = Segment.objects.get(origin="new-visitors")
    segment.memberships.bulk_create(
        SegmentMembership(segment=segment, version=segment.current, visitor=owner, entered_at=BEGIN) for owner in owners
    )
    result = analyse_unrecorded(experiment, moment=BEGIN + timedelta(days=3), segments=True).result
    found = {(part.dimension, part.value): part.ratio.expected for part in result.parts}
    assert found["device", "desktop"] == pytest.approx((50, 50))
    assert found["device", "mobile"] == pytest.approx((10, 90))
    assert found["browser", ""] == pytest.approx((60, 140))
    assert found["bot", ""] == pytest.approx((60, 140))
    assert found["bot", "crawler"] == pytest.approx((1, 9))
    (inside,) = result.segments  # everybody is in it, so it says what is said of all
    assert inside.arms == result.metrics[0].arms
    assert inside.versus[0].fixed == result.metrics[0].versus[0].fixed
    assert inside.versus[0].fixed is not None
    assert inside.versus[0].fixed.method == "adaptively weighted"
    assert Result.from_json(json.loads(json.dumps(result.as_json()))) == result


def test_a_day_moves_the_weights_once() -> None:
    experiment = bandit()
    live_through(experiment, days=3)
    before = experiment.changes.count()
    look_daily(experiment, now=BEGIN + timedelta(days=3, hours=5))
    assert experiment.changes.count() == before


def test_an_experiment_that_is_no_bandit_keeps_its_weights() -> None:
    experiment = running(metrics=(CONVERSION,), arms=ARMS)
    live_through(experiment, days=3)
    assert {arm.weight for arm in experiment.arms.all()} == {0.5}
    assert not experiment.changes.filter(what=WEIGHED).exists()
    assert chances(experiment, "on", [BEGIN]) is None


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        pytest.param({"design": {"bandit": 0.1, "ships": True}}, "ended by hand", id="ships"),
        pytest.param({"design": {"bandit": 0.0}}, "up to 0.5", id="no floor"),
        pytest.param(
            {"design": {"bandit": 0.4}, "arms": (*ARMS[:1], ArmSpec("b", 0.3), ArmSpec("c", 0.2))},
            r"0.4 \(40%\) at",
            id="f",
        ),
        pytest.param(
            {"design": {"bandit": 0.1}, "metrics": (MetricSpec(kind="order_value", role="primary"),)},
            "a bandit follows",
            id="ratio",
        ),
    ],
)
def test_what_makes_no_bandit_is_refused(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(ExperimentRefused, match=words):
        running(**{"metrics": (CONVERSION,), "arms": ARMS} | fields)
    assert not Experiment.objects.exists()
