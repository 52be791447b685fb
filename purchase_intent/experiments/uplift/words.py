"""What is said of a model of uplift, in plain words: on its record, by the command, on its card."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from purchase_intent.learning.uplift import Judged
from purchase_intent.models import UpliftVersion

__all__ = ["GROUPS", "LEARNERS", "card_lines", "verdict_of"]

GROUPS: Final[Mapping[str, str]] = {
    "persuadable": "persuadable, buy because of it",
    "sure": "sure, buy without it",
    "lost": "lost, do not buy with it either",
    "put_off": "put off, buy less because of it",
}
LEARNERS: Final[Mapping[str, str]] = {"two_model": "two models", "x": "an X-learner"}


def verdict_of(judged: Judged, *, force: bool) -> str:
    """Whether it serves, and why."""
    qini = judged.ranking.qini
    figure = f"Qini {qini.value:.3f} ({qini.low:.3f} to {qini.high:.3f})"
    if judged.ranking.is_better_than_chance:
        return f"Serves: it ranks visitors it has not learnt from by what they gain, {figure}, where chance has 0."
    why = f"its ranking of visitors it has not learnt from is not told from chance, {figure}"
    return f"Serves because it was forced to: {why}." if force else f"Refused: {why}. Let the experiment run on."


def card_lines(version: UpliftVersion) -> Iterator[str]:
    """The card of a model: what it is, how well it ranks, its groups as measured, what it must not be used for."""
    figures = version.figures
    if not version.learner:  # it was tried by schedule, and there was too little to learn from
        yield f"Uplift of {version.treatment} in the experiment {version.experiment.key}: {version.verdict}"
        return
    yield (
        f"Uplift of {version.treatment} in the experiment {version.experiment.key}, {version.outcome}: learnt by "
        f"{LEARNERS.get(version.learner, version.learner)} from {version.units:,} visitors, {version.outcomes:,} of "
        f"them with the outcome, as known at {version.known_at:%Y-%m-%d %H:%M} UTC."
    )
    yield version.verdict
    for learner, found in figures.get("rankings", {}).items():
        yield f"{LEARNERS.get(learner, learner)}: Qini {_within(found['qini'])}, AUUC {_within(found['auuc'])}"
    for group in figures.get("groups", ()):
        if group["uplift"] is None or not group["units"]:
            yield f"{GROUPS[group['group']]}: {group['share']:.0%} of the visitors, too few to measure it on"
            continue
        yield (
            f"{GROUPS[group['group']]}: {group['share']:.0%} of the visitors, {group['control_rate']:.2%} without, "
            f"{group['treated_rate']:.2%} with, {_points(group['uplift'])} "
            f"({_points(group['low'])} to {_points(group['high'])})"
        )
    if (profit := figures.get("profit")) is not None:
        chosen, everybody = profit["chosen"], profit["points"][-1]
        yield (
            f"For {chosen['share']:.0%} of the visitors it pays: profit of 1,000 visitors {chosen['profit']:,.2f} "
            f"({chosen['low']:,.2f} to {chosen['high']:,.2f}); for everybody {everybody['profit']:,.2f} "
            f"({everybody['low']:,.2f} to {everybody['high']:,.2f})"
        )
    yield (
        "It says what this very treatment does to visitors like those of the experiment, on average. It is no score of "
        "a purchase, it must set no price, and once the offer or the shop has changed it has to be learnt anew."
    )


def _within(figure: Any) -> str:
    value, low, high = figure
    return f"{value:.3f} ({low:.3f} to {high:.3f})"


def _points(share: float) -> str:
    return f"{100 * share:+.2f} points"
