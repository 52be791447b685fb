"""What a search sees: slices of the fit slice, thinned by session where they are large."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from purchase_intent.learning import MEMBERS, Sample, Tuning, split
from purchase_intent.learning.tuning import Ground
from purchase_intent.learning.tuning.inner import inner_slices
from tests.unit.learning.samples import QUICK, shop
from tests.unit.learning.tuning.searches import tuned


def test_inner_slices_follow_each_other_within_the_fit_slice(ground: Ground) -> None:
    inner = inner_slices(ground.fit, seed=5)
    later = split(ground.sample).validation
    assert inner.fit.times.max() < inner.choose.times.min()
    assert inner.choose.times.max() < inner.confirm.times.min()
    assert inner.confirm.times.max() < later.times.min()
    assert inner.share == 1.0
    assert inner.facts()["of"] == len(np.unique(ground.fit.sessions))


def test_a_large_slice_is_thinned_by_session_and_keeps_every_buyer() -> None:
    sample = shop(3000, moments=3)
    sample = replace(sample, owners=sample.sessions // 2)
    whole, thin = inner_slices(sample, seed=5), inner_slices(sample, seed=5, most=3500)
    assert 3200 < len(thin.fit) < 3800 < len(whole.fit)
    assert len(thin.confirm) == len(whole.confirm)
    thinner = inner_slices(sample, seed=5, most=1500)
    assert len(thinner.confirm) < len(whole.confirm)
    for inner, name in ((thin, "fit"), (thinner, "choose"), (thinner, "confirm")):
        few: Sample = getattr(inner, name)
        all_of_them: Sample = getattr(whole, name)
        assert few.buying_sessions == all_of_them.buying_sessions
        assert set(few.sessions) < set(all_of_them.sessions)
        assert (np.unique(few.sessions, return_counts=True)[1] == 3).all()
        assert (few.clusters == few.sessions // 2).all()
        rates = [np.average(part.labels, weights=part.weights) for part in (few, all_of_them)]
        assert rates[0] == pytest.approx(rates[1], rel=0.1)
    assert thin.facts()["fit"] == len(np.unique(thin.fit.sessions))
    assert thin.facts()["share_of_others"] == round(thin.share, 4) < 1


def test_a_fit_slice_too_small_to_cut_again_is_not_tuned(ground: Ground) -> None:
    labels = np.zeros_like(ground.fit.labels)
    labels[np.flatnonzero(ground.fit.labels)[:6]] = 1
    small, steps = replace(ground, fit=replace(ground.fit, labels=labels)), list[str]()
    chosen, figures = tuned(small, Tuning(trials=5), progress=steps.append)
    assert chosen["lightgbm"] == {**MEMBERS["lightgbm"].defaults, **QUICK["lightgbm"]}
    assert "buying sessions" in figures["skipped"]
    assert steps[-1].startswith("not tuned, since the fit slice is too small")
