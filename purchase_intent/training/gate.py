"""The gate: a fresh model against the one that serves, on sessions from which neither learnt.

What it says is stored with the version: PROMOTE, WAIT or REFUSE, each with codes and sentences. See docs/gate.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

import numpy as np
from scipy.special import expit

from purchase_intent.exceptions import BundleRefused, ModelNotFound
from purchase_intent.learning import IntentEnsemble, Sample
from purchase_intent.learning.forward import parted
from purchase_intent.learning.paired import Difference, beats, leads, loses, paired_differences, to_json
from purchase_intent.learning.rehearsal import begin_of_judging, rehearse
from purchase_intent.learning.reliability import Reliability, reliability
from purchase_intent.learning.table import Column
from purchase_intent.models import Horizon, ModelVersion
from purchase_intent.scoring.bundles import heirs, load_bundle
from purchase_intent.scoring.corrections import as_served
from purchase_intent.training.checks import Finding

__all__ = ["LEAST_BUYERS", "Outcome", "Verdict", "compare", "decide", "judge"]

LEAST_BUYERS: Final = 50
"""Buying sessions (customers, of the week), and as many others, that two models are compared on: with fewer clusters a
bootstrap draws its intervals too narrow (Cameron, Gelbach and Miller 2008)."""
NAMES: Final = {"average_precision": "average precision", "log_loss": "log-loss", "brier": "Brier score"}

Progress = Callable[[str], None]


class Outcome(StrEnum):
    """What becomes of a fresh model."""

    PROMOTE = "promote"
    """It serves from now on."""
    WAIT = "wait"
    """It is kept; a person, a challenge or later data may still promote it."""
    REFUSE = "refuse"
    """It is put on record without a bundle: it can never serve."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """An outcome, why, and the figures behind it (plain data). `is_promising`: worth scoring beside the champion.

    `against` is the key of the version it was compared with, or was to be; None where none serves. `rivals` are the
    keys of the champion and of those that could have served in its stead, as far as they were looked at.
    """

    outcome: Outcome
    codes: tuple[str, ...] = ()
    sentences: tuple[str, ...] = ()
    is_promising: bool = False
    against: int | None = None
    rivals: tuple[int, ...] = ()
    figures: dict[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """All that is said, in one line."""
        return " ".join(self.sentences)

    def to_json(self) -> dict[str, Any]:
        """What is stored with the version."""
        return {
            "outcome": str(self.outcome),
            "codes": list(self.codes),
            "is_promising": self.is_promising,
            "against": self.against,
            **self.figures,
        }


@dataclass(frozen=True, slots=True)
class _Opponent:
    """The version that serves, its model, and what is to be said of champions that could not be compared."""

    version: ModelVersion | None
    model: IntentEnsemble | None
    notes: tuple[str, ...]
    rivals: tuple[int, ...]


def judge(
    ensemble: IntentEnsemble,
    sample: Sample,
    findings: Sequence[Finding],
    *,
    horizon: str,
    seed: int,
    threads: int,
    progress: Progress,
) -> Verdict:
    """Decide on a model that was just fitted on `sample`, with the `findings` of its checks.

    The champion is taken as it served: with the correction that was in force at each moment. Nothing is written. The
    costly part, carrying out the recipe once more, is left out where there is nothing to compare.
    """
    if findings:
        return Verdict(
            outcome=Outcome.REFUSE,
            codes=tuple(finding.code for finding in findings),
            sentences=tuple(f"{finding.message}." for finding in findings),
        )
    opponent = _opponent(horizon)
    if opponent.version is None or opponent.model is None:
        return _unopposed(opponent)
    against = opponent.version
    begin = begin_of_judging(ensemble, _milliseconds(against.trained_until))
    known, later = parted(sample, begin)
    facts = _facts(later, begin)
    if shortfall := _shortfall(facts, against):
        verdict = Verdict(outcome=Outcome.WAIT, codes=("too_few_buyers",), sentences=(shortfall,), against=against.pk)
    else:
        fresh = rehearse(ensemble, known, threads=threads, progress=progress)
        progress("comparing with the champion")
        served = as_served(against, opponent.model.log_odds(later.table, threads=threads), later.times)
        scores = (np.asarray(expit(served)), fresh.predict(later.table, threads=threads))
        verdict = compare(later, scores, against=against.pk, seed=seed)
    return replace(
        verdict,
        rivals=opponent.rivals,
        sentences=("Passed the checks.", *opponent.notes, *verdict.sentences),
        figures=facts | verdict.figures,
    )


def compare(later: Sample, scores: tuple[Column, Column], *, against: int, seed: int) -> Verdict:
    """Decide by what the champion `against` and the fresh model say of cases that neither learnt from."""
    found = paired_differences(later.labels, scores, later.weights, later.clusters, seed=seed)
    holds = reliability(later.labels, scores[1], later.weights, later.clusters, seed=seed)
    verdict = decide(found, holds, against=against)
    return replace(verdict, figures={"measures": to_json(found), "calibration": holds.to_json()})


def decide(found: dict[str, Difference], holds: Reliability, *, against: int) -> Verdict:
    """The rule: better beyond chance, by no measure worse, and calibrated."""
    faults = holds.faults
    codes = tuple(code for code, _ in faults)
    gaps = _gaps(found)
    if loses(found):
        worse = [f"worse_{name}" for name, each in found.items() if each.is_worse]
        said = f"Worse than model {against} beyond chance: {gaps}."
        return Verdict(outcome=Outcome.REFUSE, codes=(*worse, *codes), sentences=(said,), against=against)
    sentences = tuple(sentence for _, sentence in faults)
    if not beats(found):
        said = f"No better than model {against} beyond chance: {gaps}."
        promising = leads(found) and not faults
        return Verdict(
            outcome=Outcome.WAIT,
            codes=("no_better", *codes),
            sentences=(said, *sentences),
            is_promising=promising,
            against=against,
        )
    said = f"Better than model {against} beyond chance: {gaps}."
    return Verdict(
        outcome=Outcome.WAIT if faults else Outcome.PROMOTE,
        codes=codes or ("better",),
        sentences=(said, *sentences),
        against=against,
    )


def said_of(name: str, difference: Difference) -> str:
    """One measure of two models in words: "average precision .412 against .398, +.014 [+.003, +.026]"."""
    sign = 1 if name == "average_precision" else -1
    ends = sorted((sign * difference.low, sign * difference.high))
    return (
        f"{NAMES[name]} {difference.second:.4f} against {difference.first:.4f}, "
        f"{sign * difference.gain:+.4f} [{ends[0]:+.4f}, {ends[1]:+.4f}]"
    )


def _gaps(found: dict[str, Difference]) -> str:
    return "; ".join(said_of(name, each) for name, each in found.items())


def _opponent(horizon: str) -> _Opponent:
    notes: list[str] = []
    rivals: list[int] = []
    try:
        for version in heirs(horizon):
            rivals.append(version.pk)
            try:
                return _Opponent(version, load_bundle(version), tuple(notes), tuple(rivals))
            except BundleRefused as refused:
                notes.append(f"Model {version.pk} cannot be compared, and cannot serve: {refused.message}.")
    except ModelNotFound:
        pass
    return _Opponent(None, None, tuple(notes), tuple(rivals))


def _unopposed(opponent: _Opponent) -> Verdict:
    if not opponent.notes:
        first = ("Passed the checks.", "No model served before it.")
        return Verdict(outcome=Outcome.PROMOTE, codes=("first_model",), sentences=first)
    said = ("Passed the checks.", *opponent.notes, "No model that could be loaded is left, so it serves.")
    return Verdict(outcome=Outcome.PROMOTE, codes=("no_sound_champion",), sentences=said, rivals=opponent.rivals)


def _facts(later: Sample, begin: int) -> dict[str, Any]:
    return {
        "from": datetime.fromtimestamp(begin / 1000, UTC).isoformat(),
        "sessions": len(np.unique(later.clusters)),
        "buyers": len(np.unique(later.clusters[later.labels == 1])),
        "needed": LEAST_BUYERS,
    }


def _shortfall(facts: dict[str, Any], champion: ModelVersion) -> str:
    """Why there is too little to compare on, in words; "" where there is enough."""
    buyers, others = facts["buyers"], facts["sessions"] - facts["buyers"]
    if min(buyers, others) >= LEAST_BUYERS:
        return ""
    since = facts["from"][:16].replace("T", " ")
    what = "customers" if champion.horizon == Horizon.WEEK else "sessions"
    return (
        f"Too early to compare with model {champion.pk}: of the {what} since {since} UTC, from which neither has "
        f"learnt, {buyers:,} bought and {others:,} did not; {LEAST_BUYERS} of each are needed."
    )


def _milliseconds(moment: datetime) -> int:
    return int(np.ceil(moment.timestamp() * 1000))
