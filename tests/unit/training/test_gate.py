"""What the gate says of figures: promote, wait or refuse, with codes and sentences."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit

from purchase_intent.learning import Sample, Table
from purchase_intent.learning.paired import Difference
from purchase_intent.learning.reliability import Reliability
from purchase_intent.training.gate import Outcome, compare, decide

BETTER, EVEN, AHEAD, WORSE = (0.02, 0.01, 0.03), (-0.001, -0.01, 0.01), (0.01, -0.01, 0.03), (-0.02, -0.03, -0.01)


def holds(slope: float = 1.0) -> Reliability:
    return Reliability(slope, slope - 0.1, slope + 0.1, 0.0, -0.1, 0.1, 0.004, 0.006, 0.02)


def measured(precision: tuple[float, ...], loss: tuple[float, ...]) -> dict[str, Difference]:
    triples = {"average_precision": precision, "log_loss": loss, "brier": EVEN}
    return {name: Difference(0.4, 0.42, *triple) for name, triple in triples.items()}


@pytest.mark.parametrize(
    ("precision", "loss", "slope", "outcome", "codes", "promising"),
    [
        pytest.param(BETTER, AHEAD, 1.0, Outcome.PROMOTE, ("better",), False, id="better and calibrated"),
        pytest.param(BETTER, BETTER, 0.5, Outcome.WAIT, ("too_extreme",), False, id="better, not calibrated"),
        pytest.param(AHEAD, AHEAD, 1.0, Outcome.WAIT, ("no_better",), True, id="ahead, perhaps by chance"),
        pytest.param(AHEAD, AHEAD, 0.5, Outcome.WAIT, ("no_better", "too_extreme"), False, id="ahead, not calibrated"),
        pytest.param(AHEAD, EVEN, 1.0, Outcome.WAIT, ("no_better",), False, id="ahead by one measure only"),
        pytest.param(BETTER, WORSE, 1.0, Outcome.REFUSE, ("worse_log_loss",), False, id="worse by one measure"),
        pytest.param(WORSE, EVEN, 1.0, Outcome.REFUSE, ("worse_average_precision",), False, id="worse by ranking"),
    ],
)
def test_the_rule(
    precision: tuple[float, ...],
    loss: tuple[float, ...],
    slope: float,
    outcome: Outcome,
    codes: tuple[str, ...],
    promising: bool,
) -> None:
    verdict = decide(measured(precision, loss), holds(slope), against=3)
    assert (verdict.outcome, verdict.codes, verdict.is_promising, verdict.against) == (outcome, codes, promising, 3)


def test_customers_asked_about_on_several_nights_are_one_piece_of_evidence_each() -> None:
    rng = np.random.default_rng(1)
    customer = np.tile(np.arange(300), 6)
    odds = rng.normal(-1.5, 1.2, 300)
    bought = (rng.random(300) < expit(odds)).astype(np.uint8)
    first, second = (np.asarray(expit(odds + rng.normal(0, 0.5, 300))[customer]) for _ in range(2))
    nights = Sample(
        Table(np.zeros((len(customer), 1), np.float32), ("a",)),
        bought[customer],
        np.ones(len(customer)),
        np.arange(len(customer)),
        np.arange(len(customer)),
    )
    apart, together = (
        compare(sample, (first, second), against=3, seed=1).figures
        for sample in (nights, replace(nights, owners=customer))
    )
    # The same outcome six times over: the root of six times as wide.
    for measure in ("average_precision", "log_loss", "brier"):
        wide, narrow = (
            each["measures"][measure]["high"] - each["measures"][measure]["low"] for each in (together, apart)
        )
        assert wide / narrow == pytest.approx(6**0.5, rel=0.25)
    spans = [each["calibration"]["intercept_high"] - each["calibration"]["intercept_low"] for each in (together, apart)]
    assert spans[0] / spans[1] == pytest.approx(6**0.5, rel=0.01)


def test_figures_are_said_with_their_own_sign() -> None:
    said = decide(measured(BETTER, AHEAD), holds(), against=3).text
    assert said == (
        "Better than model 3 beyond chance: average precision 0.4200 against 0.4000, +0.0200 [+0.0100, +0.0300]; "
        "log-loss 0.4200 against 0.4000, -0.0100 [-0.0300, +0.0100]; "
        "Brier score 0.4200 against 0.4000, +0.0010 [-0.0100, +0.0100]."
    )
