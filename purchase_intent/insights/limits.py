"""What a model must not be used for, and where it is weak: what holds of every one, and what was measured of this."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from purchase_intent.insights.breakdown import weakest
from purchase_intent.insights.figures import numbers, within
from purchase_intent.insights.words import exact_per_cent
from purchase_intent.models import Horizon, ModelVersion

__all__ = ["known_limits", "measured_limits", "uses"]


def uses(version: ModelVersion) -> tuple[list[str], list[str]]:
    """What a model of this horizon is for, and what it must not be used for."""
    session = [
        "To say, at any moment of a visit before its first purchase, how likely this visit is to end in one.",
        "To choose whom an offer or a message is shown, and to order a list of visits.",
    ]
    week = [
        "To say, each night, how likely a visitor seen in the last 90 days is to order within the next seven days.",
        "To choose whom a campaign is for, and to order a list of customers.",
    ]
    never = [
        "To set a person's price, to refuse anybody goods, credit or a way to pay, or to judge anybody otherwise.",
        "As knowledge about people: it knows what browsers did in a shop.",
        "To say that an offer works: who is likely to buy buys without it too. Only an experiment tells.",
        "To find what makes people buy: its reasons say what the score goes by, not what would change it.",
        "In another shop, or for another catalogue, prices or layout of pages, than it was trained on.",
    ]
    return (week if version.horizon == Horizon.WEEK else session), never


def known_limits(version: ModelVersion) -> list[str]:
    """What holds of every model of this horizon."""
    common = [
        "Visitors who gave no consent, and bots, are in none of its figures: it was not judged on them.",
        "It has learnt nothing from after its data end: a sale, a campaign or a new catalogue is new to it.",
        "The nightly watch corrects the level of its scores, not their order.",
        "Its figures are of the latest slice of time, by members that had not seen it. What serves has learnt from it.",
        "Calibration and cut-offs were chosen on that slice: probabilities hold a little better there than later.",
    ]
    if version.horizon == Horizon.WEEK:
        return [
            *common,
            "Visitors not seen for more than 90 days keep the score of the last night that asked about them.",
            "A visitor who is new has none before night.",
        ]
    return [
        *common,
        "Early in a visit little is known: most visits end before a score can tell.",
        "A score is the chance of a first purchase in this visit: after it there is none.",
    ]


def measured_limits(version: ModelVersion, *, now: datetime) -> list[str]:
    """What was measured of this version, the weakest first; and how old its data are."""
    found = [*weakest(version), *_behind(version), *_rejected(version)]
    days = (now - version.trained_until).days
    if days >= 1:
        found.append(f"Its data end {days:,} {'day' if days == 1 else 'days'} before this card was made.")
    if version.forced:
        found.append("It was registered against the checks: see the verdict.")
    return found


def _behind(version: ModelVersion) -> Iterator[str]:
    """Single models that had a lower log-loss on the latest slice than the ensemble."""
    models = within(version.figures, "models")
    own = numbers(models, "ensemble", "session").get("log_loss")
    losses = {name: numbers(models, name, "session").get("log_loss") for name in models if name != "ensemble"}
    if own is None:
        return
    for name, loss in sorted(losses.items()):
        if loss is not None and loss < own:
            yield f"On that slice {name} alone had a lower log-loss per session: {loss:.5f} against {own:.5f}."


def _rejected(version: ModelVersion) -> Iterator[str]:
    log = within(version.figures, "log")
    rejected, rows = numbers(log, "rejected"), numbers(log).get("rows", 0.0)
    share = sum(rejected.values()) / rows if rows else 0.0
    if share >= 0.001:
        worst = max(rejected, key=lambda name: rejected[name])
        yield f"{exact_per_cent(share)} of the rows it was given were not fit to learn from, most of them by {worst}."
