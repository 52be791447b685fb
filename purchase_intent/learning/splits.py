"""Slices of a sample in time: what is learnt on one is judged on a later one.

Random splits flatter a model of behaviour: moments of one session land on both sides, and next week's habits help to
predict last week's. Here whole sessions are put in order of their start, and a session still running when the next
slice begins belongs to neither, since its outcome was not known by then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from purchase_intent.exceptions import TrainingRefused
from purchase_intent.learning.table import Codes, Sample

__all__ = ["FRACTIONS", "MIN_BUYING_SESSIONS", "Slices", "Slicing", "purged_fractions", "session_spans", "split"]

FRACTIONS = (0.70, 0.15, 0.15)
"""Shares of the sessions for fitting, for early stopping and weights, and for calibration."""

DAY = 86_400_000

MIN_BUYING_SESSIONS = 5
"""Each slice needs as many buying sessions and as many others; below, its figures say nothing."""


@dataclass(frozen=True, slots=True)
class Slicing:
    """How a sample is cut, as `split` takes it, and whether members are brought forward to the calibration slice.

    To be chosen where the share of buyers moves from slice to slice; it takes one fit more of each member
    (`learning.forward`).
    """

    fractions: tuple[float, ...] = FRACTIONS
    bring_forward: bool = False


class Slices(NamedTuple):
    """Three samples, each entirely earlier than the next."""

    fit: Sample
    validation: Sample
    calibration: Sample


def session_spans(sample: Sample) -> tuple[NDArray[np.intp], Codes, Codes]:
    """For each row the dense number of its session; for each session its first time and when it had ended [ms]."""
    _, inverse = np.unique(sample.sessions, return_inverse=True)
    count = int(inverse.max()) + 1 if len(inverse) else 0
    first = np.full(count, np.iinfo(np.int64).max, dtype=np.int64)
    last = np.full(count, np.iinfo(np.int64).min, dtype=np.int64)
    np.minimum.at(first, inverse, sample.times)
    np.maximum.at(last, inverse, sample.times if sample.ends is None else sample.ends)
    return inverse, first, last


def split(sample: Sample, fractions: Sequence[float] = FRACTIONS) -> Slices:
    """Cut a sample into fit, validation and calibration, by the time its sessions start.

    `fractions` are three positive shares of the sessions that sum to 1. A session that starts before a boundary and
    ends at or after it is left out. Raises TrainingRefused where a slice lacks one class.
    """
    if len(fractions) != 3 or min(fractions) <= 0 or abs(sum(fractions) - 1) > 1e-9:
        raise TrainingRefused("fractions: give three positive shares that sum to 1", field="fractions")
    if not len(sample):
        raise TrainingRefused("the sample is empty: give it rows", field="sample")
    inverse, first, last = session_spans(sample)
    ordered = np.sort(first)
    cuts = [ordered[int(len(ordered) * share)] for share in (fractions[0], fractions[0] + fractions[1])]
    side = np.searchsorted(cuts, first, side="right")
    ends = np.array([*cuts, np.iinfo(np.int64).max])
    side[last >= ends[side]] = -1
    slices = Slices(*(sample.take(np.flatnonzero(side[inverse] == position)) for position in range(3)))
    for name, part in slices._asdict().items():
        refuse_too_few(part, name, MIN_BUYING_SESSIONS)
    return slices


def purged_fractions(sample: Sample, shares: tuple[float, ...] = FRACTIONS) -> tuple[float, ...]:
    """Shares of the cases, for `split`, by which each slice keeps its share of the nights that are left.

    `split` leaves out who has an outcome beyond the cut: where outcomes reach days ahead, those days before each cut
    are taken out first. Where most outcomes are known within a day, `shares` as they are. Raises TrainingRefused where
    a slice would have less than a night.
    """
    if sample.ends is None:
        return shares
    nights, counts = np.unique(sample.times, return_counts=True)
    # Of sessions a few may go on for days; that no slice should wait for.
    gap = int(np.median(sample.ends - sample.times)) // DAY
    if not gap:
        return shares
    left = int((nights[-1] - nights[0]) // DAY) + 1 - (len(shares) - 1) * gap
    needed = ceil(1 / min(shares))
    if left < needed:
        raise TrainingRefused(
            f"nights: {max(left, 0)} are left once outcomes of {gap} days are kept apart, at least {needed} are "
            "needed; use a longer log",
            field="nights",
            nights=left,
            needed=needed,
        )
    places = np.arange(1, len(shares))
    ends = np.cumsum(shares[:-1]) * left + places * gap
    # Half a case more, so that rounding cannot move a cut into the night before.
    cuts = [(int(counts[nights < nights[0] + round(end) * DAY].sum()) + 0.5) / len(sample) for end in ends]
    return tuple(np.diff([0.0, *cuts, 1.0]).tolist())


def refuse_too_few(sample: Sample, name: str, least: int) -> None:
    """Raise TrainingRefused unless the sample holds `least` buying sessions and as many others."""
    buying = sample.buying_sessions
    others = len(np.unique(sample.sessions)) - buying
    if buying < least or others < least:
        raise TrainingRefused(
            f"{name}: {buying} buying sessions and {others} others, at least {least} of each are needed; "
            "use a longer log, or one with more purchases",
            field=name,
            buying_sessions=buying,
            other_sessions=others,
            needed=least,
        )
