"""How an ensemble is learnt: each step on data later than the one before.

fit slice         tuning, on slices of its own; members, encoder and baseline
validation slice  rounds (early stopping) and the members' weights
calibration slice the map to probabilities, thresholds, and the figures that are shown
everything        members and encoder once more, with the rounds found; weights and calibration are kept; cases of the
                  calibration slice are explained

Where they are to be brought forward, members and encoder are fitted anew on all that was known when the calibration
slice began, before they are calibrated on it (`learning.forward`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.special import expit

from purchase_intent.learning.baseline import LogisticBaseline
from purchase_intent.learning.calibration import Calibration
from purchase_intent.learning.encoding import TargetEncoder
from purchase_intent.learning.ensemble import IntentEnsemble, Progress
from purchase_intent.learning.explained import Explained
from purchase_intent.learning.forward import parted, refitted
from purchase_intent.learning.members import MEMBERS, Member, Params
from purchase_intent.learning.metrics import figures
from purchase_intent.learning.profile import profile
from purchase_intent.learning.splits import Slices, Slicing, refuse_too_few, split
from purchase_intent.learning.table import Column, Sample
from purchase_intent.learning.thresholds import Thresholds
from purchase_intent.learning.tuning import Ground, Tuning, chosen_params, tune
from purchase_intent.learning.weights import fit_weights

__all__ = ["MIN_BUYERS", "fit_ensemble"]

MIN_BUYERS = 30
"""Buying sessions a whole sample needs: below, no figure about a model tells it from chance."""


def fit_ensemble(
    sample: Sample,
    *,
    seed: int,
    tuning: Tuning,
    members: tuple[str, ...],
    params: Mapping[str, Params] | None,
    slicing: Slicing,
    threads: int,
    progress: Progress,
) -> IntentEnsemble:
    """Learn an ensemble; see `IntentEnsemble.fit`."""
    settings: Mapping[str, Params] = chosen_params(members, params, tuning=tuning)
    refuse_too_few(sample, "sample", MIN_BUYERS)
    raw = split(sample, slicing.fractions)
    ground = Ground(sample, raw.fit, slicing.fractions, seed, threads)
    settings, told = tune(ground, settings, tuning, given=params or {}, progress=progress)
    encoder, slices = _encoded(raw)
    first = _first(slices, settings, seed, threads, progress)
    weights = _weights(first, slices.validation, threads)
    if slicing.bring_forward:
        encoder, first, slices = _brought_forward(first, sample, raw, threads, progress)
        told = {"brought_forward": True, **told}
    progress("fitting the baseline")
    line = LogisticBaseline.fit(slices.fit)
    progress("weighing and calibrating")
    draft = IntentEnsemble(
        sample.table.names,
        sample.table.categorical,
        TargetEncoder(),
        first,
        weights,
        *_calibrated(first, weights, slices.calibration, threads),
        line,
    )
    final = _final(draft, sample, _facts(draft, sample, raw, slices, threads) | told, threads, progress)
    progress("explaining")
    explained = Explained.of(final, raw.calibration, seed=seed, threads=threads)
    return replace(final, explained=explained, draft=replace(draft, encoder=encoder))


def _first(
    slices: Slices, settings: Mapping[str, Params], seed: int, threads: int, progress: Progress
) -> dict[str, Member]:
    found: dict[str, Member] = {}
    for name, params in settings.items():
        progress(f"fitting {name}")
        found[name] = MEMBERS[name].fit(slices.fit, slices.validation, seed=seed, params=params, threads=threads)
    return found


def _brought_forward(
    members: Mapping[str, Member], sample: Sample, raw: Slices, threads: int, progress: Progress
) -> tuple[TargetEncoder, dict[str, Member], Slices]:
    """Encoder and members of all that was known when the calibration slice began, and slices that say so."""
    known = parted(sample, int(raw.calibration.times.min())).known
    encoder, fresh, fitted_on = refitted(
        members, known, threads=threads, progress=progress, said="bringing {} forward to the calibration slice"
    )
    later = (part.with_values(encoder.transform(part.table.values)) for part in raw[1:])
    return encoder, fresh, Slices(fitted_on, *later)


def _facts(draft: IntentEnsemble, sample: Sample, raw: Slices, slices: Slices, threads: int) -> dict[str, Any]:
    log_odds = draft.log_odds(slices.calibration.table.values, threads=threads)
    return {
        "slices": {name: _window(part) for name, part in slices._asdict().items()},
        "rounds": {name: member.rounds for name, member in draft.members.items()},
        "models": _judged(draft, slices.calibration, threads),
        "profile": profile(sample, raw.calibration, log_odds, draft.thresholds),
    }


def _encoded(slices: Slices) -> tuple[TargetEncoder, Slices]:
    # The later slices get the lookup as it stood at the end of the first, as a deployed model would.
    encoder, encoded = TargetEncoder.fit(slices.fit)
    later = (part.with_values(encoder.transform(part.table.values)) for part in slices[1:])
    return encoder, Slices(slices.fit.with_values(encoded), *later)


def _weights(members: Mapping[str, Member], validation: Sample, threads: int) -> dict[str, float]:
    margins = np.column_stack(
        [member.log_odds(validation.table.values, threads=threads) for member in members.values()]
    )
    found = fit_weights(margins, validation.labels, validation.weights, validation.buying_sessions)
    return dict(zip(members, found.tolist(), strict=True))


def _calibrated(
    members: Mapping[str, Member], weights: Mapping[str, float], later: Sample, threads: int
) -> tuple[Calibration, Thresholds]:
    mixed = np.asarray(
        sum(weights[name] * member.log_odds(later.table.values, threads=threads) for name, member in members.items())
    )
    chosen = Calibration.fit(mixed, later.labels, later.weights, later.buying_sessions)
    return chosen, Thresholds.fit(later.labels, expit(chosen(mixed)), later.by_session(), later.by_point())


def _judged(draft: IntentEnsemble, later: Sample, threads: int) -> dict[str, dict[str, dict[str, float]]]:
    margins: dict[str, Column] = draft.member_log_odds(later.table.values, threads=threads)
    margins = {**margins, "baseline": draft.baseline_log_odds(later.table.values), "ensemble": draft.mix(margins)}
    views = {"session": later.by_session(), "point": later.by_point()}
    return {
        name: {view: figures(later.labels, expit(margin), weights) for view, weights in views.items()}
        for name, margin in margins.items()
    }


def _window(sample: Sample) -> dict[str, int]:
    return {
        "rows": len(sample),
        "sessions": len(np.unique(sample.sessions)),
        "buying_sessions": sample.buying_sessions,
        "first": int(sample.times.min()),
        "last": int(sample.times.max()),
    }


def _final(
    draft: IntentEnsemble, sample: Sample, facts: Mapping[str, Any], threads: int, progress: Progress
) -> IntentEnsemble:
    encoder, members, everything = refitted(
        draft.members, sample, threads=threads, progress=progress, said="fitting {} on everything"
    )
    line = LogisticBaseline.fit(everything)
    return IntentEnsemble(
        draft.names,
        draft.categorical,
        encoder,
        members,
        draft.weights,
        draft.calibration,
        draft.thresholds,
        line,
        facts,
    )
