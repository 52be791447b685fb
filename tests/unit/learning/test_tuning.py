"""Tuning: what is tried, kept, gone on from, chosen, and what it never sees."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
import pytest

from purchase_intent.exceptions import MissingExtra, TrainingBusy, TrainingRefused
from purchase_intent.learning import MEMBERS, IntentEnsemble, Sample, Table, Tuning, split
from purchase_intent.learning.members import Range
from purchase_intent.learning.splits import FRACTIONS
from purchase_intent.learning.tuning import Ground, chosen_params, tune
from purchase_intent.learning.tuning.gain import Gain, Losses, gain
from purchase_intent.learning.tuning.inner import inner_slices
from tests.unit.learning.samples import QUICK, shop

ONE = ("lightgbm",)
QUICK_ONE = {"lightgbm": QUICK["lightgbm"]}
"""What is given stays: the search is over the other four."""


@pytest.fixture(autouse=True)
def few_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    for member in MEMBERS.values():
        monkeypatch.setattr(member, "max_rounds", 30)


@pytest.fixture(scope="module")
def ground() -> Ground:
    sample = shop(600)
    return Ground(sample, split(sample).fit, FRACTIONS, seed=5, threads=1)


def tuned(
    ground: Ground,
    tuning: Tuning,
    *,
    names: tuple[str, ...] = ONE,
    progress: Callable[[str], None] = lambda step: None,
    clock: Callable[[], float] = monotonic,
) -> tuple[dict[str, Any], dict[str, Any]]:
    given = {name: QUICK[name] for name in names}
    settings = chosen_params(names, given, tuning=tuning)
    chosen, figures = tune(ground, settings, tuning, given=given, progress=progress, clock=clock)
    return dict(chosen), figures["tuning"]


def lines_of_trials(path: Path) -> list[dict[str, Any]]:
    return [line for line in map(json.loads, path.read_text().splitlines()) if line["op_code"] == 4]


@pytest.fixture(scope="module")
def whole(ground: Ground) -> tuple[dict[str, Any], dict[str, Any]]:
    """Nine trials in one go."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MEMBERS["lightgbm"], "max_rounds", 30)
        return tuned(ground, Tuning(trials=9))


# ------------------------------------------------------------------ what is tried


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
    assert "after 7 of 7 trials" in steps[-1]


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


# ------------------------------------------------------------------ going on


def test_going_on_is_the_same_as_never_having_stopped(
    ground: Ground, whole: tuple[dict[str, Any], dict[str, Any]], tmp_path: Path
) -> None:
    study, steps = tmp_path / "study", list[str]()
    tuned(ground, Tuning(trials=4, study=study))
    before = study.read_bytes()
    chosen, figures = tuned(ground, Tuning(trials=9, study=study), progress=steps.append)
    assert (chosen, figures) == whole
    assert study.read_bytes().startswith(before)
    assert [step.split(",")[0] for step in steps[1:-1]] == [f"tuning lightgbm: trial {n} of 9" for n in range(5, 10)]
    settled, steps[:] = study.read_bytes(), []
    assert tuned(ground, Tuning(trials=9, study=study), progress=steps.append) == whole
    assert len(lines_of_trials(study)) == 9
    assert not any("trial" in step.split(":")[-1] for step in steps[1:-1])
    assert settled.count(b'"op_code":4') == 9


SCRIPT = """
from tests.unit.learning import test_tuning as here
from purchase_intent.learning import MEMBERS, Tuning
MEMBERS["lightgbm"].max_rounds = 30
sample = here.shop(600)
ground = here.Ground(sample, here.split(sample).fit, here.FRACTIONS, seed=5, threads=1)
told = lambda step: print(step, flush=True)
here.tuned(ground, Tuning(trials=10**6, study=here.Path({study!r})), progress=told)
"""


def test_a_killed_search_goes_on_from_its_last_finished_trial(
    ground: Ground, whole: tuple[dict[str, Any], dict[str, Any]], tmp_path: Path
) -> None:
    study = tmp_path / "study"
    command = [sys.executable, "-c", SCRIPT.format(study=str(study))]
    environment = os.environ | {"PYTHONPATH": str(Path.cwd())}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert any("trial 4 of" in line for line in running.stdout)
        with pytest.raises(TrainingBusy, match=r"study: .* is in use by another training"):
            tuned(ground, Tuning(trials=9, study=study))
        running.send_signal(signal.SIGKILL)
    whole_lines = study.read_bytes().rpartition(b"\n")[0].split(b"\n")[:5]
    # As if it had been killed in the midst of writing the fourth trial, with Optuna's own lock held.
    study.write_bytes(b"\n".join(whole_lines) + b'\n{"op_code":4,"work')
    lock = Path(f"{study}.lock")
    lock.unlink(missing_ok=True)
    lock.symlink_to(study)
    assert tuned(ground, Tuning(trials=9, study=study)) == whole
    assert len(lines_of_trials(study)) == 9


def another_log(ground: Ground) -> Ground:
    labels = ground.sample.labels.copy()
    labels[-1] = 1 - labels[-1]
    return replace(ground, sample=replace(ground.sample, labels=labels))


def another_schema(ground: Ground) -> Ground:
    table = Table(ground.sample.table.values, ("seen", *ground.sample.table.names[1:]), frozenset({"channel"}))
    return replace(ground, sample=replace(ground.sample, table=table))


def another_split(ground: Ground) -> Ground:
    fractions = (0.6, 0.2, 0.2)
    return replace(ground, fit=split(ground.sample, fractions).fit, fractions=fractions)


def another_space(ground: Ground) -> Ground:
    member = MEMBERS["lightgbm"]
    pytest.MonkeyPatch().setattr(member, "space", {**member.space, "lambda_l2": Range(1.0, 50.0, log=True)})
    return ground


def another_seed(ground: Ground) -> Ground:
    return replace(ground, seed=6)


def another_learner(ground: Ground) -> Ground:
    pytest.MonkeyPatch().setattr(MEMBERS["lightgbm"], "version", classmethod(lambda member: "0.1"))
    return ground


@pytest.fixture
def restored() -> Iterator[None]:
    """The class as it was, whatever a case did to it."""
    member = MEMBERS["lightgbm"]
    space = member.space
    yield
    member.space = space
    if "version" in vars(member):
        del member.version


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        pytest.param(another_log, "log", id="log"),
        pytest.param(another_schema, "schema", id="schema"),
        pytest.param(another_split, "split", id="split"),
        pytest.param(another_space, "search space", id="search space"),
        pytest.param(another_seed, "seed", id="seed"),
        pytest.param(another_learner, "learner", id="learner"),
    ],
)
def test_trials_of_another_making_are_refused_by_field(
    ground: Ground, restored: None, changed: Callable[[Ground], Ground], field: str, tmp_path: Path
) -> None:
    study = tmp_path / "study"
    tuned(ground, Tuning(trials=1, study=study))
    before = study.read_bytes()
    with pytest.raises(TrainingRefused, match=rf"study: .* was made with another {field}; name another") as refused:
        tuned(changed(ground), Tuning(trials=2, study=study))
    assert refused.value.facts["field"] == field
    assert study.read_bytes() == before


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"PAR1\x00\xff", id="a binary file"),
        pytest.param(b"event_id,event_time\na,b\n", id="a log"),
        pytest.param(b'{"name": "a"}\n', id="other JSON"),
        pytest.param(b"[1]\n", id="a list"),
        pytest.param(b'{"op_code": 4, "study_id": 7}\n', id="a journal without its beginning"),
    ],
)
def test_a_file_that_is_no_study_is_refused_and_left_alone(ground: Ground, content: bytes, tmp_path: Path) -> None:
    study = tmp_path / "study"
    study.write_bytes(content)
    with pytest.raises(TrainingRefused, match="is no study of this command, or damaged"):
        tuned(ground, Tuning(trials=1, study=study))
    assert study.read_bytes() == content


def test_the_lock_goes_with_the_search(ground: Ground, tmp_path: Path) -> None:
    study = tmp_path / "study"
    tuned(ground, Tuning(trials=1, study=study))
    with closing(sqlite3.connect(f"{study}.in-use", timeout=0, isolation_level=None)) as held:
        held.execute("BEGIN EXCLUSIVE")


# ------------------------------------------------------------------ the budget


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
    assert steps[-1] == "lightgbm keeps its defaults, since no trial ended in time"


# ------------------------------------------------------------------ what it sees, and what is chosen


def test_inner_slices_follow_each_other_within_the_fit_slice(ground: Ground) -> None:
    inner = inner_slices(ground.fit, seed=5)
    later = split(ground.sample).validation
    assert inner.fit.times.max() < inner.choose.times.min()
    assert inner.choose.times.max() < inner.confirm.times.min()
    assert inner.confirm.times.max() < later.times.min()
    assert inner.share == 1.0
    assert inner.facts()["of"] == len(np.unique(ground.fit.sessions))


def test_a_large_slice_is_thinned_by_session_and_keeps_every_buyer() -> None:
    sample = shop(3000, moments=3)
    whole, thin = inner_slices(sample, seed=5), inner_slices(sample, seed=5, most=3500)
    assert 3200 < len(thin.fit) < 3800 < len(whole.fit)
    for name in ("fit", "choose", "confirm"):
        few: Sample = getattr(thin, name)
        all_of_them: Sample = getattr(whole, name)
        assert few.buying_sessions == all_of_them.buying_sessions
        assert set(few.sessions) < set(all_of_them.sessions)
        assert (np.unique(few.sessions, return_counts=True)[1] == 3).all()
        rates = [np.average(part.labels, weights=part.weights) for part in (few, all_of_them)]
        assert rates[0] == pytest.approx(rates[1], rel=0.1)
    assert thin.facts()["fit"] == len(np.unique(thin.fit.sessions))
    assert thin.facts()["share_of_others"] == round(thin.share, 4) < 1


def test_a_gain_is_weighed_against_its_noise() -> None:
    sample = shop(50, moments=2)
    rng = np.random.default_rng(3)
    before = Losses(rng.random(50))
    same = gain(before, before, sample)
    assert (same.mean, same.error, same.is_certain) == (0.0, 0.0, False)
    # Each session weighs two cases and wins 0.2 of them, less noise.
    noise = rng.normal(0, 0.1, 50)
    found = gain(before, Losses(before.sums - 0.2 + noise), sample)
    assert found.mean == pytest.approx((0.2 - noise.mean()) / 2)
    assert found.error == pytest.approx(noise.std(ddof=1) / np.sqrt(50) / 2)
    assert found.is_certain
    assert Gain(0.0016, 0.001).is_certain is False
    assert Gain(0.0017, 0.001).is_certain is True


def test_losses_survive_their_text_exactly() -> None:
    losses = Losses(np.array([0.1, 7.25, 1e-9], np.float32).astype(np.float64))
    assert Losses.from_text(losses.to_text()).sums.tolist() == losses.sums.tolist()


@pytest.mark.parametrize(("error", "adopted"), [(0.5, True), (50.0, False)], ids=["proven", "within the noise"])
def test_the_best_is_adopted_only_where_it_beats_the_noise(
    ground: Ground, error: float, adopted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("purchase_intent.learning.tuning.search.gain", lambda *losses: Gain(1.0, error))
    chosen, figures = tuned(ground, Tuning(trials=9))
    found = figures["members"]["lightgbm"]
    assert found["trial"] > 0
    assert found["adopted"] is adopted
    before = {**MEMBERS["lightgbm"].defaults, **QUICK["lightgbm"]}
    assert chosen["lightgbm"] == ({**before, **found["params"]} if adopted else before)


def test_what_is_adopted_is_what_the_final_members_are_made_with(
    sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("purchase_intent.learning.tuning.search.gain", lambda *losses: Gain(1.0, 0.1))
    ensemble = IntentEnsemble.fit(sample, seed=5, members=ONE, params=QUICK_ONE, tuning=Tuning(trials=6))
    told = ensemble.figures["tuning"]["members"]["lightgbm"]
    assert told["adopted"] is True
    expected = {**MEMBERS["lightgbm"].defaults, **QUICK["lightgbm"], **told["params"], "seed": 5}
    assert ensemble.members["lightgbm"].settings == expected
    plain = IntentEnsemble.fit(sample, seed=5, members=ONE, params=QUICK_ONE)
    assert "tuning" not in plain.figures


def test_a_fit_slice_too_small_to_cut_again_is_not_tuned(ground: Ground) -> None:
    labels = np.zeros_like(ground.fit.labels)
    labels[np.flatnonzero(ground.fit.labels)[:6]] = 1
    small, steps = replace(ground, fit=replace(ground.fit, labels=labels)), list[str]()
    chosen, figures = tuned(small, Tuning(trials=5), progress=steps.append)
    assert chosen["lightgbm"] == {**MEMBERS["lightgbm"].defaults, **QUICK["lightgbm"]}
    assert "buying sessions" in figures["skipped"]
    assert steps[-1].startswith("not tuned, since the fit slice is too small")


def test_with_everything_given_there_is_one_trial(ground: Ground) -> None:
    given = {"lightgbm": dict(MEMBERS["lightgbm"].defaults)}
    settings = chosen_params(ONE, given)
    _, figures = tune(ground, settings, Tuning(trials=9), given=given, progress=lambda step: None)
    assert figures["tuning"]["members"]["lightgbm"]["tried"] == 1


# ------------------------------------------------------------------ what is asked


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        pytest.param({"trials": -1}, "trials", id="fewer than none"),
        pytest.param({"trials": 1, "budget": 0.0}, "budget", id="no time"),
        pytest.param({"trials": 1, "budget": float("nan")}, "budget", id="no number"),
        pytest.param({"trials": 1, "budget": float("inf")}, "budget", id="for ever"),
        pytest.param({"budget": 5.0}, "budget", id="a budget for nothing"),
        pytest.param({"study": Path("study")}, "study", id="a file for nothing"),
    ],
)
def test_what_makes_no_sense_is_refused_by_field(asked: dict[str, Any], field: str) -> None:
    with pytest.raises(TrainingRefused, match=f"^{field}: ") as refused:
        Tuning(**asked)
    assert refused.value.facts["field"] == field


def test_a_missing_optuna_is_named_with_its_line(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(MissingExtra, match=r"optuna is not installed: pip install 'django-purchase-intent\[train\]'"):
        IntentEnsemble.fit(sample, tuning=Tuning(trials=1))
