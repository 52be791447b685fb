"""What a version is made of and how it fares since, as tables and sentences of its card."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from math import exp
from typing import Final

from purchase_intent.exceptions import IntentError
from purchase_intent.features.schema import FEATURES
from purchase_intent.insights.figures import Table, numbers, within
from purchase_intent.insights.ways import ground_of, in_force_words
from purchase_intent.insights.words import clock, exact_per_cent
from purchase_intent.learning import MEMBERS, IntentEnsemble
from purchase_intent.models import Horizon, ModelVersion, OfferRule, Recalibration, WatchReport

__all__ = ["beside_table", "correction_words", "features_table", "live_words", "members_table", "slices_table"]

WEIGHTY: Final = 20
"""Features that are listed; the desk shows all."""
_SLICES: Final = {
    "fit": "members are fitted",
    "validation": "rounds and weights",
    "calibration": "calibrated and judged",
}
_MEANINGS: Final = {feature.name: feature.meaning for feature in FEATURES}
_BESIDE: Final = {"churn": "stays away for 30 days", "revenue": "revenue in 28 days", "value": "value in 12 months"}


def slices_table(version: ModelVersion, subjects: str) -> Table | None:
    """The slices of time; None where they were not stored."""
    rows = []
    for name, what in _SLICES.items():
        part = numbers(version.figures, "slices", name)
        if {"first", "last", "rows", "sessions", "buying_sessions"} <= part.keys():
            rows.append(
                (
                    what,
                    *(clock(datetime.fromtimestamp(part[end] / 1000, UTC)) for end in ("first", "last")),
                    *(f"{part[count]:,.0f}" for count in ("rows", "sessions", "buying_sessions")),
                )
            )
    return (
        Table("Slices of time", ("used for", "from", "to", "cases", subjects, "buying"), tuple(rows)) if rows else None
    )


def members_table(version: ModelVersion) -> Table | None:
    """The members with their rounds; None where they were not stored."""
    rounds = numbers(version.figures, "rounds")
    rows = tuple((name, f"{rounds[name]:,.0f}") for name in MEMBERS if name in rounds)
    return Table("Members and the rounds they were given", ("member", "rounds"), rows) if rows else None


def beside_table(version: ModelVersion) -> Table | None:
    """The small models beside that of the week, each with its figures or what it lacks; None without any."""
    rows = []
    for name, what in _BESIDE.items():
        stored = within(version.figures, "customers", name)
        lacking = stored.get("lacking")
        figures = ", ".join(f"{key.replace('_', ' ')} {value:.4g}" for key, value in numbers(stored).items())
        if stored:
            rows.append((what, str(lacking) if lacking else figures or "-"))
    return (
        Table(
            "Beside it, in the same bundle",
            ("what", "on later data and before its correction, or what it lacks"),
            tuple(rows),
        )
        if rows
        else None
    )


def features_table(model: IntentEnsemble | None) -> Table | None:
    """The weightiest features by their share of what moves scores; None where that was not kept."""
    if model is None or model.explained is None:
        return None
    ranked = model.explained.importance(model.names)[:WEIGHTY]
    rows = tuple(
        (each.name, _MEANINGS.get(each.name, each.name), exact_per_cent(each.share), f"{each.effect:.3f}")
        for each in ranked
    )
    cases = f"{len(model.explained)} cases of the latest slice"
    caption = f"The {len(rows)} weightiest of {len(model.names)} features, by {cases}"
    return Table(caption, ("feature", "what it is", "share of what moves scores", "mean effect, log-odds"), rows)


def live_words(version: ModelVersion) -> list[str]:
    """What is known of it since: how its scores came true, its correction, and the shop's offer with it."""
    found = [_on_live_traffic(version)]
    if said := correction_words(version):
        found.append(said)
    rule = OfferRule.objects.in_force().filter(horizon=version.horizon).first()
    if rule is not None and version.is_usable:
        with suppress(IntentError):  # the card says above why the bundle cannot be read
            found.append(f"The shop's offer. {in_force_words(rule, ground_of(version))}")
    return found


def correction_words(version: ModelVersion) -> str:
    """The correction of its scores that is in force, in one sentence; "" without one."""
    correction = Recalibration.objects.in_force().filter(model=version).first()
    if correction is None:
        return ""
    slope = "" if correction.slope == 1 else f" and a slope of {correction.slope:.2f}"
    return (
        f"Since {clock(correction.begun_at)} its scores are corrected: {exp(correction.intercept):.2f} times the "
        f"odds{slope}, from the outcomes of {correction.sessions:,} {_judged(version)}, {correction.buyers:,} of which "
        "bought."
    )


def _on_live_traffic(version: ModelVersion) -> str:
    report = WatchReport.objects.of(version.horizon).filter(model=version).first()
    live = numbers(report.figures, "performance", "live") if report is not None else {}
    if report is None:
        return "How its scores have come true is not known: no report of the watch is about it."
    if not {"auc", "ratio", "sessions", "buyers"} <= live.keys():
        reason = within(report.figures, "performance", "live").get("reason") or "no score of it is judged yet."
        return f"How its scores have come true is not known as of {report.day}: {reason}"
    nights = version.horizon == Horizon.WEEK
    when = f"28 nights whose week was over by {report.day}" if nights else f"the 28 days to {report.day}"
    return (
        f"Its scores of {when}, {live['sessions']:,.0f} {_judged(version)} with "
        f"{live['buyers']:,.0f} buyers: AUC {live['auc']:.3f}, and {live['ratio']:.2f} buyers for each one promised."
    )


def _judged(version: ModelVersion) -> str:
    return "customers" if version.horizon == Horizon.WEEK else "sessions"
