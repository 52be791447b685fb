"""The fit slice cut in time once more, so that tuning never sees the slices that weigh, calibrate and judge."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from purchase_intent.learning.encoding import TargetEncoder
from purchase_intent.learning.splits import purged_fractions, split
from purchase_intent.learning.table import Sample

__all__ = ["MOST_ROWS", "SHARES", "Inner", "inner_slices", "thinned"]

SHARES: Final = (0.6, 0.2, 0.2)
"""Shares of the fit slice's sessions: to fit a trial, to choose among trials, to confirm the choice."""
MOST_ROWS: Final = 300_000
"""Cases a trial is fitted on, and as many to choose and to confirm on; of more, sessions that did not buy are drawn."""
LEAST_SHARE: Final = 0.05
"""The least share of the sessions without a purchase that is kept, so that no case weighs more than twenty."""


@dataclass(frozen=True, slots=True)
class Inner:
    """Three encoded samples, each entirely earlier than the next; `fit` has `share` of the sessions without a purchase.

    `fit` for a trial's member, `choose` for its rounds and its value, `confirm` to judge the choice on. `of` is the
    number of sessions that there were.
    """

    fit: Sample
    choose: Sample
    confirm: Sample
    share: float
    of: int

    def facts(self) -> dict[str, float]:
        """Sessions and buyers of each slice, for the figures."""
        found: dict[str, float] = {"of": self.of, "share_of_others": round(self.share, 4)}
        for name in ("fit", "choose", "confirm"):
            part: Sample = getattr(self, name)
            found[name] = len(np.unique(part.sessions))
            found[f"{name}_buying"] = part.buying_sessions
        return found


def inner_slices(sample: Sample, *, seed: int, most: int = MOST_ROWS) -> Inner:
    """Cut the fit slice, encode it as it was known at the cut, and thin each part to about `most` cases.

    Buyers are what is rare, so all their sessions stay, and each other session stays with one chance and weighs its
    inverse: a case-control sample whose weighted log-loss is the whole slice's in expectation. Raises TrainingRefused
    where a slice has too few buyers.
    """
    parts = split(sample, purged_fractions(sample, SHARES))
    encoder, encoded = TargetEncoder.fit(parts.fit)
    later = [part.with_values(encoder.transform(part.table.values)) for part in parts[1:]]
    share = _share(parts.fit, most)
    rng = np.random.default_rng([seed, len(sample)])
    fit = thinned(parts.fit.with_values(encoded), share, rng)
    choose, confirm = (thinned(part, _share(part, most), rng) for part in later)
    return Inner(fit, choose, confirm, share=share, of=len(np.unique(sample.sessions)))


def _share(part: Sample, most: int) -> float:
    buying = int(np.isin(part.sessions, part.sessions[part.labels == 1]).sum())
    return float(np.clip((most - buying) / (len(part) - buying), LEAST_SHARE, 1.0))


def thinned(part: Sample, share: float, rng: np.random.Generator) -> Sample:
    """All sessions with a purchase ahead, and about `share` of the others, each weighing the inverse of it."""
    if share == 1.0:
        return part
    sessions, place = np.unique(part.sessions, return_inverse=True)
    buying = np.zeros(len(sessions), bool)
    buying[place[part.labels == 1]] = True
    kept = buying | (rng.random(len(sessions)) < share)
    rows = np.flatnonzero(kept[place])
    weights = np.where(buying[place], part.weights, part.weights / share)
    return replace(part.take(rows), weights=weights[rows])
