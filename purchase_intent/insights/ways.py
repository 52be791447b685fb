"""Whom an offer is for, three ways: what each range comes to on the latest slice of a version, in words."""

from __future__ import annotations

from dataclasses import dataclass

from purchase_intent.exceptions import ModelNotFound
from purchase_intent.insights.offers import cut_off
from purchase_intent.insights.words import clock, exact_per_cent, money
from purchase_intent.learning import Calibration, IntentEnsemble
from purchase_intent.learning.offers import NOBODY, Offer, OperatingCurve, Range
from purchase_intent.models import Horizon, ModelVersion, OfferBy, OfferRule
from purchase_intent.scoring.bundles import load_bundle
from purchase_intent.scoring.corrections import in_force_of
from purchase_intent.scoring.offering import curve_of, range_of

__all__ = ["Ground", "Way", "ground_of", "headline", "in_force_words", "reach_words", "rule_words", "subjects", "ways"]


@dataclass(frozen=True, slots=True)
class Way:
    """One way to choose the range: what it comes to, in words, or why it comes to nothing."""

    by: str
    name: str
    asked: str
    reach: str
    share: str = "-"
    bought: str = "-"
    of_buyers: str = "-"
    may_be_stored: bool = False


@dataclass(frozen=True, slots=True)
class Ground:
    """A version as it is served: its model, the correction in force, and its curve under that."""

    model: IntentEnsemble
    shift: Calibration
    curve: OperatingCurve


def rule_words(rule: OfferRule) -> str:
    """What a rule goes by: "expected profit: 18.00 EUR margin, 4.90 EUR cost, 20% uplift"."""
    if rule.by == OfferBy.PROFIT:
        showing = f", {money(rule.contact)} for showing it" if rule.contact else ""
        uplift = ((rule.odds_ratio or 1.0) - 1) * 100
        return (
            f"expected profit: {money(rule.margin or 0)} margin, {money(rule.cost or 0)} cost, {uplift:.4g}% uplift"
            f"{showing}"
        )
    if rule.by == OfferBy.PRECISION:
        return f"precision: {(rule.precision or 0) * 100:.4g}% of those who get it are to buy"
    return "best F1"


def ground_of(version: ModelVersion) -> Ground:
    """A version as it is served. Raises BundleRefused where it cannot be read, ModelNotFound without a curve in it."""
    if not version.is_usable:
        raise ModelNotFound(f"Model {version.pk} was refused or has no bundle: it has no scores to choose from")
    model, shift = load_bundle(version), in_force_of(version)
    curve = curve_of(model, shift)
    if curve is None:
        raise ModelNotFound(f"Model {version.pk} was stored without its operating curve: train again")
    return Ground(model, shift, curve)


def headline(offer: Offer | None, ground: Ground, version: ModelVersion) -> str:
    """Whom the offer pays for and what it earns, in one sentence."""
    if offer is None:
        return "Describe the offer to see whom it pays for."
    found = ground.curve.reach(offer)
    if found is None:
        return "It pays for nobody: what it moves is worth less than what it gives away."
    if not found.share > 0:
        return f"It pays for {reach_words(Range(found.low, found.high))}, where no score lies."
    what = subjects(version)
    a_day = _sessions_a_day(version)
    daily = f", {money(found.profit / 1000 * a_day)} a day at the {a_day:,.0f} {what} of training" if a_day else ""
    return (
        f"It pays for {reach_words(Range(found.low, found.high))}: {exact_per_cent(found.share)} of the"
        f" {what}, {money(found.profit)} for every 1,000 {what}{daily}."
    )


def ways(offer: Offer | None, precise: OfferRule | None, ground: Ground) -> list[Way]:
    """The range by profit, by precision and by best F1; the first two as far as they are described."""
    return [_by_profit(offer, ground), _by_precision(precise, ground), _by_f1(ground)]


def _by_profit(offer: Offer | None, ground: Ground) -> Way:
    name, by = "Expected profit", OfferBy.PROFIT.value
    if offer is None:
        return Way(by, name, "margin, cost and uplift", "not described yet")
    found = ground.curve.reach(offer)
    if found is None or not found.share > 0:
        return Way(by, name, "as described", "nobody")
    mass, chance, bought = ground.curve.bins()
    inside = (chance >= found.low) & (chance <= found.high)
    hits, everybody = float((mass * bought)[inside].sum()), float((mass * bought).sum())
    return Way(
        by,
        name,
        "as described",
        reach_words(Range(found.low, found.high)),
        exact_per_cent(found.share),
        exact_per_cent(hits / found.share),
        exact_per_cent(hits / everybody) if everybody else "-",
        may_be_stored=True,
    )


def _by_precision(rule: OfferRule | None, ground: Ground) -> Way:
    name, by = "Precision", OfferBy.PRECISION.value
    if rule is None or rule.precision is None:
        return Way(by, name, "a precision", "not described yet")
    asked = f"{rule.precision * 100:.4g}% are to buy"
    place = ground.curve.for_precision(rule.precision)
    if place is None:
        best = max(ground.curve.precision)
        return Way(by, name, asked, f"nobody: at most {exact_per_cent(best)} of any share bought")
    return _above(by, name, asked, ground.curve.thresholds[place], ground)


def _by_f1(ground: Ground) -> Way:
    found = range_of(OfferRule(by=OfferBy.BEST_F1), ground.model, ground.shift)
    return _above(OfferBy.BEST_F1.value, "Best F1", "precision and recall in balance", found.low, ground)


def _above(by: str, name: str, asked: str, score: float, ground: Ground) -> Way:
    found = cut_off(ground.curve, score)
    share, bought, of_buyers = (exact_per_cent(each) for each in (found.share, found.precision, found.recall))
    return Way(by, name, asked, reach_words(Range(score, 1.0)), share, bought, of_buyers, may_be_stored=True)


def in_force_words(rule: OfferRule | None, ground: Ground) -> str:
    """The rule in force and whom it is for; "" without one."""
    if rule is None:
        return ""
    found = range_of(rule, ground.model, ground.shift)
    whom = "nobody" if found == NOBODY else reach_words(found)
    return (
        f"Since {clock(rule.begun_at)}, stored by {rule.who}, by {rule_words(rule)}. With this model it is for {whom}."
    )


def reach_words(found: Range) -> str:
    """A range in words: "scores from 3.1% to 41%"."""
    if found.low <= 0:
        return f"scores up to {exact_per_cent(found.high)}"
    if found.high >= 1:
        return f"scores from {exact_per_cent(found.low)}"
    return f"scores from {exact_per_cent(found.low)} to {exact_per_cent(found.high)}"


def subjects(version: ModelVersion) -> str:
    """What a version of this horizon scores, in words."""
    return "sessions" if version.horizon == Horizon.SESSION else "customers at a night"


def _sessions_a_day(version: ModelVersion) -> float:
    """Sessions a day of the log that the version learnt from; 0 where that is not known."""
    log = version.figures.get("log", {}) if isinstance(version.figures, dict) else {}
    days = (version.trained_until - version.trained_from).total_seconds() / 86_400
    count = log.get("sessions", 0) if version.horizon == Horizon.SESSION else 0
    return count / days if days >= 1 else 0.0
