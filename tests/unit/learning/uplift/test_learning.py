"""Effects that were planted are found, whatever learns them, and what is said of a model is what the trial measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from purchase_intent.exceptions import BundleRefused, OfferRefused, TrainingRefused
from purchase_intent.learning import Table
from purchase_intent.learning.uplift import (
    Cuts,
    Effects,
    Group,
    Judged,
    Learner,
    Money,
    Trial,
    dump_uplift,
    learn_uplift,
    load_uplift,
    measured_groups,
    profit_curve,
)
from tests.unit.learning.uplift.trials import CONTROL, KINDS, QUICK, TREATED, planted

KEY = b"key"
MEMBERS = ("lightgbm",)
MONEY = Money(margin=20.0, cost=4.0, contact=0.1)
CENTRES = np.column_stack([np.arange(4), np.zeros(4)]).astype(np.float32)
"""A unit of each kind."""


@pytest.fixture(scope="module")
def found() -> Mapping[Learner, Judged]:
    """What each learner makes of one trial."""
    trial, _ = planted(8_000, 1)
    return {
        learner: learn_uplift(trial, seed=3, learners=(learner,), members=MEMBERS, params=QUICK, money=MONEY)
        for learner in Learner
    }


@pytest.mark.parametrize("learner", list(Learner))
def test_planted_effects_are_found(found: Mapping[Learner, Judged], learner: Learner) -> None:
    judged = found[learner]
    later, kind = planted(4_000, 9)
    effects = judged.model.effects(later.table.values)
    uplift, chance = (
        [float(part[kind == each].mean()) for each in range(4)] for part in (effects.uplift, effects.chance)
    )
    assert uplift == pytest.approx(TREATED - CONTROL, abs=0.05)
    assert chance == pytest.approx(CONTROL, abs=0.05)
    assert judged.ranking.is_better_than_chance
    assert judged.model.spread > 0.8
    cuts = Cuts(**judged.model.figures["cuts"])
    groups = [cuts.group(*each).value for each in zip(chance, uplift, strict=True)]
    assert groups == list(KINDS)


def test_the_groups_show_what_was_measured_of_units_not_learnt_from(found: Mapping[Learner, Judged]) -> None:
    groups = {group["group"]: group for group in found[Learner.X].model.figures["groups"]}
    for kind, name in enumerate(KINDS):
        truth = TREATED[kind] - CONTROL[kind]
        assert groups[name]["low"] < groups[name]["uplift"] < groups[name]["high"], name
        assert groups[name]["uplift"] == pytest.approx(truth, abs=0.06), name
        assert groups[name]["share"] == pytest.approx(0.25, abs=0.1), name
    assert sum(group["units"] for group in groups.values()) == 8_000


def test_targeting_earns_more_than_everybody_or_nobody(found: Mapping[Learner, Judged]) -> None:
    profit = found[Learner.TWO_MODEL].model.figures["profit"]
    everybody, chosen = profit["points"][-1], profit["chosen"]
    assert chosen["low"] > max(0, everybody["high"])
    assert chosen["share"] == pytest.approx(0.3, abs=0.1)  # the lost are a close call
    # One in four is persuadable: 0.35 x 16 - 0.05 x 20 - 0.1 of each.
    assert chosen["low"] < 1000 / 4 * (0.35 * 16 - 0.05 * 20 - 0.1) < chosen["high"]


def test_a_bundle_answers_the_same_and_is_refused_where_it_was_changed(found: Mapping[Learner, Judged]) -> None:
    for judged in found.values():
        data = dump_uplift(judged.model, schema="v1", facts={"experiment": "bar"}, key=KEY)
        again = load_uplift(data, schema="v1", key=KEY)
        assert again.learner == judged.model.learner
        np.testing.assert_array_equal(np.array(again.effects(CENTRES)), np.array(judged.model.effects(CENTRES)))
        assert dump_uplift(again, schema="v1", facts={"experiment": "bar"}, key=KEY) == data
        for schema, key in (("v2", KEY), ("v1", b"other")):
            with pytest.raises(BundleRefused):
                load_uplift(data, schema=schema, key=key)


def test_one_row_is_answered_as_among_others(found: Mapping[Learner, Judged]) -> None:
    model = found[Learner.X].model
    together, alone = model.effects(CENTRES), model.effects(CENTRES[1:2])
    assert (alone.chance[0], alone.uplift[0]) == (together.chance[1], together.uplift[1])
    with pytest.raises(TrainingRefused, match="2 columns"):
        model.effects(CENTRES[:, :1])


def test_too_few_outcomes_are_refused_with_the_shortfall() -> None:
    trial, _ = planted(1_200, 2, share=0.2)
    with pytest.raises(TrainingRefused, match=r"treated: \d+ units, 500 needed; treated: \d+ with the outcome"):
        learn_uplift(trial, seed=1, members=MEMBERS)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        pytest.param("treated", np.array([0, 1, 2]), id="a third arm"),
        pytest.param("labels", np.array([0.0, 0.5, 1.0]), id="half an outcome"),
        pytest.param("labels", np.array([0, 1]), id="one short"),
        pytest.param("chance", np.array([0.5, 1.0, 0.5]), id="no chance of the control"),
    ],
)
def test_a_trial_names_what_does_not_fit(field: str, value: object) -> None:
    trial = Trial(Table(np.zeros((3, 1), np.float32), ("x",)), np.array([0, 1, 1]), np.array([0, 1, 0]), np.arange(3))
    with pytest.raises(TrainingRefused, match=field):
        replace(trial, **{field: value})  # type: ignore[arg-type]


def test_group_rates_and_profit_are_those_counted_by_hand() -> None:
    effects = Effects(np.array([0.1, 0.1, 0.6, 0.1, 0.5, 0.5]), np.array([0.2, 0.3, 0.0, 0.0, -0.3, -0.2]))
    trial = Trial(
        Table(np.zeros((6, 1), np.float32), ("x",)),
        np.array([1, 0, 1, 0, 1, 0]),
        np.array([1, 0, 1, 0, 0, 1]),
        np.arange(6),
    )
    persuadable, sure, lost, put_off = measured_groups(effects, trial, Cuts(gain=0.1, chance=0.3))
    assert (persuadable.units, persuadable.control_rate, persuadable.treated_rate) == (2, 0.0, 1.0)
    assert (put_off.units, put_off.uplift, put_off.predicted) == (2, -1.0, -0.25)
    assert (sure.group, sure.units, lost.group, lost.units) == (Group.SURE, 1, Group.LOST, 1)
    assert (lost.control_rate, lost.treated_rate, lost.uplift, lost.low, lost.high) == (0.0, None, None, None, None)
    nobody = measured_groups(effects, trial, Cuts(gain=0.1, chance=0.05))[2]
    assert (nobody.group, nobody.units, nobody.share, nobody.uplift) == (Group.LOST, 0, 0.0, None)
    assert None not in (put_off.low, put_off.high)
    assert (put_off.low or 0.0) < -0.5 < (put_off.high or 0.0)
    curve = profit_curve(effects, trial, Money(margin=10.0, cost=2.0), seed=1, draws=50)
    # Worth it for the two persuadable: one treated buys (8 for 10 given to half), one control does not.
    assert curve.chosen.share == pytest.approx(2 / 6)
    assert curve.chosen.profit == pytest.approx(1000 * (8 / 0.5) / 6)
    assert curve.points[0].profit == 0


def test_money_below_nothing_is_refused() -> None:
    with pytest.raises(OfferRefused, match="cost"):
        Money(margin=1.0, cost=-1.0)
