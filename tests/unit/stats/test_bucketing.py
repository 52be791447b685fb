"""Who gets which arm: shares, ramps, groups and holdouts, and the vectors that JavaScript keeps to as well."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from scipy.stats import chisquare

from purchase_intent.exceptions import ExperimentRefused
from purchase_intent.stats.bucketing import Allocation, Holdout, Layer, Outcome, position, refuse_overlap

ROOT = Path(__file__).resolve().parents[3]
VECTORS = json.loads((ROOT / "tests" / "vectors" / "bucketing.json").read_text(encoding="utf-8"))
UNITS = [f"visitor-{number}" for number in range(20_000)]
HALVES = Allocation("hero", ("control", "bar"), (0.5, 0.5))


def test_positions_are_those_of_the_vectors() -> None:
    for vector in VECTORS["positions"]:
        assert position(salt=vector["salt"], unit=vector["unit"]) == vector["position"]


def test_a_position_is_the_first_52_bits_of_the_hash() -> None:
    digest = sha256("hero\0Ünal 🙂".encode()).hexdigest()
    assert position(salt="hero", unit="Ünal 🙂") == int(digest[:13], 16) / 2**52


@pytest.mark.parametrize("case", [pytest.param(case, id=case["case"]) for case in VECTORS["placements"]])
def test_placements_are_those_of_the_vectors(case: dict[str, object]) -> None:
    allocation = Allocation.from_json(case["allocation"])  # type: ignore[arg-type]
    found = [allocation.place(unit) for unit in case["units"]]  # type: ignore[attr-defined]
    assert [[each.arm, each.outcome] for each in found] == case["placements"]
    assert allocation.as_json() == case["allocation"]


def test_arms_get_their_shares() -> None:
    weights = (0.1, 0.2, 0.3, 0.4)
    found = Counter(map(Allocation("shares", ("a", "b", "c", "d"), weights).arm, UNITS))
    expected = [weight * len(UNITS) for weight in weights]
    assert chisquare([found[arm] for arm in ("a", "b", "c", "d")], expected).pvalue > 0.001


def test_a_page_that_draws_an_arm_loads_no_numpy() -> None:
    code = "import sys, purchase_intent.stats.bucketing; print({'numpy', 'scipy', 'django'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_two_experiments_share_their_units_out_independently() -> None:
    other = Allocation("other", ("control", "bar"), (0.5, 0.5))
    both = Counter((HALVES.arm(unit), other.arm(unit)) for unit in UNITS)
    assert chisquare(list(both.values())).pvalue > 0.001


def test_a_ramp_moves_nobody_and_lets_nobody_go() -> None:
    small, large = replace(HALVES, traffic=0.1), replace(HALVES, traffic=0.5)
    before = {unit: arm for unit in UNITS if (arm := small.arm(unit))}
    after = {unit: arm for unit in UNITS if (arm := large.arm(unit))}
    assert {unit: after.get(unit) for unit in before} == before
    assert (1900 < len(before) < 2100, 9800 < len(after) < 10_200) == (True, True)
    assert chisquare(list(Counter(before.values()).values())).pvalue > 0.001


def test_experiments_of_a_group_never_share_a_unit() -> None:
    first = replace(HALVES, layer=Layer("group", 0.0, 0.4))
    second = replace(HALVES, salt="second", layer=Layer("group", 0.4, 1.0))
    assert {(first.arm(unit) is None) + (second.arm(unit) is None) for unit in UNITS} == {1}


def test_the_holdout_is_the_same_for_all_who_name_it() -> None:
    holdout = Holdout("company", 0.05)
    one, other = replace(HALVES, holdout=holdout), replace(HALVES, salt="other", holdout=holdout)
    held = [unit for unit in UNITS if one.place(unit).outcome is Outcome.HELD_OUT]
    assert held == [unit for unit in UNITS if other.place(unit).outcome is Outcome.HELD_OUT]
    assert 900 < len(held) < 1100


def test_an_arm_without_weight_gets_nobody() -> None:
    resting = Allocation("rest", ("control", "new", "gone"), (0.3, 0.7, 0.0))
    assert set(map(resting.arm, UNITS)) == {"control", "new"}


def allocation(**changed: object) -> Allocation:
    return Allocation.from_json(HALVES.as_json() | changed)


@pytest.mark.parametrize(
    ("changed", "field", "says"),
    [
        pytest.param({"weights": [0.5, 0.6]}, "weights", "make them sum to 1, they sum to 1.1", id="sum"),
        pytest.param({"weights": [1.5, -0.5]}, "weights", "give none below 0", id="negative"),
        pytest.param({"weights": [1.0]}, "weights", "2 arms, 1 weights", id="one weight too few"),
        pytest.param({"weights": [float("nan"), 1.0]}, "weights", "give none below 0", id="not a number"),
        pytest.param({"arms": ["a"], "weights": [1.0]}, "arms", "two or more different arms", id="one arm"),
        pytest.param({"arms": ["a", "a"]}, "arms", "two or more different arms", id="twice the same"),
        pytest.param({"traffic": 1.2}, "traffic", "a share from 0 to 1, not 1.2", id="traffic"),
        pytest.param({"salt": ""}, "salt", "without a zero byte", id="no salt"),
        pytest.param({"layer": {"salt": "g", "start": 0.5, "end": 0.5}}, "layer", "start < end", id="empty range"),
        pytest.param({"holdout": {"salt": "h", "share": -1}}, "holdout.share", "from 0 to 1", id="holdout"),
    ],
)
def test_what_makes_no_sense_is_refused(changed: dict[str, object], field: str, says: str) -> None:
    with pytest.raises(ExperimentRefused) as refused:
        allocation(**changed)
    assert refused.value.field == field
    assert says in refused.value.message


@pytest.mark.parametrize(("salt", "unit", "field"), [("", "a", "salt"), ("a\0", "b", "salt"), ("a", "", "unit")])
def test_a_position_needs_a_salt_and_a_unit(salt: str, unit: str, field: str) -> None:
    with pytest.raises(ExperimentRefused) as refused:
        position(salt=salt, unit=unit)
    assert refused.value.field == field


def test_ranges_of_one_group_that_overlap_are_refused() -> None:
    layers = {"bar": Layer("group", 0.0, 0.5), "vip": Layer("group", 0.4, 0.6), "page": Layer("page", 0.0, 1.0)}
    with pytest.raises(
        ExperimentRefused, match=r"bar has 0 \(0%\) to 0\.5 \(50%\) and vip has 0\.4 \(40%\) to 0\.6 \(60%\)"
    ) as refused:
        refuse_overlap(layers)
    assert refused.value.facts["experiments"] == ("bar", "vip")
    refuse_overlap(layers | {"vip": Layer("group", 0.5, 0.6)})
