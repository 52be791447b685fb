"""A published e-mail test of 64,000 customers: the women's on visits, learnt from one half, judged on the other."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklift.metrics import qini_auc_score, uplift_auc_score

from purchase_intent.learning import Table
from purchase_intent.learning.uplift import Learner, Trial, fit_uplift, ranking
from tests.unit.learning.uplift.trials import QUICK

DATA = os.environ.get("INTENT_DATA")
pytestmark = [
    pytest.mark.skipif(DATA is None, reason="INTENT_DATA names no folder with the public experiments"),
    pytest.mark.slow,
]
COLUMNS = ["recency", "history_segment", "history", "mens", "womens", "zip_code", "newbie", "channel"]


@pytest.fixture(scope="module")
def halves() -> tuple[Trial, Trial]:
    customers = pd.read_parquet(Path(DATA or ".") / "experiments" / "hillstrom.parquet")
    assert customers["segment"].value_counts().to_dict() == {
        "Womens E-Mail": 21_387,
        "Mens E-Mail": 21_307,
        "No E-Mail": 21_306,
    }
    both = customers[customers["segment"] != "Mens E-Mail"].reset_index(drop=True)
    treated = (both["segment"] == "Womens E-Mail").to_numpy().astype(np.uint8)
    visits = both["visit"].to_numpy()
    # As counted by others: 15.1% of those who got the women's e-mail came, 10.6% of those who got none.
    assert [round(float(visits[treated == arm].mean()), 3) for arm in (1, 0)] == [0.151, 0.106]
    trial = Trial(Table.from_frame(both[COLUMNS]), treated, visits, np.arange(len(both)))
    known, asked = np.array_split(np.random.default_rng(1).permutation(len(trial)), 2)
    return trial.take(known), trial.take(asked)


@pytest.mark.filterwarnings("ignore:Function stable_cumsum:FutureWarning")  # in scikit-uplift
@pytest.mark.parametrize("learner", list(Learner))
def test_it_ranks_the_other_half_better_than_chance_by_scikit_uplifts_figure(
    halves: tuple[Trial, Trial], learner: Learner
) -> None:
    known, asked = halves
    scores = fit_uplift(known, learner, seed=1, members=("lightgbm",), params=QUICK).effects(asked.table.values).uplift
    found = ranking(scores, asked, seed=1, draws=200)
    given = (asked.labels.astype(int), scores, asked.treated.astype(int))
    assert found.qini.value == pytest.approx(qini_auc_score(*given), rel=1e-9)
    assert found.auuc.value == pytest.approx(uplift_auc_score(*given), rel=1e-9)
    assert found.qini.low > 0
    assert 0.03 < found.qini.value < 0.09
