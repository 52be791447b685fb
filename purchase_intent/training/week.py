"""The chance of the week: whether a known visitor buys within seven days, learnt from snapshots at past nights.

Outcomes reach seven days ahead, so slices are cut in time with a gap of seven days between them: no outcome that a
slice was fitted on is known only after the next one began (a purged split, López de Prado 2018, chapter 7). The pool of
known visitors grows with the log, and in it the share of those who came long ago: members are brought forward to the
calibration slice, or they would be calibrated for a shop as it was weeks before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final

import numpy as np

from purchase_intent.exceptions import TrainingRefused
from purchase_intent.features.schema import CATEGORICAL
from purchase_intent.learning import IntentEnsemble, Sample, Slicing, Table
from purchase_intent.learning.splits import purged_fractions
from purchase_intent.scoring.customers import BESIDE
from purchase_intent.sources import EventLog
from purchase_intent.training.beside import customer_models
from purchase_intent.training.dataset import NAMES
from purchase_intent.training.snapshots import DAY_MS, WEEK_DAYS, Snapshots, take_snapshots

__all__ = ["LEAST_DAYS", "MEMBERS_OF_WEEK", "learn_week", "slicing_of", "week_sample"]

SHARES: Final = (0.6, 0.2, 0.2)
"""Of the nights that are left once the gaps are taken out, for fitting, weighing and calibrating."""
LEAST_NIGHTS: Final = 14
"""Nights that must be left: three of them to weigh on, and as many to calibrate on."""
MEMBERS_OF_WEEK: Final = ("lightgbm",)
"""Of a few hundred buyers among hundreds of thousands the others learn nothing that this one does not."""
LEAST_DAYS: Final = LEAST_NIGHTS + 3 * WEEK_DAYS

Progress = Callable[[str], None]


def learn_week(
    log: EventLog, *, seed: int, threads: int, progress: Progress, **options: Any
) -> tuple[IntentEnsemble, Sample]:
    """The ensemble of a log, with churn, revenue and value beside it, and what it learnt from.

    `options` go to `IntentEnsemble.fit`. Raises TrainingRefused, with the shortfall by name, where there are too few
    days or buyers.
    """
    days = int((log.last - log.first).total_seconds() // 86_400)
    if days < LEAST_DAYS:
        raise TrainingRefused(
            f"days: {days} days of events, at least {LEAST_DAYS} are needed to learn who buys within a week; "
            "use a longer log",
            field="days",
            days=days,
            needed=LEAST_DAYS,
        )
    options.setdefault("members", MEMBERS_OF_WEEK)
    snapshots = take_snapshots(log, progress=progress)
    sample = week_sample(snapshots)
    _refuse_too_few_nights(sample)
    with _in_words_of_the_week():
        ensemble = IntentEnsemble.fit(
            sample, seed=seed, threads=threads, slicing=slicing_of(sample), progress=progress, **options
        )
    progress("learning churn, revenue and value")
    models, judged = customer_models(log, snapshots)
    found = {**ensemble.figures, BESIDE: judged}
    return replace(ensemble, figures=found, beside={BESIDE: models.to_json()}), sample


@contextmanager
def _in_words_of_the_week() -> Iterator[None]:
    """Name what is lacking: of this horizon a session is a customer at a night."""
    try:
        yield
    except TrainingRefused as refused:
        if (found := refused.facts.get("buying_sessions")) is None:
            raise
        slice_ = "" if refused.facts["field"] == "sample" else f" in the {refused.facts['field']} slice"
        raise TrainingRefused(
            f"buyers: {found} customers at a night bought within the week{slice_}, at least "
            f"{refused.facts['needed']} are needed; use a longer log, or one with more customers who come back",
            field="buyers",
            buyers=found,
            needed=refused.facts["needed"],
        ) from refused


def slicing_of(sample: Sample) -> Slicing:
    """How a sample of the week is cut: by nights, with a week between the slices."""
    return Slicing(purged_fractions(sample, SHARES), bring_forward=True)


def week_sample(snapshots: Snapshots) -> Sample:
    """The snapshots whose week is over, as cases: each a session of its own, whose outcome is known seven days later.

    Those of one visitor are drawn together where a difference is to be told from chance. Raises TrainingRefused where
    there is none.
    """
    known = snapshots.take(~np.isnan(snapshots.bought))
    if not len(known):
        raise TrainingRefused("events: no visitor's week is over; give a log of several weeks", field="events")
    return Sample(
        Table(known.values, NAMES, CATEGORICAL),
        labels=known.bought.astype(np.uint8),
        weights=known.stands_for,
        sessions=np.arange(len(known)),
        times=known.night,
        ends=known.night + WEEK_DAYS * DAY_MS,
        stands_for=known.stands_for,
        owners=known.visitor,
    )


def _refuse_too_few_nights(sample: Sample) -> None:
    span = int((sample.times.max() - sample.times.min()) // DAY_MS) + 1
    if span < LEAST_NIGHTS + 2 * WEEK_DAYS:
        raise TrainingRefused(
            f"nights: {span} nights with a known week after them, at least {LEAST_NIGHTS + 2 * WEEK_DAYS} are needed; "
            "use a longer log",
            field="nights",
            nights=span,
            needed=LEAST_NIGHTS + 2 * WEEK_DAYS,
        )
