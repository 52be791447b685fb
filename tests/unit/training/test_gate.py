"""What the gate says of figures: promote, wait or refuse, with codes and sentences."""

from __future__ import annotations

import pytest

from purchase_intent.learning.paired import Difference
from purchase_intent.learning.reliability import Reliability
from purchase_intent.training.gate import Outcome, decide

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


def test_figures_are_said_with_their_own_sign() -> None:
    said = decide(measured(BETTER, AHEAD), holds(), against=3).text
    assert said == (
        "Better than model 3 beyond chance: average precision 0.4200 against 0.4000, +0.0200 [+0.0100, +0.0300]; "
        "log-loss 0.4200 against 0.4000, -0.0100 [-0.0300, +0.0100]; "
        "Brier score 0.4200 against 0.4000, +0.0010 [-0.0100, +0.0100]."
    )
