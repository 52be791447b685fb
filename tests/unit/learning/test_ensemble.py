"""The ensemble: additive, calibrated, the same again, and clear about what it cannot learn."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.special import expit

from purchase_intent.exceptions import TrainingRefused
from purchase_intent.learning import MEMBERS, IntentEnsemble, Sample, Slicing, Table, log_loss
from purchase_intent.learning.fitting import MIN_BUYERS
from tests.unit.learning.samples import QUICK, shop

LATER = shop(sessions=500, seed=11)
TREES = {name: QUICK[name] for name in ("lightgbm",)}


def quick(sample: Sample, **options: Any) -> IntentEnsemble:
    return IntentEnsemble.fit(sample, **{"seed": 5, "members": ("lightgbm",), "params": TREES, **options})


def test_answers_have_the_promised_types(ensemble: IntentEnsemble) -> None:
    matrix = LATER.table.values
    scores, chances = ensemble.log_odds(matrix), ensemble.predict(matrix)
    assert scores.dtype == chances.dtype == np.float64
    assert scores.shape == chances.shape == (len(LATER),)
    assert chances.tolist() == expit(scores).tolist()
    assert list(ensemble.member_log_odds(matrix)) == list(ensemble.members) == list(MEMBERS)


def test_weights_are_a_mixture(ensemble: IntentEnsemble) -> None:
    assert list(ensemble.weights) == list(MEMBERS)
    assert all(share >= 0 for share in ensemble.weights.values())
    assert sum(ensemble.weights.values()) == pytest.approx(1)


def test_log_odds_are_the_calibrated_mean_of_members(ensemble: IntentEnsemble) -> None:
    margins = ensemble.member_log_odds(LATER.table.values)
    mean = sum(ensemble.weights[name] * margin for name, margin in margins.items())
    expected = ensemble.calibration.slope * mean + ensemble.calibration.intercept
    np.testing.assert_allclose(ensemble.log_odds(LATER.table.values), expected, atol=1e-12)
    assert ensemble.mix(margins).tobytes() == ensemble.log_odds(LATER.table.values).tobytes()


def test_contributions_and_base_are_the_score(ensemble: IntentEnsemble) -> None:
    contributions, base = ensemble.contributions(LATER.table.values)
    assert contributions.shape == LATER.table.values.shape
    np.testing.assert_allclose(contributions.sum(axis=1) + base, ensemble.log_odds(LATER.table.values), atol=1e-9)


def test_contributions_are_the_weighted_members(ensemble: IntentEnsemble) -> None:
    encoded = ensemble.encoder.transform(LATER.table.values[:50])
    slope = ensemble.calibration.slope
    expected = sum(
        slope * ensemble.weights[name] * member.contributions(encoded)[0] for name, member in ensemble.members.items()
    )
    np.testing.assert_allclose(ensemble.contributions(LATER.table.values[:50])[0], expected, atol=1e-9)


def test_no_row_depends_on_the_rows_beside_it(ensemble: IntentEnsemble) -> None:
    matrix = LATER.table.values
    together = ensemble.predict(matrix)
    assert ensemble.predict(matrix[:101]).tobytes() == together[:101].tobytes()
    assert [ensemble.predict(matrix[row : row + 1])[0] for row in range(20)] == together[:20].tolist()


def test_no_rows_give_no_answers(ensemble: IntentEnsemble) -> None:
    assert ensemble.predict(LATER.table.values[:0]).shape == (0,)
    assert ensemble.contributions(LATER.table.values[:0])[0].shape == (0, 6)


def test_the_same_seed_gives_the_same_predictions(ensemble: IntentEnsemble, sample: Sample) -> None:
    again = IntentEnsemble.fit(sample, seed=5, params=QUICK)
    assert again.log_odds(LATER.table.values).tobytes() == ensemble.log_odds(LATER.table.values).tobytes()
    assert again.figures == ensemble.figures
    assert again.thresholds == ensemble.thresholds


def test_another_seed_gives_other_predictions(sample: Sample) -> None:
    first, second = (quick(sample, seed=seed).log_odds(LATER.table.values) for seed in (1, 2))
    assert first.tobytes() != second.tobytes()


def test_it_is_at_least_as_good_as_its_worst_member_and_near_the_best(ensemble: IntentEnsemble) -> None:
    margins = ensemble.member_log_odds(LATER.table.values)
    losses = [log_loss(LATER.labels, expit(margin)) for margin in margins.values()]
    assert log_loss(LATER.labels, ensemble.predict(LATER.table.values)) < min(losses) + 0.005


def test_figures_tell_what_was_measured(ensemble: IntentEnsemble) -> None:
    assert list(ensemble.figures) == ["slices", "rounds", "models", "profile"]
    assert list(ensemble.figures["models"]) == [*MEMBERS, "baseline", "ensemble"]
    slices = ensemble.figures["slices"]
    assert slices["fit"]["last"] < slices["validation"]["first"] <= slices["validation"]["last"]
    assert slices["validation"]["last"] < slices["calibration"]["first"]
    for views in ensemble.figures["models"].values():
        assert views["point"]["rows"] == slices["calibration"]["rows"]
        assert 0.7 < views["session"]["auc"] < 1


def test_the_final_fit_takes_the_rounds_found(ensemble: IntentEnsemble) -> None:
    for name, rounds in ensemble.figures["rounds"].items():
        assert ensemble.members[name].rounds == rounds


def test_a_table_is_taken_as_its_matrix(ensemble: IntentEnsemble) -> None:
    assert ensemble.predict(LATER.table).tobytes() == ensemble.predict(LATER.table.values).tobytes()


def test_a_table_of_other_columns_is_refused(ensemble: IntentEnsemble) -> None:
    other = Table(LATER.table.values, ("cart", "pages", *LATER.table.names[2:]))
    with pytest.raises(TrainingRefused, match=r"^names: "):
        ensemble.predict(other)


@pytest.mark.parametrize("shape", [(6,), (2, 5), (2, 3, 1)])
def test_a_matrix_of_another_shape_is_refused(ensemble: IntentEnsemble, shape: tuple[int, ...]) -> None:
    with pytest.raises(TrainingRefused, match=r"^matrix: "):
        ensemble.predict(np.zeros(shape, dtype=np.float32))


def test_progress_is_told(sample: Sample) -> None:
    steps: list[str] = []
    quick(sample, progress=steps.append)
    assert steps == [
        "fitting lightgbm",
        "fitting the baseline",
        "weighing and calibrating",
        "fitting lightgbm on everything",
        "explaining",
    ]


def test_a_single_member_has_all_the_weight(sample: Sample) -> None:
    assert quick(sample).weights == {"lightgbm": 1.0}


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"members": ()}, "members"),
        ({"members": ("lightgbm", "lightgbm")}, "members"),
        ({"members": ("oracle",)}, "members"),
        ({"params": {"oracle": {}}}, "members"),
        ({"params": {"lightgbm": {"leaves": 3}}}, "lightgbm"),
        ({"slicing": Slicing((0.5, 0.5, 0.5))}, "fractions"),
        ({"threads": 0}, "lightgbm"),
    ],
)
def test_a_wrong_option_is_refused_by_field(sample: Sample, options: dict[str, Any], field: str) -> None:
    with pytest.raises(TrainingRefused) as refused:
        quick(sample, **options)
    assert refused.value.facts["field"] == field


@pytest.mark.parametrize("label", [0, 1])
def test_one_class_only_is_refused(sample: Sample, label: int) -> None:
    with pytest.raises(TrainingRefused, match=rf"^sample: .*at least {MIN_BUYERS} of each"):
        quick(replace(sample, labels=np.full(len(sample), label)))


def test_too_few_buyers_are_refused_with_their_count(sample: Sample) -> None:
    buyers = np.unique(sample.sessions[sample.labels == 1])[: MIN_BUYERS - 1]
    few = replace(sample, labels=np.where(np.isin(sample.sessions, buyers), sample.labels, 0))
    with pytest.raises(TrainingRefused) as refused:
        quick(few)
    assert refused.value.facts["buying_sessions"] == MIN_BUYERS - 1
    assert refused.value.facts["needed"] == MIN_BUYERS


def test_a_reversed_later_slice_is_refused(sample: Sample) -> None:
    late = sample.times > np.quantile(sample.times, 0.85)
    turned = replace(sample, labels=np.where(late, 1 - sample.labels, sample.labels))
    with pytest.raises(TrainingRefused, match=r"^calibration: "):
        quick(turned)
