"""A model as it would have been learnt at an earlier moment, so that it can be judged on what came after.

The model that is to serve has learnt from everything: no case is left to judge it by. Its recipe (settings, rounds and
weights found on the early slices) is therefore carried out once more on what was known at the moment, and nothing of
what came after enters: neither members, nor encodings, nor the calibration.
"""

from __future__ import annotations

from dataclasses import replace

from purchase_intent.exceptions import TrainingRefused
from purchase_intent.learning.calibration import Calibration
from purchase_intent.learning.ensemble import IntentEnsemble, Progress
from purchase_intent.learning.forward import parted, refitted
from purchase_intent.learning.table import Sample

__all__ = ["begin_of_judging", "rehearse"]


def begin_of_judging(ensemble: IntentEnsemble, learnt_until: int) -> int:
    """The first moment [ms] from which sessions can judge both a fresh model and one that learnt until `learnt_until`.

    No earlier than the calibration slice: rounds and weights of the fresh model were chosen on what lies before.
    """
    return max(learnt_until, int(ensemble.figures["slices"]["calibration"]["first"]))


def rehearse(ensemble: IntentEnsemble, known: Sample, *, threads: int, progress: Progress) -> IntentEnsemble:
    """The ensemble as it would have been learnt from `known`, the first part of the sample it was fitted on.

    Its calibration is that of the draft on the cases of `known` after the fit slice: cases no member had seen; or, of
    an ensemble that was brought forward, of members brought forward to the latest of those cases. Raises
    TrainingRefused for an ensemble that was not fitted in this process.
    """
    if ensemble.draft is None:
        raise TrainingRefused("ensemble: only one that was just fitted can be rehearsed; fit it here", field="ensemble")
    encoder, members, _ = refitted(ensemble.members, known, threads=threads, progress=progress, said="rehearsing {}")
    calibration = _calibrated(ensemble, ensemble.draft, known, threads, progress)
    return replace(ensemble, encoder=encoder, members=members, calibration=calibration, draft=None)


def _calibrated(
    ensemble: IntentEnsemble, draft: IntentEnsemble, known: Sample, threads: int, progress: Progress
) -> Calibration:
    slices = ensemble.figures["slices"]
    if not ensemble.figures.get("brought_forward"):
        return _fitted(draft, parted(known, int(slices["validation"]["first"])).later, threads)
    # As long before the end of what is known as the calibration slice was.
    begin = int(known.times.max()) - (slices["calibration"]["last"] - slices["calibration"]["first"])
    earlier, later = parted(known, begin)
    encoder, members, _ = refitted(
        ensemble.members, earlier, threads=threads, progress=progress, said="bringing {} forward"
    )
    return _fitted(replace(draft, encoder=encoder, members=members), later, threads)


def _fitted(ensemble: IntentEnsemble, unseen: Sample, threads: int) -> Calibration:
    mixed = replace(ensemble, calibration=Calibration()).log_odds(unseen.table, threads=threads)
    return Calibration.fit(mixed, unseen.labels, unseen.weights, unseen.buying_sessions)
