"""What is tried: the defaults first, everything within its range, the hopeless cut short."""

from __future__ import annotations

from pathlib import Path

import pytest

from purchase_intent.learning import MEMBERS, Tuning
from purchase_intent.learning.members import Range
from purchase_intent.learning.tuning import Ground, chosen_params, tune
from tests.unit.learning.tuning.searches import ONE, lines_of_trials, tuned


def test_the_defaults_come_first_and_the_best_is_no_worse(ground: Ground, tmp_path: Path) -> None:
    study, steps = tmp_path / "study", list[str]()
    _, figures = tuned(ground, Tuning(trials=7, study=study), progress=steps.append)
    first, *others = lines_of_trials(study)
    defaults = MEMBERS["lightgbm"].defaults
    assert first["params"] == {
        name: defaults[name] for name in ("min_data_in_leaf", "feature_fraction", "bagging_fraction", "lambda_l2")
    }
    found = figures["members"]["lightgbm"]
    values = [trial["value"] for trial in (first, *others) if trial["state"] == 1]
    assert found["defaults"] == first["value"]
    assert found["best"] == min(values) <= first["value"]
    assert (found["tried"], found["asked"], found["cut_short"]) == (7, 7, 7 - len(values))
    assert steps[1] == "tuning lightgbm: trial 1 of 7, the defaults"
    assert steps[2] == f"tuning lightgbm: trial 2 of 7, best log-loss {values[0]:.5f}, defaults {values[0]:.5f}"
    assert "after 7 of 7 trials" in steps[-2]


def test_every_trial_stays_in_its_range(ground: Ground, tmp_path: Path) -> None:
    tuned(ground, Tuning(trials=4, study=tmp_path / "study"), names=("forest", "catboost"))
    trials = lines_of_trials(tmp_path / "study")
    assert len(trials) == 8
    for trial in trials:
        member = MEMBERS["catboost" if "random_strength" in trial["params"] else "forest"]
        assert all(value in member.space[name] for name, value in trial["params"].items())


@pytest.mark.parametrize("name", MEMBERS)
def test_every_default_lies_in_the_range_that_is_searched(name: str) -> None:
    member = MEMBERS[name]
    for param, room in member.space.items():
        assert member.defaults[param] in room
        assert "learning_rate" in member.space
        assert not room.whole or isinstance(member.defaults[param], int)


@pytest.mark.parametrize(("low", "high", "log"), [(1.0, 1.0, False), (2.0, 1.0, False), (0.0, 1.0, True)])
def test_a_range_of_nothing_is_refused(low: float, high: float, log: bool) -> None:
    with pytest.raises(ValueError, match="is no range"):
        Range(low, high, log=log)


def test_the_hopeless_are_cut_short(ground: Ground, tmp_path: Path) -> None:
    study = tmp_path / "study"
    _, figures = tuned(ground, Tuning(trials=16, study=study), names=("xgboost",))
    cut = [trial for trial in lines_of_trials(study) if trial["state"] == 2]
    assert len(cut) == figures["members"]["xgboost"]["cut_short"] > 0
    assert all(max(map(int, trial["intermediate_values"])) >= 4 for trial in cut)


def test_with_everything_given_there_is_one_trial(ground: Ground) -> None:
    given = {"lightgbm": dict(MEMBERS["lightgbm"].defaults)}
    settings = chosen_params(ONE, given)
    _, figures = tune(ground, settings, Tuning(trials=9), given=given, progress=lambda step: None)
    assert figures["tuning"]["members"]["lightgbm"]["tried"] == 1
