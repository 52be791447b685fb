"""What a model goes by: cases that add up, importance, and the file they are kept in."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from purchase_intent.exceptions import BundleRefused
from purchase_intent.learning import IntentEnsemble, Sample, split
from purchase_intent.learning.explained import Explained
from tests.unit.learning.samples import NAMES


@pytest.fixture(scope="module")
def explained(ensemble: IntentEnsemble) -> Explained:
    assert ensemble.explained is not None
    return ensemble.explained


def test_each_case_adds_up_to_its_score(ensemble: IntentEnsemble, explained: Explained) -> None:
    assert explained.scores() == pytest.approx(ensemble.log_odds(explained.values), abs=1e-5)


def test_cases_are_of_the_latest_slice_each_once(sample: object, explained: Explained) -> None:
    later = {row.tobytes() for row in split(sample).calibration.table.values}  # type: ignore[arg-type]
    rows = [row.tobytes() for row in explained.values]
    assert set(rows) <= later
    assert len(set(rows)) == len(rows) == min(400, len(later))


def test_who_stands_for_many_is_drawn_as_often(ensemble: IntentEnsemble, sample: Sample) -> None:
    thinned = replace(sample, stands_for=np.where(sample.labels == 1, 1e-6, 1.0))
    buyers = {row.tobytes() for row in sample.table.values[sample.labels == 1]}
    for drawn_from, some in ((sample, True), (thinned, False)):
        drawn = {row.tobytes() for row in Explained.of(ensemble, drawn_from, seed=1, cases=100).values}
        assert bool(drawn & buyers) is some


def test_what_drives_the_truth_is_weightiest_and_what_says_nothing_is_last(explained: Explained) -> None:
    found = explained.importance(NAMES)
    assert [each.name for each in found[:2]] == ["pages", "cart"]
    assert {each.name for each in found[-2:]} == {"constant", "unknown"}
    assert found[-1].effect == 0
    assert sum(each.share for each in found) == pytest.approx(1)
    by_hand = np.abs(explained.effects[:, 0]).mean()
    assert found[0].effect == pytest.approx(by_hand, rel=1e-6)


def test_cases_survive_their_file_to_the_bit(explained: Explained) -> None:
    found = Explained.from_bytes(explained.to_bytes())
    assert found.values.tobytes() == explained.values.tobytes()
    assert found.effects.tobytes() == explained.effects.tobytes()
    assert found.base == explained.base


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda data: b"", id="nothing"),
        pytest.param(lambda data: data[:-9], id="cut short"),
        pytest.param(lambda data: b"PK" + data[2:], id="another format"),
    ],
)
def test_a_file_that_is_none_is_refused_with_the_remedy(explained: Explained, damage: object) -> None:
    with pytest.raises(BundleRefused, match="restore the bundle or train again"):
        Explained.from_bytes(damage(explained.to_bytes()))  # type: ignore[operator]
