"""What the desk says of experiments: verdicts, figures of a metric, changes with their intervals."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from math import inf, isfinite
from typing import Any, Final

from django.utils.html import format_html

from purchase_intent.admin.experiments.fields import share_words
from purchase_intent.admin.saying import money
from purchase_intent.experiments.results import ArmFigure, MetricResult, Result, Versus
from purchase_intent.insights.words import exact_per_cent
from purchase_intent.models import Experiment, ExperimentArm, ExperimentState, MetricKind, MetricRole
from purchase_intent.stats.adaptive import ADAPTIVE
from purchase_intent.stats.inference import Interval, Kind

__all__ = [
    "MANY",
    "arm_named",
    "change_words",
    "day_words",
    "decided",
    "difference_words",
    "figure",
    "guarded",
    "headline",
    "is_unread",
    "leading",
    "losing",
    "metric_words",
    "named_metrics",
    "p_words",
    "said_of",
    "share_of_arms",
    "spanned",
    "valued",
    "verdict_label",
]

VERDICTS: Final = {
    "SHIP": ("ship", "Ship"),
    "HOLD": ("hold", "Hold"),
    "ROLL BACK": ("back", "Roll back"),
    "INVALID": ("invalid", "Invalid"),
}
"""How each is marked, and its word."""
MANY: Final = 5
"""More arms than these are not named one by one."""
_AMOUNTS: Final = {MetricKind.REVENUE, MetricKind.ORDER_VALUE}


def verdict_label(verdict: str, about: str = "") -> str:
    """A verdict as a label with its word, such as "Ship: bar"."""
    mark, word = VERDICTS.get(verdict, ("hold", verdict.capitalize()))
    return format_html(
        '<span class="desk-label desk-label-{}">{}</span>{}', mark, word, format_html(" {}", about) if about else ""
    )


def headline(experiment: Experiment, result: Result | None, titles: dict[str, str]) -> str:
    """What is known of an experiment, in one line."""
    if experiment.state == ExperimentState.DRAFT:
        return "A draft: nobody takes part yet"
    if experiment.state == ExperimentState.STOPPED:
        shown = experiment.shipped or experiment.control
        kept = experiment.holdout_id is not None and shown != experiment.control
        but = ", but whom its holdout keeps out" if kept else ""
        return f"Stopped: everybody is shown “{arm_named(shown, titles)}”{but}"
    return "Running, and not looked at yet" if result is None else _running(result, titles)


def _running(result: Result, titles: dict[str, str]) -> str:
    verdict, arm, day = decided(result)
    since = f", as the planned look of {day_words(day)} found" if day is not None else ""
    control = f"“{arm_named(result.control, titles)}”"
    if verdict == "SHIP":
        return f"Ship “{arm_named(arm, titles)}”: it is better than {control}{since}"
    if verdict == "ROLL BACK":
        return f"Roll back to {control}{since}" if since else f"Roll back: {_lost(result, control)}"
    if verdict == "INVALID":
        return "Not to be read: visitors are not shared out as was planned"
    if result.adaptive:
        return f"A bandit: it earns while it learns, and is ended by hand{_leading(result, titles)}"
    return _open(result, titles)


def _lost(result: Result, control: str) -> str:
    """Why all that was tried goes: it is worse, or harms a guardrail."""
    harmed = guarded(result, "harmed")
    if harmed and any(each.state != "worse" for each in result.metrics[0].versus):
        return f"what was tried harms {harmed}"
    return f"{control} is better than what was tried"


def _open(result: Result, titles: dict[str, str]) -> str:
    """What is said of a HOLD: an arm that is better waits for its guardrails, also once all visitors are in."""
    worse = ", ".join(f"“{arm_named(arm, titles)}”" for arm in result.rolled_back)
    if is_unread(result):
        return "Wait: too few visitors have an outcome to compare the arms"
    if worse:
        return f"Wait: {worse} is worse, the others are open"
    better = ", ".join(f"“{arm_named(each.arm, titles)}”" for each in leading(result))
    unproven = guarded(result, "unproven")
    if better and result.share < 1:
        return f"Wait: {better} is better, but not yet proven to do no harm to {unproven}"
    if better:
        return f"Wait no longer: {better} is better, but could not be proven to do no harm to {unproven}"
    return "Wait: nothing is decided yet" if result.share < 1 else "Wait no longer: no difference was found"


def is_unread(result: Result) -> bool:
    """Whether no arm could be compared yet, though there are some to be."""
    versus = result.metrics[0].versus if result.metrics else ()
    return bool(versus) and all(each.watched is None and not each.state for each in versus)


def decided(result: Result) -> tuple[str, str, date | None]:
    """Verdict and arm that hold now, and the day of the planned look they are of where that was an earlier one."""
    if result.stands is not None:
        return result.stands.verdict, result.stands.arm, result.stands.day
    return result.verdict, result.arm, None


def leading(result: Result) -> list[Versus]:
    """The treatments that are better on the primary metric, and wait for a guardrail."""
    return [each for each in result.metrics[0].versus if each.state == "better"]


def guarded(result: Result, state: str) -> str:
    """The guardrails of which some arm is in a state: "the average order value and the revenue a visitor"."""
    found = [
        f"the {metric_words(each.kind, each.event)}"
        for each in result.metrics
        if each.role == MetricRole.GUARDRAIL and any(versus.state == state for versus in each.versus)
    ]
    return " and ".join(found)


def _leading(result: Result, titles: dict[str, str]) -> str:
    """Which arm is likely the best, and how likely; nothing before there is a figure."""
    primary = result.metrics[0]
    chances = {each.arm: each.best for each in primary.arms if each.best is not None}
    if len(primary.versus) == 1 and primary.versus[0].posterior is not None:
        better = primary.versus[0].posterior.chance_better
        chances = {result.control: 1 - better, primary.versus[0].arm: better}
    if not chances:
        return ""
    arm = max(chances, key=chances.__getitem__)
    return f". So far “{arm_named(arm, titles)}” is the best with a chance of {exact_per_cent(chances[arm])}"


def arm_named(key: str, titles: dict[str, str]) -> str:
    """An arm by its title, or by its key where it has none."""
    return titles.get(key) or key


def share_of_arms(arms: Iterable[ExperimentArm]) -> str:
    """Arms with their weights: "control 50%, bar 50%"; of many how many they are: "50 arms, 2% each"."""
    known = list(arms)
    if len(known) <= MANY:
        return ", ".join(f"{arm.key} {share_words(arm.weight)}" for arm in known)
    least, most = (share_words(weigh(arm.weight for arm in known)) for weigh in (min, max))
    return f"{len(known)} arms, {least} each" if least == most else f"{len(known)} arms, {least} to {most}"


def metric_words(kind: str, event: str = "") -> str:
    """A metric by name."""
    if kind == MetricKind.EVENT:
        return f"share that did “{event.replace('_', ' ')}”"
    return str(MetricKind(kind).label) if kind in MetricKind.values else kind


def figure(metric: MetricResult, value: float | None) -> str:
    """A metric's figure in its unit: "3.12%", "41.20 EUR"."""
    if value is None or not isfinite(value):
        return "not known"
    if metric.kind in _AMOUNTS:
        return money(value)
    return f"{value:.2%}" if metric.stat is not Kind.MEAN else f"{value:.3g}"


def valued(metric: MetricResult, arm: ArmFigure) -> str:
    """An arm's figure with its interval: "3.12% (2.90% to 3.34%)"."""
    said = figure(metric, arm.value)
    if arm.value is None or arm.low is None or arm.high is None:
        return said
    return f"{said} ({figure(metric, arm.low)} to {figure(metric, arm.high)})"


def losing(metric: MetricResult, loss: float) -> str:
    """An expected loss in the metric's unit; of shares in points of per cent."""
    if metric.kind in _AMOUNTS or metric.stat is Kind.MEAN:
        return figure(metric, loss)
    return f"{loss * 100:.2f} points"


def named_metrics(sentence: str, metrics: Iterable[MetricResult]) -> str:
    """A sentence of the statistics with the metrics by the names that the desk gives them."""
    for metric in sorted(metrics, key=lambda each: -len(each.name)):
        words = metric_words(metric.kind, metric.event)
        sentence = re.sub(rf"(?<![\w:]){re.escape(metric.name)}(?![\w:]\w)", f"“{words}”", sentence)
    return sentence


def p_words(p_value: float) -> str:
    """A p-value: "0.031"."""
    return f"{p_value:.3f}" if p_value >= 0.001 else "below 0.001"


def day_words(day: date) -> str:
    """A day in full: "3 March 2026"."""
    return f"{day.day} {day:%B %Y}"


def spanned(interval: Interval | None) -> str:
    """A relative change with its interval: "+4.2% (-0.1% to +8.6%)"."""
    if interval is None:
        return "not known"
    low, high = (f"{end:+.1%}" if abs(end) < inf else "no limit" for end in (interval.low, interval.high))
    return f"{interval.value:+.1%} ({low} to {high})"


def difference_words(metric: MetricResult, interval: Interval) -> str:
    """A difference with its interval, of shares in points of per cent: "+0.42 points (-0.10 to +0.94)"."""
    ends = interval.value, interval.low, interval.high
    if metric.kind in _AMOUNTS or metric.stat is Kind.MEAN:
        value, low, high = (f"{'-' if end < 0 else '+'}{figure(metric, abs(end))}" for end in ends)
        return f"{value} ({low} to {high})"
    value, low, high = (f"{end * 100:+.2f}" for end in ends)
    return f"{value} points ({low} to {high})"


def change_words(metric: MetricResult, versus: Versus) -> str:
    """A treatment's change with the interval that holds however often one looks; the difference where none is.

    Of a bandit the difference, right for one look.
    """
    found = versus.watched
    if found is None and versus.fixed is not None and versus.fixed.method == ADAPTIVE:
        return difference_words(metric, versus.fixed.difference)
    if found is None:
        return "too early"
    if found.lift is not None:
        return spanned(found.lift)
    low, high = (figure(metric, end) for end in (found.difference.low, found.difference.high))
    return f"{figure(metric, found.difference.value)} ({low} to {high})"


def said_of(versus: Versus, metric: MetricResult) -> str:
    """What a comparison has come to."""
    words: dict[str, Any] = {
        "better": "better",
        "worse": "worse",
        "holds": f"holds: loses less than {share_words(metric.margin or 0.0)}",
        "unproven": f"may still lose more than {share_words(metric.margin or 0.0)}",
        "harmed": "harmed",
    }
    is_compared = versus.watched is not None or (versus.fixed is not None and versus.fixed.method == ADAPTIVE)
    return str(words.get(versus.state, "not told apart" if is_compared else "too early"))
