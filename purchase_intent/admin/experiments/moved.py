"""Who is moved by an experiment's treatment, as the card on its page: the model of uplift, its groups as measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from purchase_intent.admin.experiments.words import arm_named
from purchase_intent.admin.saying import clock, money
from purchase_intent.experiments.uplift.words import GROUPS, LEARNERS
from purchase_intent.insights.figures import Table
from purchase_intent.models import Experiment, ExperimentArm, ExperimentState, UpliftStatus, UpliftVersion

__all__ = ["moved_of"]

_PERSUADABLE: Final = "persuadable"


def moved_of(experiment: Experiment, arms: Sequence[ExperimentArm], titles: dict[str, str]) -> list[dict[str, Any]]:
    """A card for each treatment, of one query; none of a draft."""
    if experiment.state == ExperimentState.DRAFT:
        return []
    found: dict[str, list[UpliftVersion]] = {arm.key: [] for arm in arms if arm.key != experiment.control}
    for version in experiment.uplift_versions.exclude(status=UpliftStatus.ARCHIVED):
        found.setdefault(version.treatment, []).append(version)
    return [_card(arm, versions, titles) for arm, versions in found.items()]


def _card(arm: str, versions: Sequence[UpliftVersion], titles: dict[str, str]) -> dict[str, Any]:
    """What is known of one treatment; `versions` come the latest first."""
    serving = next((each for each in versions if each.status == UpliftStatus.SERVING), None)
    newest = versions[0] if versions else None
    shown = serving or newest
    card = {
        "name": arm_named(arm, titles),
        "arm": arm,
        "verdicts": [_verdict(each) for each in dict.fromkeys((serving, newest)) if each is not None],
        "serves": serving is not None,
    }
    if shown is None or not shown.learner:
        return card
    return card | {
        "headline": _headline(shown, serving, titles),
        "facts": _facts(shown),
        "groups": _groups(shown),
        "profit": _profit(shown),
    }


def _verdict(version: UpliftVersion) -> str:
    """What came of it; of what was tried in vain, when."""
    return version.verdict if version.learner else f"Tried {clock(version.created_at)}. {version.verdict}"


def _headline(shown: UpliftVersion, serving: UpliftVersion | None, titles: dict[str, str]) -> str:
    if serving is None:
        return "Not known: visitors cannot be told apart by what it does to them"
    named = arm_named(shown.treatment, titles)
    found = {group["group"]: group for group in shown.figures.get("groups", ())}.get(_PERSUADABLE)
    if found is None or not found["units"]:
        return f"Nobody stands out as moved by “{named}”"
    return f"{found['share']:.0%} of the visitors are persuadable by “{named}”"


def _facts(version: UpliftVersion) -> list[tuple[str, str]]:
    figures = version.figures
    ranking = figures.get("rankings", {}).get(version.learner, {})
    return [
        ("Learnt", f"{clock(version.created_at)}, from what was known then"),
        ("From", f"{version.units:,} visitors, {version.outcomes:,} of them with the outcome ({version.outcome})"),
        ("By", LEARNERS.get(version.learner, version.learner)),
        ("Qini, chance has 0", _within(ranking.get("qini"))),
        ("AUUC, chance has 0", _within(ranking.get("auuc"))),
    ]


def _groups(version: UpliftVersion) -> Table | None:
    rows = tuple(_group(each) for each in version.figures.get("groups", ()))
    heads = ("group", "visitors", "share", "without it", "with it", "difference, points (95%)")
    return Table("The four groups, each measured on visitors that were not learnt from", heads, rows) if rows else None


def _group(group: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        GROUPS.get(group["group"], group["group"]),
        f"{group['units']:,}",
        f"{group['share']:.1%}",
        _rate(group, "control_rate"),
        _rate(group, "treated_rate"),
        (
            f"{100 * group['uplift']:+.2f} ({100 * group['low']:+.2f} to {100 * group['high']:+.2f})"
            if group["units"] and group["uplift"] is not None
            else "nobody to measure it on"
        ),
    )


def _rate(group: Mapping[str, Any], name: str) -> str:
    return f"{group[name]:.2%}" if group["units"] and group[name] is not None else "-"


def _profit(version: UpliftVersion) -> str:
    profit = version.figures.get("profit")
    if profit is None:
        return ""
    chosen, everybody = profit["chosen"], profit["points"][-1]
    return (
        f"By the costs that were given it should pay for {chosen['share']:.0%} of the visitors. In the experiment "
        f"1,000 visitors earned {_earned(chosen)} more where those alone get it, and {_earned(everybody)} where "
        "everybody does."
    )


def _earned(point: Mapping[str, Any]) -> str:
    return f"{money(point['profit'])} ({money(point['low'])} to {money(point['high'])})"


def _within(figure: Any) -> str:
    if not figure:
        return "not known"
    value, low, high = figure
    return f"{value:.3f} ({low:.3f} to {high:.3f})"
