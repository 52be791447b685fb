"""The page of one experiment: what is known first, then what it rests on, then how it came to be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from purchase_intent.admin.experiments.acts import ACTS
from purchase_intent.admin.experiments.bandits import scale_of, weights_tables
from purchase_intent.admin.experiments.chart import NARROW, PER_CENT, Point, lift_chart
from purchase_intent.admin.experiments.decided import changes_of, decided_of
from purchase_intent.admin.experiments.moved import moved_of
from purchase_intent.admin.experiments.reading import known_of
from purchase_intent.admin.experiments.tables import (
    by_night_words,
    days_table,
    metric_tables,
    parts_table,
    ratio_table,
    segment_tables,
)
from purchase_intent.admin.experiments.words import (
    MANY,
    arm_named,
    decided,
    headline,
    metric_words,
    p_words,
    verdict_label,
)
from purchase_intent.admin.saying import timed
from purchase_intent.experiments.design import Design
from purchase_intent.experiments.looking import history
from purchase_intent.experiments.results import Result, Versus
from purchase_intent.experiments.showing import FORCE
from purchase_intent.models import Experiment, ExperimentLook, ExperimentState, LookKind
from purchase_intent.stats.inference import Interval

__all__ = ["page_of"]

MOST: Final = 12
"""Looks in the first screen of their table; the others are folded away."""
MOST_LOOKS: Final = 120
LEAST_RATIO: Final = 0.01
"""The error of the sequential sample-ratio check over a whole experiment, as `stats.plan.Plan` has it."""


def page_of(experiment: Experiment, *, may_edit: bool, shop_url: str) -> dict[str, Any]:
    """Everything that its template shows; a fixed number of queries."""
    arms = list(experiment.arms.all())
    titles = {arm.key: arm.title for arm in arms if arm.title}
    days = history(experiment)
    now = timezone.now()
    looks = list(ExperimentLook.objects.filter(experiment=experiment).defer("record", "result")[:MOST_LOOKS])
    result = _latest(days, looks)
    return {
        "subtitle": experiment.title,
        "headline": headline(experiment, result, titles),
        "label": verdict_label(decided(result)[0]) if result is not None else "",
        "result": result,
        "known": known_of(result, titles) if result is not None else None,
        "nothing": _nothing(experiment, result),
        "acts": _acts(experiment) if may_edit else [],
        "may_edit": may_edit,
        "previews": [
            (arm_named(arm.key, titles), f"{shop_url}?{urlencode({FORCE: f'{experiment.key}:{arm.key}'})}")
            for arm in arms
        ],
        **_few(_charts(days, titles), days),
        "weights": weights_tables(experiment, [arm.key for arm in arms], titles),
        "moved": moved_of(experiment, arms, titles),
        "learns": Design.from_json(experiment.design).uplift,
        "metrics": metric_tables(result, titles) if result is not None else [],
        "ratio": _ratio(result, titles) if result is not None else None,
        "segments": segment_tables(days[-1], titles) if days else [],
        "by_night": by_night_words(days[-1].segments) if days else "",
        "decided": decided_of(experiment, arms),
        "looks": [(each, timed(each.taken_at, now), verdict_label(each.verdict, each.arm)) for each in looks],
        "most": MOST,
        "most_arms": MANY,
        "changes": changes_of(experiment, now),
    }


def _acts(experiment: Experiment) -> list[tuple[str, str]]:
    """What can be done with it now, and where that is asked."""
    return [
        (each.verb, reverse(f"admin:purchase_intent_experiment_{each.name}", args=[experiment.pk]))
        for each in ACTS.values()
        if each.is_open(experiment)
    ]


def _latest(days: Sequence[Result], looks: Sequence[ExperimentLook]) -> Result | None:
    """The newest look: the day's, or somebody's since then."""
    if looks and looks[0].kind == LookKind.ASKED:
        return Result.from_json(looks[0].result)
    return days[-1] if days else None


def _nothing(experiment: Experiment, result: Result | None) -> str:
    """Why there is no figure to be read, or ""."""
    if experiment.state == ExperimentState.DRAFT:
        return "No figures yet, because it has not begun: nobody is shown anything but the control before you start it."
    if result is None:
        return (
            "No figures yet, because it was not looked at: the daily task does so after midnight. "
            "Visitors are counted from the moment a page first shows them an arm."
        )
    if not sum(result.exposed.values()):
        if experiment.state == ExperimentState.STOPPED:
            return "Nobody was shown an arm while it ran: nothing was measured."
        return (
            "Nobody was shown an arm yet: either no visitor of the right kind came, or no template asks for it. "
            f'Does a page say {{% variant "{experiment.key}" as arm %}}?'
        )
    return ""


def _charts(days: Sequence[Result], titles: dict[str, str]) -> list[dict[str, Any]]:
    """For each treatment the interval along the days, wide and narrow, with its table."""
    if not days or not days[-1].metrics:
        return []
    primary = days[-1].metrics[0]
    name = metric_words(primary.kind, primary.event)
    scale = scale_of(primary) if days[-1].adaptive else PER_CENT
    found = []
    for place, versus in enumerate(primary.versus):
        points = _points(days, versus.arm)
        title = f"{arm_named(versus.arm, titles)}: change of the {name}"
        found.append(
            {
                "key": f"days-{place + 1}",
                "title": title,
                "wide": lift_chart(f"arm{place}", title, points, scale=scale),
                "narrow": lift_chart(f"arm{place}", title, points, NARROW, scale=scale),
                "table": days_table(days, versus.arm, arm_named(versus.arm, titles)),
            }
        )
    return found


def _few(charts: list[dict[str, Any]], days: Sequence[Result]) -> dict[str, Any]:
    """The charts to show, and of many arms those that are folded away: the likeliest to be better come first."""
    if len(charts) <= MANY:
        return {"charts": charts, "further_charts": []}
    believed = [each.posterior for each in days[-1].metrics[0].versus]
    chances = [0.0 if each is None else each.chance_better for each in believed]
    order = sorted(range(len(charts)), key=lambda place: (-chances[place], place))
    first = sorted(order[:MANY])
    return {
        "charts": [charts[place] for place in first],
        "further_charts": [chart for place, chart in enumerate(charts) if place not in first],
    }


def _points(days: Sequence[Result], arm: str) -> list[Point]:
    points = []
    for result in days:
        versus = next((each for metric in result.metrics[:1] for each in metric.versus if each.arm == arm), None)
        lift = _interval(result, versus) if versus is not None else None
        if lift is None:
            continue
        points.append(Point(day=result.day, value=lift.value, low=lift.low, high=lift.high, is_planned=result.planned))
    return points


def _interval(result: Result, versus: Versus) -> Interval | None:
    """What is drawn of a day: the change that holds at every look, of a bandit the difference."""
    if result.adaptive:
        return versus.fixed.difference if versus.fixed is not None else None
    return versus.watched.lift if versus.watched is not None else None


def _ratio(result: Result, titles: dict[str, str]) -> dict[str, Any] | None:
    """The shares that the arms got; None of nobody."""
    p_value = result.ratio.sequential_p_value
    is_off = p_value <= LEAST_RATIO
    if not sum(result.ratio.counts):
        return None
    planned = "the weights as they were gave them" if result.adaptive else "were planned"
    return {
        "said": (
            f"The arms did not get the shares that {planned}: no figure can be trusted."
            if is_off
            else f"The arms have the shares that {planned}, as far as chance goes."
        ),
        "p_value": p_words(p_value),
        "fixed": p_words(result.ratio.p_value),
        "is_off": is_off,
        "table": ratio_table(result, titles),
        "parts": parts_table(result, titles),
    }
