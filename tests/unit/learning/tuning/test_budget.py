"""The time that a search may take."""

from __future__ import annotations

from pathlib import Path

from purchase_intent.learning import MEMBERS, Tuning
from purchase_intent.learning.tuning import Ground
from tests.unit.learning.samples import QUICK
from tests.unit.learning.tuning.searches import lines_of_trials, tuned


class Clock:
    """A second passes at each look."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


def test_the_budget_is_kept_and_shared(ground: Ground, tmp_path: Path) -> None:
    clock, study, ends = Clock(), tmp_path / "study", dict[str, float]()

    def heard(step: str) -> None:
        if not step.startswith("tuning"):
            ends[step.split(maxsplit=1)[0]] = clock.now

    _, figures = tuned(
        ground,
        Tuning(trials=10**6, budget=4.0, study=study),
        names=("xgboost", "lightgbm"),
        progress=heard,
        clock=clock,
    )
    # A look at each round and a few between trials: the end is met within a look or two.
    assert 120 <= ends["xgboost"] <= 124
    assert 240 <= ends["lightgbm"] <= 244
    tried = {name: found["tried"] for name, found in figures["members"].items()}
    assert sum(tried.values()) == len(lines_of_trials(study))
    assert all(trial["state"] in (1, 2) for trial in lines_of_trials(study))
    assert min(tried.values()) >= 2
    assert figures["budget"] == 4.0


def test_a_budget_too_small_for_one_trial_keeps_the_defaults(ground: Ground) -> None:
    steps: list[str] = []
    chosen, figures = tuned(ground, Tuning(trials=5, budget=0.05), progress=steps.append, clock=Clock())
    assert chosen["lightgbm"] == {**MEMBERS["lightgbm"].defaults, **QUICK["lightgbm"]}
    assert figures["members"]["lightgbm"]["tried"] == 0
    assert figures["members"]["lightgbm"]["adopted"] is False
    assert figures["together"] is None
    assert steps[-2:] == [
        "lightgbm keeps its defaults, since no trial ended in time",
        "nothing to adopt: the defaults stay",
    ]
