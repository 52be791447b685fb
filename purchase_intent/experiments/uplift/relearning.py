"""Uplift learnt anew by schedule: of which experiments, whether there is enough to learn from, and what was refused.

The model that serves goes on until another one is complete and ranks better than chance.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Count, Max
from django.utils import timezone

from purchase_intent.exceptions import IntentError, TrainingBusy, TrainingRefused
from purchase_intent.experiments.measuring.measure import measured_moment
from purchase_intent.features.schema import schema_hash
from purchase_intent.learning.uplift import LEAST, Money
from purchase_intent.models import (
    Experiment,
    ExperimentMetric,
    ExperimentState,
    Exposure,
    MetricRole,
    UpliftStatus,
    UpliftVersion,
)
from purchase_intent.training.alone import in_fresh_process

__all__ = [
    "AGAIN",
    "due_and_ready",
    "due_experiments",
    "has_enough",
    "keep_refusal",
    "money_before",
    "relearn",
    "relearn_due",
]

logger = logging.getLogger(__name__)

AGAIN: Final = timedelta(days=6, hours=12)
"""After which it is learnt anew: a week, less what one night may begin earlier than another."""


def due_experiments(now: datetime) -> list[Experiment]:
    """Those that ask for it: never tried, tried a week ago while they run, or not since they were stopped."""
    asking = Experiment.objects.filter(design__uplift=True).exclude(state=ExperimentState.DRAFT)
    rows = asking.annotate(tried_at=Max("uplift_versions__created_at")).order_by("key")
    return [each for each in rows.prefetch_related("arms") if _is_due(each, getattr(each, "tried_at", None), now)]


def due_and_ready(now: datetime) -> list[str]:
    """The keys of those that are due and have enough to learn from; of the others that are due, the refusal is kept."""
    return [each.key for each in due_experiments(now) if has_enough(each, now=now)]


def has_enough(experiment: Experiment, *, now: datetime) -> bool:
    """Whether a treatment and the control have the visitors that it takes; else the refusal of each is kept.

    Exposures are counted, some of which may be of one person, or of robots: learning itself counts more closely.
    """
    metric = experiment.metrics.get(role=MetricRole.PRIMARY)
    over = measured_moment(experiment, now) - timedelta(days=metric.window_days)
    shown = Exposure.objects.filter(experiment=experiment, at__lte=over).order_by().values_list("arm__key")
    counts: dict[str, int] = dict(shown.annotate(Count("pk")))
    named = {experiment.control: "control"} | {arm: arm for arm in experiment.treatments}
    short = {
        arm: f"{name}: {counts.get(arm, 0):,} units, {LEAST['units']:,} needed"
        for arm, name in named.items()
        if counts.get(arm, 0) < LEAST["units"]
    }
    if experiment.control not in short and len(short) < len(named) - 1:
        return True
    for arm in experiment.treatments:
        why = [short[each] for each in (experiment.control, arm) if each in short]
        keep_refusal(experiment, arm, f"too little to learn effects from: {'; '.join(why)}", now=now)
    return False


def relearn(experiment: Experiment, treatment: str, **how: Any) -> UpliftVersion:
    """Learn it with the costs that the serving model was learnt with; a refusal is kept, and raised."""
    from purchase_intent.experiments.uplift.training import learn  # what folds is nothing for whoever only looks

    try:
        return learn(experiment.key, treatment=treatment, money=money_before(experiment, treatment), **how)
    except IntentError as refused:
        keep_refusal(experiment, treatment, refused.message, now=how["now"])
        raise


def keep_refusal(experiment: Experiment, treatment: str, why: str, *, now: datetime) -> UpliftVersion:
    """Put on record that nothing could be learnt, and why."""
    metric = ExperimentMetric.objects.get(experiment=experiment, role=MetricRole.PRIMARY)
    made: UpliftVersion = UpliftVersion.objects.create(
        experiment=experiment,
        status=UpliftStatus.REFUSED,
        created_at=now,
        known_at=now,
        treatment=treatment,
        outcome=str(metric),
        units=0,
        outcomes=0,
        schema_hash=schema_hash(),
        verdict=f"Not learnt: {why.removeprefix(f'experiment {experiment.key}: ').rstrip('.')}.",
    )
    return made


def relearn_due(now: datetime) -> dict[str, str]:
    """Learn of those that are due and have enough, each in a process of its own, one after the other.

    The last line that each said, by key. Not beside a training, which is no refusal: the next night tries again.
    """
    return {key: _relearnt(key) for key in due_and_ready(now)}


def _relearnt(key: str) -> str:
    """The last line that `intent_uplift` said; a refusal is on record, also of a process killed before it could."""
    began = timezone.now()
    try:
        return in_fresh_process(["intent_uplift", key, "--scheduled"])
    except TrainingBusy as busy:
        return busy.message
    except TrainingRefused as refused:
        _keep_silent_end(key, refused.message, since=began)
        logger.warning("Uplift of %s was not learnt: %s", key, refused.message)
        return refused.message


def _keep_silent_end(key: str, why: str, *, since: datetime) -> None:
    """Put on record that learning ended with `why`, where it has put nothing on record itself since it began."""
    experiment = Experiment.objects.filter(key=key).exclude(state=ExperimentState.DRAFT).first()
    if experiment is None:
        return
    told = set(experiment.uplift_versions.filter(created_at__gte=since).values_list("treatment", flat=True))
    for arm in experiment.treatments:
        if arm not in told:
            keep_refusal(experiment, arm, why, now=timezone.now())


def money_before(experiment: Experiment, treatment: str) -> Money | None:
    """What the model that serves was told of margin and costs."""
    serving = experiment.uplift_versions.serving().filter(treatment=treatment).first()
    stored = None if serving is None else serving.figures.get("money")
    return None if stored is None else Money(**stored)


def _is_due(experiment: Experiment, tried_at: datetime | None, now: datetime) -> bool:
    if tried_at is None:
        return True
    if experiment.stopped_at is not None:
        return tried_at < experiment.stopped_at
    return tried_at <= now - AGAIN
