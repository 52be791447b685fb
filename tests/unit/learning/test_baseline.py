"""The baseline learns a line, says so in JSON, and takes what it is given."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest

from purchase_intent.exceptions import MissingExtra
from purchase_intent.learning import LogisticBaseline, auc
from purchase_intent.learning import baseline as module
from tests.unit.learning.samples import numeric, shop


def test_it_ranks_what_is_linear() -> None:
    sample = numeric(shop(sessions=800))
    model = LogisticBaseline.fit(sample)
    later = numeric(shop(sessions=400, seed=9))
    assert auc(later.labels, model.predict(later.table.values)) > 0.8
    assert np.average(model.predict(sample.table.values), weights=sample.weights) == pytest.approx(
        np.average(sample.labels, weights=sample.weights), rel=1e-3
    )


def test_case_weights_count() -> None:
    sample = numeric(shop(sessions=200))
    heavy = sample.labels == 1
    raised = type(sample)(sample.table, sample.labels, np.where(heavy, 5.0, 1.0), sample.sessions, sample.times)
    plain, weighed = (LogisticBaseline.fit(given).predict(sample.table.values).mean() for given in (sample, raised))
    assert weighed > 1.5 * plain


def test_json_keeps_every_bit_and_no_row_depends_on_another() -> None:
    sample = numeric(shop(sessions=100))
    model = LogisticBaseline.fit(sample)
    again = LogisticBaseline.from_json(json.loads(json.dumps(model.to_json())))
    matrix = sample.table.values
    assert again.log_odds(matrix).tobytes() == model.log_odds(matrix).tobytes()
    one_by_one = [model.log_odds(matrix[row : row + 1])[0] for row in range(50)]
    assert one_by_one == model.log_odds(matrix)[:50].tolist()


def test_outliers_are_clipped_and_unknown_is_the_mean() -> None:
    sample = numeric(shop(sessions=100))
    model = LogisticBaseline.fit(sample)
    huge, larger, unknown = (np.full((1, 6), value, dtype=np.float32) for value in (1e20, 1e30, np.nan))
    assert model.log_odds(huge) == model.log_odds(larger)
    assert model.log_odds(unknown)[0] == model.intercept


def test_a_large_sample_is_thinned_by_whole_sessions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_ROWS", 150)
    sample = numeric(shop(sessions=100))
    thin = module._thinned(sample)
    assert len(thin) == 4 * 34  # every third session
    assert len(np.unique(thin.sessions)) == 34


def test_a_missing_scikit_learn_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.linear_model", None)
    with pytest.raises(MissingExtra) as missing:
        LogisticBaseline.fit(numeric(shop(sessions=50)))
    assert missing.value.facts == {"extra": "train", "package": "scikit-learn"}
