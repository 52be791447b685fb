"""Drift where nothing has changed: the two weeks of the shipped log after those that a model learnt from."""

from __future__ import annotations

import numpy as np
import pytest

from purchase_intent.sources import open_log
from purchase_intent.training.dataset import build_sample
from purchase_intent.watch.drifting import drift_figures
from purchase_intent.watch.replay import Replayed
from tests.trained import ZONE, Trained

WEEK = 7 * 86_400_000


@pytest.mark.slow
def test_the_weeks_after_training_ask_for_nothing(trained: Trained) -> None:
    with open_log([trained.history, trained.later], zone=ZONE) as log:
        sample = build_sample(log, seed=1, progress=lambda step: None)
    end = int(sample.times.max())
    for begin in (end - 2 * WEEK, end - WEEK):
        rows = np.flatnonzero((sample.times > begin) & (sample.times <= begin + WEEK))
        live = Replayed(sample.table.values[rows], sample.sessions[rows], sample.times[rows], sample.labels[rows])
        columns = drift_figures(trained.ensemble, live)["columns"]
        assert {row["name"] for row in columns if row["band"] == "drifted"} <= {"shop_conversion"}
        assert not any(row["band"] == "drifted" and row["top"] for row in columns)
