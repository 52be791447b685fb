"""A pool of customers that grows from nothing: what is calibrated has to be as fresh as what serves."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from purchase_intent.learning import IntentEnsemble, Sample, Slicing, Table
from purchase_intent.learning.forward import parted
from purchase_intent.learning.rehearsal import begin_of_judging, rehearse
from purchase_intent.learning.splits import purged_fractions
from tests.unit.learning.samples import DAY, QUICK

NIGHTS = 39
LATER = 8


class Pool(NamedTuple):
    """Customers at nights, with the true chance of each."""

    sample: Sample
    chance: NDArray[np.float64]


def pool(*, first: int, nights: int, seed: int) -> Pool:
    """Some come each day, and are asked about on one night in seven from then on; the chance falls as they stay away.

    A model cannot know how long that goes on: it has seen nobody stay away for longer than its log.
    """
    rng = np.random.default_rng(seed)
    nightly, daily = np.meshgrid(np.arange(first, first + nights), np.arange(first + nights), indexing="ij")
    there = daily <= nightly
    night, away = np.repeat(nightly[there], 100), np.repeat(daily[there], 100)
    keen = rng.integers(0, 3, len(night))
    chance = np.asarray(0.01 * 3.0**keen * np.exp(-((away / 15) ** 2)) + 0.0005, np.float64)
    values = np.column_stack([away + rng.random(len(night)), keen]).astype(np.float32)
    times = night * DAY
    sample = Sample(
        Table(values, ("away", "keen")),
        (rng.random(len(night)) < chance).astype(np.uint8),
        np.ones(len(night)),
        np.arange(len(night)),
        times,
        ends=times + 7 * DAY,
    )
    return Pool(sample, chance)


@cache
def learnt(*, forward: bool) -> IntentEnsemble:
    sample = pool(first=0, nights=NIGHTS, seed=1).sample
    return IntentEnsemble.fit(
        sample,
        seed=1,
        members=("lightgbm",),
        params={"lightgbm": {**QUICK["lightgbm"], "min_data_in_leaf": 100}},
        slicing=Slicing(purged_fractions(sample, (0.6, 0.2, 0.2)), bring_forward=forward),
    )


def promised(ensemble: IntentEnsemble, later: Pool) -> float:
    """What it promises for each customer that truly is to buy."""
    return float(ensemble.predict(later.sample.table).sum() / later.chance.sum())


@pytest.mark.parametrize(
    ("forward", "low", "high"),
    [
        pytest.param(True, 0.85, 1.15, id="calibrated where it is fresh"),
        pytest.param(False, 0.4, 0.75, id="calibrated when it was old: what has changed counts twice"),
    ],
)
def test_what_it_promises_of_later_nights(forward: bool, low: float, high: float) -> None:
    ensemble = learnt(forward=forward)
    assert low < promised(ensemble, pool(first=NIGHTS + 7, nights=LATER, seed=2)) < high
    assert ensemble.figures.get("brought_forward", False) is forward


def test_its_figures_are_those_of_members_that_knew_all_but_the_calibration_slice() -> None:
    slices = learnt(forward=True).figures["slices"]
    assert (slices["fit"]["first"], slices["fit"]["last"]) == (0, slices["calibration"]["first"] - 8 * DAY)
    assert learnt(forward=False).figures["slices"]["fit"]["last"] < slices["validation"]["first"] - 7 * DAY


def test_a_rehearsal_is_brought_forward_as_well() -> None:
    ensemble, whole = learnt(forward=True), pool(first=0, nights=NIGHTS, seed=1)
    begin = begin_of_judging(ensemble, 0)
    known, later = parted(whole.sample, begin)
    steps: list[str] = []
    fresh = rehearse(ensemble, known, threads=1, progress=steps.append)
    assert steps == ["rehearsing lightgbm", "bringing lightgbm forward"]
    assert 0.8 < promised(fresh, Pool(later, whole.chance[whole.sample.times >= begin])) < 1.25
    turned = replace(known, labels=1 - known.labels)
    assert rehearse(ensemble, turned, threads=1, progress=steps.append).calibration != fresh.calibration
