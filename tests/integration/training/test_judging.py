"""The gate compares with the champion as it served: with the correction that was in force at each moment."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from purchase_intent.learning import Sample
from purchase_intent.models import Horizon, ModelVersion, Recalibration
from purchase_intent.sources import open_log
from purchase_intent.training import gate
from purchase_intent.training.dataset import build_sample
from purchase_intent.training.gate import Outcome, Verdict, judge
from tests.trained import ZONE, Trained

Judged = Callable[[], Verdict]

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def later(trained: Trained) -> Sample:
    """Some sessions that the run's model has not seen."""
    with open_log([trained.later], zone=ZONE) as log:
        return build_sample(log, seed=1, most=6_000, progress=lambda step: None)


@pytest.fixture
def judged(trained: Trained, later: Sample, champion: ModelVersion, monkeypatch: pytest.MonkeyPatch) -> Judged:
    """Judge the champion's own model against it: what differs is the correction alone."""
    monkeypatch.setattr(gate, "rehearse", lambda *_, **__: trained.ensemble)
    monkeypatch.setattr(gate, "LEAST_BUYERS", 20)

    def _judged() -> Verdict:
        session = Horizon.SESSION.value
        return judge(trained.ensemble, later, (), horizon=session, seed=1, threads=1, progress=lambda step: None)

    return _judged


def correct(model: ModelVersion, begun: datetime) -> None:
    row = {"fitted_from": begun, "fitted_until": begun, "sessions": 9, "buyers": 3, "begun_at": begun}
    Recalibration.objects.create(model=model, intercept=2.0, **row)


def test_a_correction_of_the_champion_counts_from_its_beginning(
    judged: Judged, champion: ModelVersion, later: Sample
) -> None:
    same = judged()
    assert (same.outcome, same.codes[0], same.figures["measures"]["log_loss"]["gain"]) == (
        Outcome.WAIT,
        "no_better",
        0.0,
    )
    end = datetime.fromtimestamp(int(later.times.max()) / 1000, UTC) + timedelta(seconds=1)
    correct(champion, end)
    assert judged().figures["measures"] == same.figures["measures"]
    Recalibration.objects.all().delete()
    correct(champion, end - timedelta(days=60))
    found = judged().figures["measures"]
    # Seven times the odds: the order is the same, the probabilities are not.
    assert found["average_precision"]["gain"] == pytest.approx(0, abs=1e-9)
    assert found["log_loss"]["gain"] > 0.01


def test_too_few_buyers_are_said_with_both_counts(judged: Judged, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "LEAST_BUYERS", 2_000)
    found = judged()
    buyers, others = found.figures["buyers"], found.figures["sessions"] - found.figures["buyers"]
    assert (found.outcome, found.codes) == (Outcome.WAIT, ("too_few_buyers",))
    assert found.sentences[-1].endswith(
        f"from which neither has learnt, {buyers:,} bought and {others:,} did not; 2000 of each are needed."
    )
