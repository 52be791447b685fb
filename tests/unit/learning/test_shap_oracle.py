"""The members' contributions against the `shap` package, which walks the same trees with an algorithm of its own."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

from purchase_intent.learning import MEMBERS, IntentEnsemble
from tests.unit.learning.samples import numeric, shop

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import shap

CASES = numeric(shop(40, seed=11)).table.values


NATIVE = {"catboost"}
"""Whose trees the package does not read: it asks the learner, whose long way our short one is held against too."""


def explained_by_shap(model: Any, cases: np.ndarray, *, natively: bool) -> np.ndarray:
    """The package's values, float64 [n, d]; its base lacks XGBoost's intercept, and follows from the margin anyway."""
    explainer = shap.TreeExplainer(model, feature_perturbation="tree_path_dependent")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if natively:
            return np.asarray(explainer.shap_values(cases))
        # Otherwise it would ask the learner for what it is to judge, and take a forest for several outputs.
        explainer.model.model_type, explainer.model.num_stacked_models = "internal", 1
        trees = len(explainer.model.trees)
        return np.asarray(explainer.shap_values(cases, check_additivity=False, tree_limit=trees))


@pytest.mark.parametrize("name", list(MEMBERS))
def test_a_members_contributions_are_those_of_shap(ensemble: IntentEnsemble, name: str) -> None:
    member = ensemble.members[name]
    expected = explained_by_shap(member.model, CASES, natively=name in NATIVE)
    found, _ = member.contributions(CASES)
    np.testing.assert_allclose(found, expected, rtol=0, atol=5e-6)


def test_the_ensembles_are_their_weighted_sum(ensemble: IntentEnsemble) -> None:
    total = np.zeros(CASES.shape)
    encoded = ensemble.encoder.transform(CASES)
    for name, member in ensemble.members.items():
        values = explained_by_shap(member.model, encoded, natively=name in NATIVE)
        total += ensemble.calibration.slope * ensemble.weights[name] * values
    found, base = ensemble.contributions(CASES)
    np.testing.assert_allclose(found, total, rtol=0, atol=1e-5)
    np.testing.assert_allclose(total.sum(axis=1) + base, ensemble.log_odds(CASES), rtol=0, atol=1e-5)
