"""A look in plain words: what is known of each arm, what is missing, and which rule was applied."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from purchase_intent.admin.experiments.bandits import RULE, reasons_of
from purchase_intent.admin.experiments.fields import share_words
from purchase_intent.admin.experiments.words import (
    MANY,
    arm_named,
    day_words,
    figure,
    is_unread,
    leading,
    metric_words,
    named_metrics,
    spanned,
)
from purchase_intent.admin.saying import clock
from purchase_intent.experiments.looking import DAILY
from purchase_intent.experiments.results import MetricResult, Result, Versus
from purchase_intent.models import MetricRole
from purchase_intent.stats.words import rule_words

__all__ = ["known_of"]

_LEFT_OUT: Final = {
    "bots": "bots and staff",
    "waiting": "not on record yet",
    "twice": "the same person in another browser, shown it later",
}
_TOLD: Final = frozenset({"better", "worse", "harmed"})
"""Of many arms those that are told one by one."""
_STATES: Final = {"better": "is better than", "worse": "is worse than"}
_GUARDED: Final = {
    "holds": "loses less than the {} tolerated",
    "unproven": "may still lose more than the {} tolerated",
    "harmed": "is harmed: it loses more than the {} tolerated",
}


def known_of(result: Result, titles: dict[str, str]) -> dict[str, Any]:
    """What the verdict rests on, in plain words first; the sentences of the statistics behind them."""
    is_valid = result.verdict != "INVALID"
    exact = [*result.reasons, *result.missing] if is_valid else []
    reasons = reasons_of if result.adaptive else _reasons
    missing = result.missing if result.adaptive else _missing(result, titles)
    return {
        "reasons": list(reasons(result, titles)) if is_valid else list(result.reasons),
        "missing": list(missing) if result.verdict == "HOLD" and result.stands is None else [],
        "expected": day_words(result.expected) if result.expected is not None and result.stands is None else "",
        "stands": _stands(result),
        "exact": [named_metrics(each, result.metrics) for each in exact],
        "rule": RULE if result.adaptive else _rule(result),
        "share": f"{min(result.share, 1):.0%} of the planned visitors have an outcome ({result.units:,}).",
        "looks": _looks(result),
        "day": _day(result),
        "left_out": [(f"{count:,}", _LEFT_OUT.get(why, why)) for why, count in result.left_out.items() if count],
    }


def _stands(result: Result) -> str:
    """Why an earlier verdict is shown, or ""."""
    if result.stands is None:
        return ""
    return (
        f"That was the planned look of {day_words(result.stands.day)}, and it stands: the look since then was not "
        "planned, asks for more, and takes nothing back."
    )


def _reasons(result: Result, titles: dict[str, str]) -> Iterable[str]:
    for metric in result.metrics:
        if metric.role == MetricRole.SECONDARY:
            continue
        told, open_still = metric.versus, []
        if len(told) > MANY:
            told = tuple(each for each in metric.versus if each.state in _TOLD)
            open_still = [each for each in metric.versus if each not in told]
        for versus in told:
            yield _compared(result, metric, versus, titles)
        if open_still:
            yield _open_still(metric, open_still, arm_named(result.control, titles))


def _open_still(metric: MetricResult, versus: Sequence[Versus], control: str) -> str:
    """One sentence on many arms of which nothing is known: those of which something is are told one by one."""
    name = metric_words(metric.kind, metric.event)
    early = sum(each.watched is None for each in versus)
    if early == len(versus):
        return f"{early} arms: too few visitors have an outcome to say anything of the {name}."
    if metric.role == MetricRole.GUARDRAIL:
        holding = sum(each.state == "holds" for each in versus)
        margin = share_words(metric.margin or 0.0)
        return f"Guardrail, the {name}: {holding} of {len(versus)} other arms lose less than the {margin} tolerated."
    return f"{len(versus)} arms cannot be told apart from “{control}” by the {name}; the table below has them all."


def _compared(result: Result, metric: MetricResult, versus: Versus, titles: dict[str, str]) -> str:
    arm, control = (f"“{arm_named(key, titles)}”" for key in (versus.arm, result.control))
    figures = {each.arm: figure(metric, each.value) for each in metric.arms}
    name = metric_words(metric.kind, metric.event)
    if versus.watched is None:
        return f"{arm}: too few visitors have an outcome to say anything of the {name}."
    beside = f"the {name} is {figures[versus.arm]} against {figures[result.control]}"
    span = f"; the change is {spanned(versus.watched.lift)}" if versus.watched.lift is not None else ""
    if metric.role == MetricRole.GUARDRAIL:
        judged = _GUARDED.get(versus.state, "cannot be judged yet").format(share_words(metric.margin or 0.0))
        return f"Guardrail, {arm}: {beside}{span}. It {judged}."
    return f"{arm} {_STATES.get(versus.state, 'cannot be told apart from')} {control}: {beside}{span}."


def _missing(result: Result, titles: dict[str, str]) -> Iterable[str]:
    planned = round(result.units / result.share) if result.share > 0 else 0
    if is_unread(result):
        yield from _unread(result, titles)
        return
    if result.share >= 1 and not leading(result):
        yield "Nothing: all planned visitors are in. The difference is smaller than was planned for, or there is none."
        return
    if planned > result.units:
        yield f"{planned - result.units:,} of the {planned:,} planned visitors have no outcome yet."
    for metric in result.metrics:
        if metric.role == MetricRole.GUARDRAIL:
            arms = [f"“{arm_named(each.arm, titles)}”" for each in metric.versus if each.state == "unproven"]
            if arms:
                name = metric_words(metric.kind, metric.event)
                yield f"That the {name} suffers no more than is tolerated is not proven of {', '.join(arms)}."


def _unread(result: Result, titles: dict[str, str]) -> Iterable[str]:
    """What the arms lack before their figures are compared, as the rule has said it of each."""
    lacking = [each.replace(" units ", " visitors ").replace(" unit ", " visitor ") for each in result.missing]
    for each in lacking[:MANY]:
        arm, _, rest = each.partition(" ")
        yield f"“{arm_named(arm, titles)}” {rest}" if arm in result.exposed else each
    if len(lacking) > MANY:
        yield f"And {len(lacking) - MANY} more arms, which the words of the statistics name."


def _rule(result: Result) -> str:
    if result.verdict == "INVALID":
        return "No figure is compared: the sequential sample-ratio check comes first."
    rules = [each.rule for metric in result.metrics[:1] for each in metric.versus if each.rule is not None]
    if not rules:
        return "No rule allows a conclusion yet."
    words = rule_words(rules[0])
    return f"{words[:1].upper()}{words[1:]} was applied."


def _looks(result: Result) -> str:
    if result.adaptive or not result.looks:
        return ""
    return f"{result.looks_taken} of {result.looks} planned looks were taken."


def _day(result: Result) -> str:
    if result.who == DAILY:
        return f"at the end of {day_words(result.day)}"
    return f"at {clock(result.moment)}, looked at by {result.who}"
