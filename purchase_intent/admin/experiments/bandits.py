"""What the desk says of a bandit, whose weights follow what is seen: its own figures, and that it decides nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from purchase_intent.adapters import current_shop
from purchase_intent.admin.experiments.chart import POINTS, Scale
from purchase_intent.admin.experiments.fields import share_words
from purchase_intent.admin.experiments.words import (
    arm_named,
    day_words,
    difference_words,
    figure,
    losing,
    metric_words,
    valued,
)
from purchase_intent.conf import config
from purchase_intent.experiments.design import Design
from purchase_intent.experiments.results import ArmFigure, MetricResult, Result, Versus
from purchase_intent.experiments.weighing import weights_over_time
from purchase_intent.insights.figures import Table
from purchase_intent.insights.words import exact_per_cent
from purchase_intent.models import Experiment, MetricRole
from purchase_intent.stats.inference import Kind

__all__ = [
    "HONEST_HEADS",
    "NOT_COMPARED",
    "RULE",
    "honest_note",
    "honest_rows",
    "moved_words",
    "reasons_of",
    "scale_of",
    "weights_tables",
]

Titles = dict[str, str]

RULE: Final = (
    "The shares follow what is seen, which makes plain rates misleading: each visitor is weighed by how likely the arm "
    "was when it was first shown. The intervals are right for one look, at the end."
)
NOT_COMPARED: Final = "not compared"
"""Of a treatment whose arms did not get their shares."""
LATEST: Final = 10
"""Moves of the weights that are shown at once."""
HONEST_HEADS: Final = (
    "arm",
    "visitors",
    "figure (95% between)",
    "difference, at one look (95%)",
    "chance to be better",
    "expected loss of choosing it",
)


def honest_rows(metric: MetricResult, titles: Titles, control: str) -> tuple[tuple[str, ...], ...]:
    """A row for each arm: its figure had everybody been given it, and its difference from the control."""
    against = {each.arm: each for each in metric.versus}
    return tuple(_row(metric, each, against.get(each.arm), titles, control) for each in metric.arms)


def honest_note(metric: MetricResult) -> str:
    """Why there is no figure yet, and where amounts were cut off."""
    said = []
    if metric.stat is Kind.RATIO and any(each.value is None for each in metric.arms):
        said.append("An arm is told once 100 of its visitors have an outcome, and 30 of them count in this ratio.")
    if metric.cap is not None:
        said.append(f"Amounts above {figure(metric, metric.cap)} count as {figure(metric, metric.cap)}.")
    return " ".join(said)


def scale_of(metric: MetricResult) -> Scale:
    """In what a bandit's chart is: points of per cent, or the shop's currency."""
    if metric.stat is Kind.RATE:
        return POINTS
    return Scale(f"difference from the control, {current_shop().currency}", 1, "")


def _row(metric: MetricResult, arm: ArmFigure, versus: Versus | None, titles: Titles, control: str) -> tuple[str, ...]:
    shown = arm_named(arm.arm, titles), f"{arm.n:,}", valued(metric, arm)
    if versus is None:
        return *shown, "the control" if arm.arm == control else NOT_COMPARED, "-", "-"
    posterior = versus.posterior
    return (
        *shown,
        difference_words(metric, versus.fixed.difference) if versus.fixed is not None else "not known",
        exact_per_cent(posterior.chance_better) if posterior is not None else "not known",
        losing(metric, posterior.loss_of_treatment) if posterior is not None else "not known",
    )


def reasons_of(result: Result, titles: Titles) -> Iterator[str]:
    """Each arm of the primary metric and the guardrails against the control, in plain words."""
    for metric in result.metrics:
        if metric.role == MetricRole.SECONDARY:
            continue
        figures = {each.arm: figure(metric, each.value) for each in metric.arms}
        name, control = metric_words(metric.kind, metric.event), arm_named(result.control, titles)
        for versus in metric.versus:
            arm = arm_named(versus.arm, titles)
            if versus.fixed is None:
                yield f"“{arm}”: too few visitors have an outcome to say anything of the {name}."
                continue
            yield (
                f"“{arm}” beside “{control}”: the {name} is {figures[versus.arm]} against {figures[result.control]}; "
                f"the difference is {difference_words(metric, versus.fixed.difference)}."
            )


def weights_tables(experiment: Experiment, arms: Sequence[str], titles: Titles) -> list[Table]:
    """From when on each arm had which weight, the latest first and older ones apart; nothing of what is no bandit."""
    if Design.from_json(experiment.design).bandit is None or experiment.started_at is None:
        return []
    times = weights_over_time(experiment)
    days = [_day(since) for since, _ in times]
    rows = tuple(
        (day, *(share_words(weights[arm]) for arm in arms))
        for day, (_, weights) in reversed([*zip(days, times, strict=True)])
    )
    heads = ("from", *(arm_named(arm, titles) for arm in arms))
    parts = (("How the weights moved", rows[:LATEST]), ("Earlier weights", rows[LATEST:]))
    return [Table(caption, heads, part) for caption, part in parts if part]


def _day(moment: datetime) -> str:
    """The shop's day, in one line however narrow the screen is."""
    return day_words(moment.astimezone(config().time_zone).date()).replace(" ", "\N{NO-BREAK SPACE}")


def moved_words(facts: Any) -> str:
    """A move of the weights: "off from 50% to 38.2%, on from 50% to 61.8%"; arms that stay as they are left out."""
    words = {arm: (share_words(facts["before"][arm]), share_words(facts["after"][arm])) for arm in facts["before"]}
    moved = [f"{arm} from {before} to {after}" for arm, (before, after) in sorted(words.items()) if before != after]
    return ", ".join(moved) or "by less than is shown"
