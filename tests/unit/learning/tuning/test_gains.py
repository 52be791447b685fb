"""What is adopted: the best trials, where together they beat the defaults by more than the noise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from purchase_intent.learning import MEMBERS, IntentEnsemble, Sample, Tuning
from purchase_intent.learning.table import Column
from purchase_intent.learning.tuning import Ground
from purchase_intent.learning.tuning.gain import Gain, gain
from purchase_intent.learning.tuning.run import gain_together
from purchase_intent.learning.tuning.search import Confirmed, Found
from tests.unit.learning.samples import QUICK, shop
from tests.unit.learning.tuning.searches import ONE, QUICK_ONE, tuned


def test_a_gain_is_weighed_against_its_noise() -> None:
    sample = shop(50, moments=2)
    rng = np.random.default_rng(3)
    before, after = rng.normal(-2, 1, 100), rng.normal(-2, 1, 100)
    assert gain(before, before, sample) == Gain(0.0, 0.0)
    found = gain(before, after, sample)
    lost = [np.log1p(np.exp(np.where(sample.labels == 1, -odds, odds))) for odds in (before, after)]
    # Sessions of two moments each, all of one weight: the mean over sessions, and its plain standard error.
    won = (lost[0] - lost[1]).reshape(50, 2).mean(axis=1)
    assert found.mean == pytest.approx(won.mean())
    assert found.error == pytest.approx(won.std(ddof=1) / np.sqrt(50))
    pairs = won.reshape(25, 2).mean(axis=1)
    found = gain(before, after, replace(sample, owners=np.repeat(np.arange(25), 4)))
    assert (found.mean, found.error) == pytest.approx((won.mean(), pairs.std(ddof=1) / np.sqrt(25)))


@pytest.mark.parametrize(
    ("mean", "error", "plain"),
    [
        pytest.param(0.0, 0.0, False, id="the same"),
        pytest.param(0.001, 0.001, False, id="one standard error"),
        pytest.param(0.0011, 0.001, True, id="more than one"),
        pytest.param(-0.002, 0.001, False, id="a loss"),
    ],
)
def test_a_plain_gain_is_more_than_one_standard_error(mean: float, error: float, plain: bool) -> None:
    assert Gain(mean, error).is_plain is plain


def found(number: int | None, defaults: Column | None = None, best: Column | None = None) -> Found:
    confirmed = None if defaults is None or best is None else Confirmed(defaults, best)
    return Found(tried=3, cut_short=0, asked=3, number=number, confirmed=confirmed)


def test_members_are_judged_together_by_their_equal_average() -> None:
    sample = shop(50, moments=2)
    rng = np.random.default_rng(4)
    plain, better, worse = rng.normal(-2, 1, (3, 100))
    told = {
        "xgboost": found(2, plain, better),
        "lightgbm": found(1, plain, worse),
        "forest": found(0, plain, plain),
        "catboost": found(None),
    }
    together = gain_together(told, sample)
    assert together is not None
    expected = gain(plain, (better + worse + plain) / 3, sample)
    assert (together.mean, together.error) == pytest.approx((expected.mean, expected.error))
    assert gain_together({"forest": told["forest"], "catboost": told["catboost"]}, sample) is None


@pytest.mark.parametrize(("error", "adopted"), [(0.5, True), (50.0, False)], ids=["proven", "within the noise"])
def test_the_best_is_adopted_only_where_together_they_beat_the_noise(
    ground: Ground, error: float, adopted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("purchase_intent.learning.tuning.run.gain", lambda *losses: Gain(1.0, error))
    chosen, figures = tuned(ground, Tuning(trials=9))
    found = figures["members"]["lightgbm"]
    assert found["trial"] > 0
    assert found["adopted"] is adopted
    before = {**MEMBERS["lightgbm"].defaults, **QUICK["lightgbm"]}
    assert chosen["lightgbm"] == ({**before, **found["params"]} if adopted else before)


def test_what_is_adopted_is_what_the_final_members_are_made_with(
    sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("purchase_intent.learning.tuning.run.gain", lambda *losses: Gain(1.0, 0.1))
    ensemble = IntentEnsemble.fit(sample, seed=5, members=ONE, params=QUICK_ONE, tuning=Tuning(trials=6))
    told = ensemble.figures["tuning"]["members"]["lightgbm"]
    assert told["adopted"] is True
    expected = {**MEMBERS["lightgbm"].defaults, **QUICK["lightgbm"], **told["params"], "seed": 5}
    assert ensemble.members["lightgbm"].settings == expected
    plain = IntentEnsemble.fit(sample, seed=5, members=ONE, params=QUICK_ONE)
    assert "tuning" not in plain.figures
