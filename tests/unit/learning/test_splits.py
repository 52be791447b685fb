"""Slices keep sessions whole and the order of time."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from purchase_intent.exceptions import TrainingRefused
from purchase_intent.learning import Sample, Slices, Table, split
from purchase_intent.learning.splits import purged_fractions
from tests.unit.learning.samples import DAY, shop


@settings(max_examples=25)
@given(seed=st.integers(0, 2**16), shares=st.sampled_from([(0.7, 0.15, 0.15), (0.4, 0.3, 0.3), (0.6, 0.3, 0.1)]))
def test_slices_are_whole_and_in_order(seed: int, shares: tuple[float, float, float]) -> None:
    sample = shop(sessions=400, seed=seed)
    shuffled = sample.take(np.random.default_rng(seed).permutation(len(sample)))
    slices = split(shuffled, shares)
    ids = [set(part.sessions.tolist()) for part in slices]
    assert len(ids[0] | ids[1] | ids[2]) == sum(map(len, ids))
    for earlier, later in pairwise(slices):
        assert earlier.times.max() < later.times.min()
    for part in slices:
        assert len(part) == np.isin(sample.sessions, part.sessions).sum()
        assert part.weights.mean() == pytest.approx(1)


def test_shares_are_those_asked_for() -> None:
    sample = shop(sessions=1000)
    counts = [len(np.unique(part.sessions)) for part in split(sample)]
    running = 1000 - sum(counts)  # sessions cut by a boundary belong to no slice
    assert running <= 4
    assert counts == pytest.approx([700, 150, 150], abs=running)


def test_a_session_across_a_boundary_is_left_out() -> None:
    sample = shop(sessions=200)
    times = sample.times.copy()
    times[3] = times.max()  # the first session's last moment comes at the very end
    slices = split(replace(sample, times=times))
    assert all(0 not in part.sessions for part in slices)


@pytest.mark.parametrize("shares", [(0.5, 0.5), (0.5, 0.5, 0.5), (1.0, 0.0, 0.0), (1.2, -0.1, -0.1)])
def test_bad_fractions_are_refused(shares: tuple[float, ...]) -> None:
    with pytest.raises(TrainingRefused, match=r"^fractions: "):
        split(shop(sessions=100), shares)


def test_an_empty_sample_is_refused() -> None:
    nothing = np.zeros(0, dtype=np.int64)
    table = Table(np.zeros((0, 1), dtype=np.float32), ("a",))
    empty = Sample(table, nothing.astype(np.uint8), np.zeros(0), nothing, nothing)
    with pytest.raises(TrainingRefused, match="empty"):
        split(empty)


@pytest.mark.parametrize(("name", "position"), list(zip(Slices._fields, range(3), strict=True)))
def test_a_slice_without_buyers_is_named(name: str, position: int) -> None:
    sample = shop()
    part = split(sample)[position]
    labels = np.where(np.isin(sample.sessions, part.sessions), 0, sample.labels)
    with pytest.raises(TrainingRefused) as refused:
        split(replace(sample, labels=labels))
    assert refused.value.facts["field"] == name
    assert refused.value.facts["buying_sessions"] == 0


def nightly(nights: int, *, reach: int) -> Sample:
    """Thirty cases a night, each known `reach` days later, every third of them a buyer."""
    times = np.repeat(np.arange(nights), 30) * DAY
    table = Table(np.zeros((len(times), 1), np.float32), ("a",))
    labels = (np.arange(len(times)) % 3 == 0).astype(np.uint8)
    return Sample(table, labels, np.ones(len(times)), np.arange(len(times)), times, ends=times + reach * DAY)


@pytest.mark.parametrize(
    ("nights", "reach", "kept"),
    [
        pytest.param(39, 7, [15, 5, 5], id="two weeks between"),
        pytest.param(25, 0, [15, 5, 5], id="known at once"),
        pytest.param(114, 7, [60, 20, 20], id="many nights"),
        pytest.param(19, 7, [3, 1, 1], id="hardly any"),
    ],
)
def test_slices_keep_their_share_of_the_nights_that_are_left(nights: int, reach: int, kept: list[int]) -> None:
    sample = nightly(nights, reach=reach)
    slices = split(sample, purged_fractions(sample, (0.6, 0.2, 0.2)))
    assert [len(np.unique(part.times)) for part in slices] == kept
    for earlier, later in pairwise(slices):
        assert int(later.times.min() - earlier.times.max()) == (reach + 1) * DAY


def test_without_nights_to_spare_it_is_refused() -> None:
    with pytest.raises(TrainingRefused, match="nights: 4 are left once outcomes of 7 days are kept apart, at least 5"):
        purged_fractions(nightly(18, reach=7), (0.6, 0.2, 0.2))


def test_where_outcomes_are_known_at_once_the_shares_stay() -> None:
    assert purged_fractions(shop(sessions=100), (0.6, 0.2, 0.2)) == (0.6, 0.2, 0.2)


def test_a_session_that_goes_on_for_days_does_not_move_the_cuts() -> None:
    sample = shop(sessions=100)
    ends = sample.times.copy()
    ends[0] += 20 * DAY
    assert purged_fractions(replace(sample, ends=ends), (0.6, 0.2, 0.2)) == (0.6, 0.2, 0.2)
