"""Whether probabilities hold: true ones pass, each way of being wrong is named."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, logit

from purchase_intent.learning.reliability import Reliability, reliability
from tests.unit.learning.test_paired import cases


def judged(slope: float = 1.0, shift: float = 0.0, *, sessions: int = 4000) -> Reliability:
    """True chances, turned by a slope and a shift in log-odds, against what happened."""
    labels, true, _, owner = cases(sessions, seed=7)
    return reliability(labels, expit(slope * logit(true) + shift), np.ones(len(true)), owner, seed=1, draws=100)


def test_true_probabilities_hold() -> None:
    found = judged()
    assert found.faults == []
    assert found.slope_low < 1 < found.slope_high
    assert found.intercept_low < 0 < found.intercept_high
    assert found.ece < found.ece_by_chance < 0.03


@pytest.mark.parametrize(
    ("slope", "shift", "codes"),
    [
        pytest.param(2.0, 2.0, {"too_extreme", "too_high", "calibration_error"}, id="too extreme"),
        pytest.param(0.4, -1.5, {"too_timid", "calibration_error"}, id="too timid"),
        pytest.param(1.0, 1.0, {"too_high", "calibration_error"}, id="too high"),
        pytest.param(1.0, -1.0, {"too_low", "calibration_error"}, id="too low"),
        pytest.param(1.0, 0.1, set(), id="off by less than anybody would mind"),
    ],
)
def test_what_is_wrong_is_named(slope: float, shift: float, codes: set[str]) -> None:
    found = judged(slope, shift)
    assert found.slope == pytest.approx(judged().slope / slope, rel=0.01)
    assert codes <= {code for code, _ in found.faults}
    assert codes or not found.faults


def test_few_cases_accuse_nobody() -> None:
    assert judged(1.0, 0.4, sessions=120).faults == []


def test_intervals_count_sessions_not_rows() -> None:
    labels, true, _, owner = cases(600, seed=8)
    weights = np.ones(len(true))
    together = reliability(labels, true, weights, owner, seed=1, draws=5)
    apart = reliability(labels, true, weights, np.arange(len(true)), seed=1, draws=5)
    width, narrow = (each.intercept_high - each.intercept_low for each in (together, apart))
    assert width == pytest.approx(np.sqrt(3) * narrow, rel=0.02)
