"""A rehearsal knows nothing of what came after its moment, and differs from the model that does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from purchase_intent.exceptions import TrainingRefused
from purchase_intent.learning import IntentEnsemble, Sample
from purchase_intent.learning.forward import parted
from purchase_intent.learning.rehearsal import begin_of_judging, rehearse
from tests.unit.learning.samples import DAY, QUICK, shop

MEMBERS = ("lightgbm", "xgboost")


def quiet(step: str) -> None:
    """Tell nobody."""


@pytest.fixture(scope="module")
def sample() -> Sample:
    return shop(900, moments=2)


@pytest.fixture(scope="module")
def ensemble(sample: Sample) -> IntentEnsemble:
    return IntentEnsemble.fit(sample, seed=1, members=MEMBERS, params={name: QUICK[name] for name in MEMBERS})


def test_sessions_that_go_on_at_the_moment_are_in_neither_part(sample: Sample) -> None:
    begin = int(np.median(sample.times))
    known, later = parted(sample, begin)
    assert known.times.max() < begin <= later.times.min()
    ends = np.full(len(sample), 40 * DAY)
    known, later = parted(replace(sample, ends=ends), begin)
    assert len(known) == 0
    assert set(later.sessions) & set(sample.sessions[sample.times < begin]) == set()


def test_judging_begins_after_what_both_learnt_from(ensemble: IntentEnsemble) -> None:
    first = ensemble.figures["slices"]["calibration"]["first"]
    assert begin_of_judging(ensemble, first - DAY) == first
    assert begin_of_judging(ensemble, first + DAY) == first + DAY


def test_what_comes_later_changes_nothing(sample: Sample, ensemble: IntentEnsemble) -> None:
    begin = begin_of_judging(ensemble, 27 * DAY)
    known, later = parted(sample, begin)
    fresh = rehearse(ensemble, known, threads=1, progress=quiet)
    turned = replace(sample, labels=np.where(sample.times >= begin, 1 - sample.labels, sample.labels))
    again = rehearse(ensemble, parted(turned, begin).known, threads=1, progress=quiet)
    assert (fresh.predict(later.table) == again.predict(later.table)).all()
    assert (fresh.predict(later.table) != ensemble.predict(later.table)).any()
    assert fresh.calibration != ensemble.calibration
    assert (fresh.weights, fresh.draft) == (ensemble.weights, None)
    assert {name: member.rounds for name, member in fresh.members.items()} == ensemble.figures["rounds"]


def test_only_a_model_that_was_just_fitted_can_be_rehearsed(sample: Sample, ensemble: IntentEnsemble) -> None:
    with pytest.raises(TrainingRefused, match="just fitted"):
        rehearse(replace(ensemble, draft=None), sample, threads=1, progress=quiet)
