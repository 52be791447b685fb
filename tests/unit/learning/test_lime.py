"""LIME beside TreeSHAP: where they must agree, and what is the same from one asking to the next."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from scipy.stats import spearmanr

from purchase_intent.exceptions import MissingExtra
from purchase_intent.learning import IntentEnsemble, Sample
from purchase_intent.learning.explained import Explained
from purchase_intent.learning.lime import second_opinion
from tests.unit.learning.samples import NAMES

PAGES, CART = NAMES.index("pages"), NAMES.index("cart")


@pytest.fixture(scope="module")
def explained(ensemble: IntentEnsemble) -> Explained:
    assert ensemble.explained is not None
    return ensemble.explained


def case(explained: Explained, **fields: float) -> np.ndarray:
    """An ordinary case but for the columns given."""
    row = np.nanmedian(np.where(np.isnan(explained.values).all(axis=0), 0, explained.values), axis=0)[None]
    for name, value in fields.items():
        row[0, NAMES.index(name)] = value
    return np.ascontiguousarray(row, dtype=np.float32)


@pytest.mark.parametrize(
    ("fields", "strongest", "sign"),
    [
        pytest.param({"pages": 2.0}, PAGES, 1, id="much of what drives the truth"),
        pytest.param({"pages": -2.0}, PAGES, -1, id="little of it"),
        pytest.param({"cart": 2.0, "pages": 0.0}, CART, 1, id="the second driver alone"),
    ],
)
def test_where_one_column_stands_out_both_name_it_with_its_sign(
    ensemble: IntentEnsemble, explained: Explained, fields: dict[str, float], strongest: int, sign: int
) -> None:
    row = case(explained, **fields)
    shap = ensemble.contributions(row)[0][0]
    lime = second_opinion(ensemble, row, explained, seed=3).effects
    assert int(np.abs(shap).argmax()) == strongest
    assert int(np.abs(lime).argmax()) == strongest
    assert np.sign(shap[strongest]) == np.sign(lime[strongest]) == sign


def test_over_many_cases_the_strong_parts_rank_alike(ensemble: IntentEnsemble, explained: Explained) -> None:
    shap, lime = [], []
    for row in explained.values[:30]:
        shap += ensemble.contributions(row[None])[0][0, [PAGES, CART]].tolist()
        lime += second_opinion(ensemble, row[None], explained, seed=3).effects[[PAGES, CART]].tolist()
    assert spearmanr(shap, lime).statistic > 0.8


def test_a_column_without_meaning_gets_none(ensemble: IntentEnsemble, explained: Explained, sample: Sample) -> None:
    found = second_opinion(ensemble, sample.table.values[:1], explained, seed=3)
    assert found.effects.shape == (len(NAMES),)
    assert abs(found.effects[NAMES.index("constant")]) < 1e-9
    assert 0 < found.r2 <= 1


def test_the_same_seed_gives_the_same_opinion(ensemble: IntentEnsemble, explained: Explained) -> None:
    row = explained.values[:1]
    first, again = (second_opinion(ensemble, row, explained, seed=9) for _ in range(2))
    assert first.effects.tolist() == again.effects.tolist()
    assert second_opinion(ensemble, row, explained, seed=10).effects.tolist() != first.effects.tolist()


def test_unknown_values_are_taken_as_the_middle(ensemble: IntentEnsemble, explained: Explained) -> None:
    row = case(explained)
    unknown = row.copy()
    unknown[0, PAGES] = np.nan
    known = second_opinion(ensemble, row, explained, seed=3)
    assert second_opinion(ensemble, unknown, explained, seed=3).effects.tolist() == known.effects.tolist()


def test_at_most_as_many_columns_as_are_asked_for(ensemble: IntentEnsemble, explained: Explained) -> None:
    found = second_opinion(ensemble, explained.values[:1], explained, seed=3, most=2)
    assert np.count_nonzero(found.effects) <= 2


def test_without_the_package_the_install_line_is_named(
    ensemble: IntentEnsemble, explained: Explained, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "lime.lime_tabular", None)
    with pytest.raises(MissingExtra, match=r"lime is not installed: pip install 'django-purchase-intent\[explain\]'"):
        second_opinion(ensemble, explained.values[:1], explained, seed=3)
