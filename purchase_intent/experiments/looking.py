"""Looks on record: the daily one, which counts as planned where one is due, and anybody's in between, which never does.

A look is written once and stays: what was measured, what was concluded, who looked, and all that is needed to conclude
it again. Each carries the digest of the one before, so that none is changed or taken out unseen.
"""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from datetime import UTC, date, datetime, time
from typing import Any, Final

from django.db import connections, router, transaction
from django.db.models import F

from purchase_intent.conf import config
from purchase_intent.exceptions import ExperimentRefused
from purchase_intent.experiments.acting import act_on
from purchase_intent.experiments.analysing import Analysis, analyse_unrecorded
from purchase_intent.experiments.exposing import attach_visitors
from purchase_intent.experiments.measuring.measure import measured_moment
from purchase_intent.experiments.results import Conclusion, Result
from purchase_intent.experiments.weighing import move_weights
from purchase_intent.models import Experiment, ExperimentLook, ExperimentState, LookKind
from purchase_intent.signals import experiment_decided
from purchase_intent.stats.verdict import Decision, Verdict, record, replay

__all__ = ["DAILY", "analyse_all", "broken_looks", "history", "latest", "look_daily", "look_now", "replay_look"]

DAILY: Final = "the daily task"
_TRIES: Final = 3

logger = logging.getLogger(__name__)


class _Overtaken(Exception):
    """Somebody else's planned look came between."""


def look_daily(experiment: Experiment, *, now: datetime) -> ExperimentLook:
    """Look as of the shop's last midnight before `now` (aware), and act where the experiment is to end by itself.

    Made once a day: a second run finds the look, and does nothing. ExperimentRefused before the first midnight.
    """
    moment = measured_moment(experiment, _midnight(now))
    if experiment.started_at is None or moment <= experiment.started_at:
        raise ExperimentRefused(
            field="day", reason="early", remedy=f"{experiment.key} has no whole day behind it: wait for midnight"
        )
    for _ in range(_TRIES):
        known = experiment.looks.daily().filter(at=moment).first()
        if known is not None:
            return known
        running = experiment.state == ExperimentState.RUNNING
        previous = _planned_shares(experiment)
        found = analyse_unrecorded(
            experiment, moment=moment, planned_look=running, previous=previous, who=DAILY, segments=True
        )
        try:
            return _written(experiment, found, LookKind.DAILY, moment=moment, now=now, previous=previous)
        except _Overtaken:
            continue
    raise ExperimentRefused(field="day", reason="busy", remedy=f"others look at {experiment.key} as well: try again")


def look_now(experiment: Experiment, *, who: str, now: datetime) -> ExperimentLook:
    """Look in between, as of `now` (aware): on record with its author, by the rule for looks that nobody planned."""
    found = analyse_unrecorded(experiment, moment=now, previous=_planned_shares(experiment), who=who)
    return _written(experiment, found, LookKind.ASKED, moment=found.result.moment, now=now, previous=None)


def replay_look(look: ExperimentLook) -> Decision:
    """Conclude again from the stored inputs; ExperimentRefused where that gives anything else, or they were changed."""
    if not look.is_intact:
        raise ExperimentRefused(
            field="digest", reason="changed", remedy=f"the record of {look.day} is not the one that was written"
        )
    return replay(json.loads(look.record))


def broken_looks(experiment: Experiment) -> list[ExperimentLook]:
    """Looks whose record was changed, or before which one was taken out."""
    before, broken = "", []
    for look in experiment.looks.order_by("pk").iterator():
        if not look.is_intact or look.before != before:
            broken.append(look)
        before = look.digest
    return broken


def history(experiment: Experiment) -> tuple[Result, ...]:
    """The daily results in order of day; the last is the latest."""
    return tuple(Result.from_json(found) for found in experiment.looks.daily().values_list("result", flat=True))


def latest(experiment: Experiment) -> ExperimentLook | None:
    """The latest daily look."""
    found: ExperimentLook | None = experiment.looks.daily().last()
    return found


def analyse_all(now: datetime) -> dict[str, str]:
    """Look at every experiment that runs, or was stopped after its last look; the verdicts by key.

    What cannot be looked at yet, or not at all, is said instead: one experiment does not keep the others from theirs.
    """
    attach_visitors()
    said = {}
    for experiment in Experiment.objects.exclude(state=ExperimentState.DRAFT).order_by("pk"):
        if experiment.stopped_at is not None and experiment.looks.daily().filter(at=experiment.stopped_at).exists():
            continue
        try:
            said[experiment.key] = look_daily(experiment, now=now).verdict
        except ExperimentRefused as refused:
            said[experiment.key] = refused.message
        except Exception as fault:  # one fault keeps no other experiment from its look
            logger.exception("No look was taken at %s.", experiment.key)
            said[experiment.key] = f"failed: {type(fault).__name__}, the log says more"
    return said


def _written(
    experiment: Experiment,
    found: Analysis,
    kind: LookKind,
    *,
    moment: datetime,
    now: datetime,
    previous: tuple[float, ...] | None,
) -> ExperimentLook:
    result = _remembering(experiment, found.result)
    text = json.dumps(record(found.plan, found.evidence, found.decision), sort_keys=True, allow_nan=False)
    with transaction.atomic(using=router.db_for_write(ExperimentLook)):
        _lock(experiment)
        if previous is not None and previous != _planned_shares(experiment):
            raise _Overtaken
        known = experiment.looks.daily().filter(day=found.result.day).first() if kind == LookKind.DAILY else None
        if known is not None:
            return known
        last = experiment.looks.order_by("pk").last()
        before = "" if last is None else last.digest
        look: ExperimentLook = ExperimentLook.objects.create(
            experiment=experiment,
            at=moment,
            taken_at=now,
            day=found.result.day,
            who=found.result.who,
            kind=kind,
            planned=found.result.planned,
            share=found.result.share,
            verdict=found.result.verdict,
            arm=found.result.arm,
            result=result.as_json(),
            record=text,
            before=before,
            digest=ExperimentLook.digest_of(before, text),
        )
        if kind == LookKind.DAILY:
            _conclude(experiment, look, replace(found, result=result), now)
    return look


def _conclude(experiment: Experiment, look: ExperimentLook, found: Analysis, now: datetime) -> None:
    """Tell of a verdict that is not the last one given, end what is to end by itself, and move a bandit's weights."""
    earlier = experiment.looks.daily().filter(day__lt=look.day).exclude(verdict=Verdict.HOLD).last()
    if look.verdict not in (Verdict.HOLD, "" if earlier is None else earlier.verdict):
        transaction.on_commit(
            lambda: experiment_decided.send_robust(Experiment, experiment=experiment, look=look),
            using=router.db_for_write(ExperimentLook),
        )
    act_on(experiment, found.result, now=now)
    move_weights(experiment, found.plan, found.evidence, who=DAILY, now=now)


def _remembering(experiment: Experiment, result: Result) -> Result:
    """The same, with the earlier conclusion that stands where this look, by a stricter rule, comes to none."""
    if result.verdict != Verdict.HOLD or result.planned:
        return result
    last = experiment.looks.filter(planned=True, day__lte=result.day).order_by("share", "pk").last()
    if last is None or last.verdict not in (Verdict.SHIP, Verdict.ROLL_BACK):
        return result
    words = (
        f"The planned look of {last.day} came to {last.verdict}, and that stands: an unplanned look asks for more, and "
        "takes nothing back."
    )
    rolled_back = tuple(last.result["rolled_back"])
    stands = Conclusion(day=last.day, verdict=last.verdict, arm=last.arm, rolled_back=rolled_back)
    return replace(result, reasons=(words, *result.reasons), stands=stands)


def _planned_shares(experiment: Experiment) -> tuple[float, ...]:
    return tuple(experiment.looks.planned().values_list("share", flat=True))


def _lock(experiment: Experiment) -> None:
    """Let one look at a time be written, where the database locks no rows by a write that changes nothing."""
    alias = router.db_for_write(Experiment, instance=experiment)
    rows: Any = Experiment.objects.using(alias).filter(pk=experiment.pk)
    if connections[alias].features.has_select_for_update:
        rows.select_for_update().get()
    else:
        rows.update(state=F("state"))


def _midnight(now: datetime) -> datetime:
    """The beginning of the shop's day."""
    zone = config().time_zone
    day: date = now.astimezone(zone).date()
    return datetime.combine(day, time(), zone).astimezone(UTC)
