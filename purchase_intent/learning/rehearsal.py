"""A model as it would have been learnt at an earlier moment, so that it can be judged on what came after.

The model that is to serve has learnt from everything: no case is left to judge it by. Its recipe (settings, rounds and
weights found on the early slices) is therefore carried out once more on what was known at the moment, and nothing of
what came after enters: neither members, nor encodings, nor the calibration.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from purchase_intent.exceptions import TrainingRefused
from purchase_intent.learning.calibration import Calibration
from purchase_intent.learning.encoding import TargetEncoder
from purchase_intent.learning.ensemble import IntentEnsemble, Progress
from purchase_intent.learning.splits import session_spans
from purchase_intent.learning.table import Sample

__all__ = ["Parts", "begin_of_judging", "parted", "rehearse"]


class Parts(NamedTuple):
    """A sample cut at a moment: sessions that were over before it, and sessions that began at it or later."""

    known: Sample
    later: Sample


def begin_of_judging(ensemble: IntentEnsemble, learnt_until: int) -> int:
    """The first moment [ms] from which sessions can judge both a fresh model and one that learnt until `learnt_until`.

    No earlier than the calibration slice: rounds and weights of the fresh model were chosen on what lies before.
    """
    return max(learnt_until, int(ensemble.figures["slices"]["calibration"]["first"]))


def parted(sample: Sample, begin: int) -> Parts:
    """Cut a sample at `begin` [ms]; a session that goes on at that moment is in neither part."""
    session, first, last = session_spans(sample)
    return Parts(
        sample.take(np.flatnonzero((last < begin)[session])), sample.take(np.flatnonzero((first >= begin)[session]))
    )


def rehearse(ensemble: IntentEnsemble, known: Sample, *, threads: int, progress: Progress) -> IntentEnsemble:
    """The ensemble as it would have been learnt from `known`, the first part of the sample it was fitted on.

    Its calibration is that of the draft on the cases of `known` after the fit slice: cases no member had seen. Raises
    TrainingRefused for an ensemble that was not fitted in this process.
    """
    if ensemble.draft is None:
        raise TrainingRefused("ensemble: only one that was just fitted can be rehearsed; fit it here", field="ensemble")
    encoder, encoded = TargetEncoder.fit(known)
    members = {}
    for name, member in ensemble.members.items():
        progress(f"rehearsing {name}")
        members[name] = member.refit(known.with_values(encoded), threads=threads)
    calibration = _calibrated(ensemble, ensemble.draft, known, threads)
    return replace(ensemble, encoder=encoder, members=members, calibration=calibration, draft=None)


def _calibrated(ensemble: IntentEnsemble, draft: IntentEnsemble, known: Sample, threads: int) -> Calibration:
    session, first, _ = session_spans(known)
    unseen = known.take(np.flatnonzero((first >= int(ensemble.figures["slices"]["validation"]["first"]))[session]))
    mixed = replace(draft, calibration=Calibration()).log_odds(unseen.table, threads=threads)
    return Calibration.fit(mixed, unseen.labels, unseen.weights, unseen.buying_sessions)
