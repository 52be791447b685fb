"""The figures of an experiment as tables: metrics by arm with intervals, shares of the arms, segments, days."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from purchase_intent.admin.experiments.bandits import HONEST_HEADS, NOT_COMPARED, honest_note, honest_rows
from purchase_intent.admin.experiments.fields import share_words
from purchase_intent.admin.experiments.words import (
    MANY,
    arm_named,
    change_words,
    day_words,
    difference_words,
    figure,
    losing,
    metric_words,
    p_words,
    said_of,
    spanned,
    valued,
)
from purchase_intent.experiments.results import ArmFigure, MetricResult, Result, SegmentResult, Versus
from purchase_intent.insights.figures import Table
from purchase_intent.insights.words import exact_per_cent
from purchase_intent.models import MetricRole

__all__ = ["by_night_words", "days_table", "metric_tables", "parts_table", "ratio_table", "segment_tables"]

Titles = dict[str, str]
_ALPHA: Final = 0.05


def metric_tables(result: Result, titles: Titles) -> list[dict[str, Any]]:
    """Each metric: its name, what it decides, how it is counted, and a table with a row for each arm."""
    return [
        {
            "title": _title(metric),
            "note": _note(metric, titles) if not result.adaptive else honest_note(metric),
            "table": (_honest if result.adaptive else _plain)(metric, titles, result.control),
        }
        for metric in result.metrics
    ]


def _plain(metric: MetricResult, titles: Titles, control: str) -> Table:
    return _with_best(Table(_caption(metric), _HEADS, _rows(metric, titles, control)), metric)


def _honest(metric: MetricResult, titles: Titles, control: str) -> Table:
    return _with_best(Table(_caption(metric), HONEST_HEADS, honest_rows(metric, titles, control)), metric)


def _with_best(table: Table, metric: MetricResult) -> Table:
    """With a column on the chance to be the best of all, where there are several treatments."""
    if all(each.best is None for each in metric.arms):
        return table
    chances = (exact_per_cent(each.best) if each.best is not None else "not known" for each in metric.arms)
    rows = tuple((*row, chance) for row, chance in zip(table.rows, chances, strict=True))
    return Table(table.caption, (*table.heads, "chance to be the best of all"), rows)


_HEADS = (
    "arm",
    "what came of it",
    "visitors",
    "figure (95% between)",
    "change, holds at every look",
    "change, as if looked at once (95%)",
    "chance to be better",
    "expected loss of choosing it",
)


def _title(metric: MetricResult) -> str:
    name = metric_words(metric.kind, metric.event)
    role = {MetricRole.PRIMARY: "the primary metric", MetricRole.GUARDRAIL: "a guardrail"}.get(
        MetricRole(metric.role), "secondary"
    )
    return f"{name[:1].upper()}{name[1:]}, {role}"


def _caption(metric: MetricResult) -> str:
    days = "day" if metric.window_days == 1 else "days"
    better = "" if metric.higher_is_better else "; less is better"
    name = metric_words(metric.kind, metric.event)
    return f"{name[:1].upper()}{name[1:]}, counted for {metric.window_days} {days} after the exposure{better}"


def _note(metric: MetricResult, titles: Titles) -> str:
    said = []
    if metric.margin is not None:
        said.append(f"A loss of less than {share_words(metric.margin)} is tolerated.")
    if metric.cap is not None:
        said.append(f"Amounts above {figure(metric, metric.cap)} count as {figure(metric, metric.cap)}.")
    cut = max((each.variance_cut for each in metric.versus), default=0.0)
    if cut > 0:
        said.append(
            f"Changes are cleaned of the chance to buy at the exposure, which takes {cut:.0%} of their noise out: they "
            "may differ from what the plain figures say."
        )
    if len(metric.versus) <= MANY:
        return " ".join([*said, *(_chance(each, titles) for each in metric.versus)]).rstrip()
    found = [each for each in metric.versus if each.holm is not None and each.holm <= _ALPHA]
    told = [_chance(each, titles) for each in found]
    if not found and any(each.holm is not None for each in metric.versus):
        told = ["No arm has a p of 0.05 or less as if looked at once, where all arms are (Holm)."]
    return " ".join([*said, *told]).rstrip()


def _chance(versus: Versus, titles: Titles) -> str:
    """How likely chance alone makes such a difference, and the same where many are looked through."""
    if versus.fixed is None or versus.holm is None or versus.bh is None:
        return ""
    return (
        f"“{arm_named(versus.arm, titles)}”: p = {p_words(versus.fixed.p_value)} as if looked at once; "
        f"{p_words(versus.holm)} where all arms are (Holm), {p_words(versus.bh)} where all metrics are too (Benjamini "
        "and Hochberg)."
    )


def _rows(metric: MetricResult, titles: Titles, control: str) -> tuple[tuple[str, ...], ...]:
    against = {each.arm: each for each in metric.versus}
    return tuple(_row(metric, each, against.get(each.arm), titles, control) for each in metric.arms)


def _row(metric: MetricResult, arm: ArmFigure, versus: Versus | None, titles: Titles, control: str) -> tuple[str, ...]:
    shown = arm_named(arm.arm, titles), f"{arm.n:,}", valued(metric, arm)
    if versus is None:
        return shown[0], "the control" if arm.arm == control else NOT_COMPARED, *shown[1:], "-", "-", "-", "-"
    posterior = versus.posterior
    return (
        shown[0],
        said_of(versus, metric),
        *shown[1:],
        change_words(metric, versus),
        spanned(versus.fixed.lift) if versus.fixed is not None else "not known",
        exact_per_cent(posterior.chance_better) if posterior is not None else "not known",
        losing(metric, posterior.loss_of_treatment) if posterior is not None else "not known",
    )


def ratio_table(result: Result, titles: Titles) -> Table:
    """How many each arm got, and was to get."""
    total = sum(result.ratio.counts)
    rows = tuple(
        (
            arm_named(arm, titles),
            f"{count:,}",
            f"{expected:,.0f}",
            f"{count / total:.2%}" if total else "-",
            f"{expected / total:.2%}" if total else "-",
        )
        for arm, count, expected in zip(_arms(result), result.ratio.counts, result.ratio.expected, strict=True)
    )
    planned = "share by the weights as they were" if result.adaptive else "planned share"
    return Table("Visitors of each arm", ("arm", "visitors", "expected", "share", planned), rows)


def _arms(result: Result) -> list[str]:
    """The arms in the order of the plan, as counts have it: a database keeps no order of names."""
    return [each.arm for each in result.metrics[0].arms]


def parts_table(result: Result, titles: Titles) -> Table:
    """The same by device, browser and label, the most uneven first."""
    arms = [arm_named(arm, titles) for arm in _arms(result)]
    are_many = len(arms) > MANY
    rows = tuple(
        (
            f"{_DIMENSIONS.get(part.dimension, part.dimension)}: {part.value or _blank(part.dimension)}",
            f"{sum(part.ratio.counts):,}" if are_many else " : ".join(f"{count:,}" for count in part.ratio.counts),
            f"{part.ratio.worst:.1%}",
            p_words(part.adjusted),
        )
        for part in result.parts
    )
    counted = "visitors of all arms" if are_many else " : ".join(arms)
    heads = ("part", counted, "furthest from the plan", "p, adjusted for all parts (Holm)")
    return Table("By device, browser and label, the most uneven first", heads, rows)


_DIMENSIONS = {"bot": "label"}


def _blank(dimension: str) -> str:
    return "none, a shopper" if dimension == "bot" else "not known"


def segment_tables(result: Result, titles: Titles) -> list[Table]:
    """The primary metric within each segment, as if looked at once."""
    primary = result.metrics[0] if result.metrics else None
    return [_segment(each, primary, titles) for each in result.segments if primary is not None]


def by_night_words(segments: Sequence[SegmentResult]) -> str:
    """Of how many the segment is told by the night before, whom nobody new is a member of; "" of none."""
    if any(each.by_night is None for each in segments):
        return "In this look that is told by the night before: nobody new belonged to one yet."
    if not any(each.by_night for each in segments):
        return ""
    most = max(segments, key=lambda each: each.by_night or 0)
    people = sum(each.n for each in most.arms)
    return (
        "Exposures stored before that was kept are told by the night before, when nobody new belonged to one yet: "
        f"up to {most.by_night:,} visitors of a segment here, of {people:,} in “{most.title}”."
    )


def _segment(found: SegmentResult, metric: MetricResult, titles: Titles) -> Table:
    against = {each.arm: each for each in found.versus}
    rows = tuple(
        (
            arm_named(each.arm, titles),
            f"{each.n:,}",
            valued(metric, each),
            "-" if each is found.arms[0] else _fixed(against.get(each.arm), metric),
        )
        for each in found.arms
    )
    return Table(found.title, ("arm", "visitors", "figure (95% between)", "change (95% between)"), rows)


def _fixed(versus: Versus | None, metric: MetricResult) -> str:
    """The relative change; of a bandit, which has none, the difference."""
    if versus is None or versus.fixed is None:
        return "too little to say"
    lift = versus.fixed.lift
    return spanned(lift) if lift is not None else difference_words(metric, versus.fixed.difference)


def days_table(history: Sequence[Result], arm: str, name: str) -> Table:
    """One arm's change on the primary metric, day by day, the latest first."""
    rows = []
    for result in reversed(history):
        primary = result.metrics[0]
        versus = next((each for each in primary.versus if each.arm == arm), None)
        rows.append(
            (
                day_words(result.day),
                f"{result.units:,}",
                change_words(primary, versus) if versus is not None else "too early",
                "planned look" if result.planned else "daily" if result.adaptive else "between looks",
            )
        )
    return Table(f"{name}, day by day", ("day", "visitors with an outcome", "change (interval)", "look"), (*rows,))
