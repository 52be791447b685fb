"""A correction of the champion's log-odds from its recent outcomes, taken only where it holds on later ones."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from purchase_intent.exceptions import TrainingRefused
from purchase_intent.learning import Calibration, case_weights
from purchase_intent.learning.intervals import DRAWS, session_draws
from purchase_intent.learning.shift import fit_shift
from purchase_intent.learning.weights import nats
from purchase_intent.models import ModelVersion, Recalibration
from purchase_intent.scoring.corrections import in_force_of
from purchase_intent.watch.scores import Judged

__all__ = ["LEAST_BUYERS", "REACHES", "Proposal", "propose", "recalibrate"]

LEAST_BUYERS: Final = 40
"""Buying sessions that a correction needs, a third of them to be judged on."""
SLOPE_BUYERS: Final = 200
"""Buying sessions from which on a slope is tried."""
EARLIER: Final = 0.7
"""Share of the sessions that a correction is fitted on; the later rest judges it."""
REACHES: Final = {"session": timedelta(0), "week": timedelta(days=7)}
"""How long after its moment the outcome of a score is known, by horizon; a session's is when it has ended."""
SURE: Final = 0.05
"""A gain is believed where it is above zero in 19 of 20 samples drawn anew."""
LEFT_ALONE: Final = timedelta(days=28)
"""After a correction was undone by hand none is applied to the same version for so long."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What was tried: the map to apply, or None and the `reason`; `figures` on the later part, in nats a case."""

    shift: Calibration | None
    reason: str
    figures: dict[str, Any]


def propose(scores: Judged, *, present: Calibration, seed: int, reach: timedelta = timedelta(0)) -> Proposal:
    """The map that makes later outcomes likelier than the `present` one does, fitted on earlier ones.

    The intercept alone, unless a slope beside it earns its place as well; then fitted anew on everything. `reach` is
    how long after its moment the outcome of a score is known, for a horizon of days.
    """
    buyers = scores.buying_sessions
    if buyers < LEAST_BUYERS:
        reason = f"Too few buyers yet to correct the scores by: {buyers:,} of {LEAST_BUYERS} buying {scores.of}."
        return Proposal(None, reason, {})
    early, late = _parts(scores, reach)
    if not (early.buying_sessions and late.buying_sessions):
        return Proposal(None, f"Too early to correct the scores: {scores.of} of too few days are judged yet.", {})
    try:
        chosen, figures = _chosen(early, late, present, seed, with_slope=buyers >= SLOPE_BUYERS)
        if chosen is None:
            return Proposal(
                None, "The scores fit recent outcomes: no correction would make later ones likelier.", figures
            )
        return Proposal(_fit(scores, with_slope=chosen.slope != 1.0), "", figures)
    except TrainingRefused as refused:
        return Proposal(None, f"No correction: {refused.message}.", {})


def recalibrate(
    version: ModelVersion, scores: Judged, *, now: datetime, seed: int
) -> tuple[Recalibration | None, Proposal]:
    """Propose a correction of a version and put it into force where it holds; the one applied, if any."""
    own = Recalibration.objects.filter(model=version)
    if own.filter(undone=True, ended_at__gt=now - LEFT_ALONE).exists():
        return None, Proposal(None, "A correction was undone by hand within four weeks: none is tried.", {})
    proposal = propose(scores, present=in_force_of(version), seed=seed, reach=REACHES[version.horizon])
    if proposal.shift is None:
        return None, proposal
    moments = (datetime.fromtimestamp(int(end) / 1000, tz=UTC) for end in (scores.moments[0], scores.moments[-1]))
    fitted_from, fitted_until = moments
    correction = Recalibration(
        model=version,
        slope=proposal.shift.slope,
        intercept=proposal.shift.intercept,
        fitted_from=fitted_from,
        fitted_until=fitted_until,
        sessions=scores.session_count,
        buyers=scores.buying_sessions,
        figures=proposal.figures,
        begun_at=now,
    )
    return Recalibration.objects.replace(correction), proposal


def _chosen(
    early: Judged, late: Judged, present: Calibration, seed: int, *, with_slope: bool
) -> tuple[Calibration | None, dict[str, Any]]:
    weights = case_weights(late.sessions)
    draws = session_draws(late.sessions, seed=seed, draws=DRAWS)

    def loss(at: Calibration) -> NDArray[np.float64]:
        return nats(at(late.raw), late.labels)

    def gains(better: NDArray[np.float64], than: NDArray[np.float64]) -> bool:
        gain = weights * (than - better)
        return float(np.quantile([(gain * draw).sum() / (weights * draw).sum() for draw in draws], SURE)) > 0

    before = loss(present)
    shift = _fit(early, with_slope=False)
    figures = {
        "sessions": late.session_count,
        "buyers": late.buying_sessions,
        "log_loss_before": round(float(np.average(before, weights=weights)), 6),
        "log_loss_shift": round(float(np.average(loss(shift), weights=weights)), 6),
    }
    chosen = shift if gains(loss(shift), before) else None
    if with_slope:
        both = _fit(early, with_slope=True)
        figures["log_loss_slope"] = round(float(np.average(loss(both), weights=weights)), 6)
        if gains(loss(both), before) and gains(loss(both), loss(shift)):
            chosen = both
    return chosen, figures


def _fit(scores: Judged, *, with_slope: bool) -> Calibration:
    weights, buyers = case_weights(scores.sessions), scores.buying_sessions
    if with_slope:
        return Calibration.fit(scores.raw, scores.labels, weights, buyers)
    return fit_shift(scores.raw, scores.labels, weights, buyers)


def _parts(scores: Judged, reach: timedelta) -> tuple[Judged, Judged]:
    """Whole sessions by the time of their first score: the earlier ones, and the later ones; nights where days pass."""
    if reach:
        # One customer is scored night after night: cut by time, and no outcome of the earlier part in the later one.
        begin = int(np.quantile(scores.moments, EARLIER))
        span = reach // timedelta(milliseconds=1)
        return scores.take(scores.moments + span <= begin), scores.take(scores.moments >= begin)
    _, place = np.unique(scores.sessions, return_inverse=True)
    first = np.full(int(place.max()) + 1, np.iinfo(np.int64).max)
    np.minimum.at(first, place, scores.moments)
    cut = np.sort(first)[int(len(first) * EARLIER)]
    return scores.take(first[place] < cut), scores.take(first[place] >= cut)
