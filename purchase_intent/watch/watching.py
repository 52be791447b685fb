"""One night's watch: drift, quality, live performance and a correction of the scores, written as one report a day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.db import IntegrityError, transaction

from purchase_intent.conf import config
from purchase_intent.exceptions import BundleRefused, MissingExtra
from purchase_intent.learning import IntentEnsemble
from purchase_intent.models import Horizon, ModelVersion, OfferRule, Refusal, TrainingRun, WatchReport
from purchase_intent.scoring.bundles import load_bundle
from purchase_intent.scoring.corrections import in_force_of
from purchase_intent.scoring.freezing import day_start
from purchase_intent.scoring.offering import range_of
from purchase_intent.signals import drift_found
from purchase_intent.watch.customers import asked_about
from purchase_intent.watch.drifting import drift_figures
from purchase_intent.watch.performance import figures_by_day, live_figures, offer_figures, promised, ratio_now
from purchase_intent.watch.quality import check_events
from purchase_intent.watch.recalibrating import REACHES, recalibrate
from purchase_intent.watch.replay import chosen_sessions, replayed
from purchase_intent.watch.scores import judged_scores
from purchase_intent.watch.triggers import drifted_names, reason_to_train
from purchase_intent.watch.verdict import health_of, sentences

__all__ = ["DRIFT_DAYS", "SCORE_DAYS", "day_over", "horizons_watched", "watch"]

DRIFT_DAYS: Final = 7
"""Days of sessions that drift is looked for in: each weekday once."""
SCORE_DAYS: Final = 28
"""Days of scores whose outcomes are judged: the latest that are known, of the week those seven days before."""
REFUSALS_KEPT: Final = timedelta(days=90)

Progress = Callable[[str], None]


def horizons_watched() -> list[str]:
    """The horizons of which a report is made each night: that of sessions, and another once a model serves it."""
    serving = set(ModelVersion.objects.champions().order_by().values_list("horizon", flat=True))
    return [each for each in Horizon.values if each == Horizon.SESSION or each in serving]


def watch(
    now: datetime,
    *,
    horizon: str = Horizon.SESSION,
    day: date | None = None,
    again: bool = False,
    progress: Progress | None = None,
) -> WatchReport:
    """The report of a local day that is over, yesterday unless given; made once, made anew where `again` is set.

    The events are checked in that of the session horizon.

    Sends `drift_found` where the score or a heavy feature has drifted, corrects the scores where that holds, and puts
    on record that a training is due (`report.run`, for the caller to begin). A run that is killed has written no report
    and is simply run again; of two at once the first to end stands.
    """
    tell, last = progress or _silent, day or day_over(now)
    made = WatchReport.objects.of(horizon).filter(day=last).first()
    if made is not None and not again:
        return made
    TrainingRun.objects.give_up(now)
    champion = ModelVersion.objects.of(horizon).champions().first()
    figures = _figures(champion, horizon, last, now, tell)
    report = WatchReport(day=last, horizon=horizon, made_at=now, model=champion, figures=figures)
    report.pk = made.pk if made is not None else None
    report.has_drifted = bool(drifted_names(figures))
    report.quality = figures["quality"].get("score")
    reason = reason_to_train(report, now=now)
    report.said, report.health = sentences(figures, reason), health_of(figures, reason)
    try:
        with transaction.atomic():
            report.run = TrainingRun.objects.ask_once(last, horizon=horizon, reason=reason, now=now) if reason else None
            report.save()
    except IntegrityError:
        return WatchReport.objects.of(horizon).get(day=last)
    Refusal.objects.filter(moment__lt=now - REFUSALS_KEPT).delete()
    if report.has_drifted and made is None:
        drift_found.send_robust(WatchReport, report=report)
    return report


def day_over(now: datetime) -> date:
    """The last local day that is over: yesterday on the shop's clock."""
    return now.astimezone(config().time_zone).date() - timedelta(days=1)


def _figures(champion: ModelVersion | None, horizon: str, day: date, now: datetime, tell: Progress) -> dict[str, Any]:
    figures: dict[str, Any] = {"quality": {}, "drift": {}, "performance": {}, "recalibration": {}}
    if horizon == Horizon.SESSION:
        tell("checking the events")
        figures["quality"] = check_events(day)
    if champion is None:
        return figures | {"fault": "No model serves yet, so there is no score to watch."}
    try:
        ensemble = load_bundle(champion)
    except (BundleRefused, MissingExtra) as refused:
        return figures | {"fault": f"Model {champion.pk} cannot serve: {refused.message}."}
    end = day_start(day + timedelta(days=1), config().time_zone)
    figures["drift"] = _drifted(ensemble, horizon, end, tell)
    tell("judging scores")
    return figures | _judged(champion, ensemble, end - REACHES[horizon], day, now)


def _drifted(ensemble: IntentEnsemble, horizon: str, end: datetime, tell: Progress) -> dict[str, Any]:
    """Drift of the latest sessions; of the week, of the customers whom the coming night asks about."""
    if horizon == Horizon.WEEK:
        tell("looking at customers as of the coming night")
        return drift_figures(ensemble, asked_about(end))
    tell("living through the latest sessions")
    live = replayed(chosen_sessions(end - timedelta(days=DRIFT_DAYS), end))
    tell("measuring drift")
    return drift_figures(ensemble, live) | {"days": DRIFT_DAYS}


def _judged(
    champion: ModelVersion, ensemble: IntentEnsemble, end: datetime, day: date, now: datetime
) -> dict[str, Any]:
    """Live performance of the champion and of each other version that scored, and the corrections that follow.

    A challenger is corrected like the champion, from its own shadow scores: it is to be compared as it would serve.
    """
    begin, seed = end - timedelta(days=SCORE_DAYS), day.toordinal()
    every = judged_scores(begin, end, horizon=champion.horizon)
    own = every.take(every.models == champion.pk)
    others = sorted(set(every.models.tolist()) - {champion.pk})
    performance = {
        "days": SCORE_DAYS,
        "live": live_figures(own, seed=seed),
        "promised": promised(champion, ensemble.figures.get("profile", {})),
        "by_day": figures_by_day(every, config().time_zone),
        "others": {str(key): live_figures(every.take(every.models == key), seed=seed) for key in others},
    }
    applied, proposal = recalibrate(champion, own, now=now, seed=seed)
    present = in_force_of(champion)
    rule = OfferRule.objects.in_force().filter(horizon=champion.horizon).first()
    if rule is not None:
        offer = range_of(rule, ensemble, present)
        performance["offer"] = {"by": rule.by, **offer_figures(own, present, offer)}
    correction = {
        "reason": proposal.reason,
        "applied": None if applied is None else applied.pk,
        "slope": None if proposal.shift is None else round(proposal.shift.slope, 5),
        "intercept": None if proposal.shift is None else round(proposal.shift.intercept, 5),
        **proposal.figures,
        **ratio_now(own, present, seed=seed),
        "challenger": _challenger_corrected(champion.horizon, begin, end, now, seed),
    }
    return {"performance": performance, "recalibration": correction}


def _challenger_corrected(horizon: str, begin: datetime, end: datetime, now: datetime, seed: int) -> dict[str, Any]:
    challenger = ModelVersion.objects.of(horizon).challengers().first()
    if challenger is None:
        return {}
    shadows = judged_scores(begin, end, horizon=horizon, model=challenger.pk, shadow=True)
    applied, proposal = recalibrate(challenger, shadows, now=now, seed=seed)
    return {
        "model": challenger.pk,
        "reason": proposal.reason,
        "applied": None if applied is None else applied.pk,
    }


def _silent(step: str) -> None:
    """Nobody watches."""
