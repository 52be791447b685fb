"""The range of scores that the shop's offer is for: its rule, worked out for the version that serves.

By profit the range follows from the probability alone, so it is the same for every version. By precision and by best F1
it is read off what the version was judged on; a correction in force moves that as it moves the scores.
"""

from __future__ import annotations

from purchase_intent.learning import Calibration, IntentEnsemble
from purchase_intent.learning.offers import NOBODY, Offer, OperatingCurve, Range
from purchase_intent.learning.profile import CURVE
from purchase_intent.learning.shift import shifted
from purchase_intent.models import OfferBy, OfferRule

__all__ = ["curve_of", "offer_of", "range_of"]


def range_of(rule: OfferRule, model: IntentEnsemble, shift: Calibration) -> Range:
    """The probabilities that get the offer, as served: `model` is the one in the bundle, `shift` its correction.

    NOBODY where the rule reaches none: an offer that never pays, a precision that this version never reached, or a
    version that was stored without its curve.
    """
    if rule.by == OfferBy.PROFIT:
        found = offer_of(rule).range()
        return Range(*found) if found is not None else NOBODY
    if rule.by == OfferBy.BEST_F1:
        return Range(shifted(model, shift).thresholds.session, 1.0)
    curve = curve_of(model, shift)
    place = curve.for_precision(float(rule.precision or 0.0)) if curve is not None else None
    return NOBODY if curve is None or place is None else Range(curve.thresholds[place], 1.0)


def offer_of(rule: OfferRule) -> Offer:
    """The figures of a rule by profit. Raises OfferRefused where one is out of range."""
    return Offer(
        margin=rule.margin or 0.0,
        cost=rule.cost or 0.0,
        contact=rule.contact or 0.0,
        odds_ratio=1.0 if rule.odds_ratio is None else rule.odds_ratio,
    )


def curve_of(model: IntentEnsemble, shift: Calibration) -> OperatingCurve | None:
    """The operating curve of a model as it is served; None where it was stored without one."""
    kept = model.figures.get("profile", {}).get(CURVE)
    return OperatingCurve.from_json(kept).corrected(shift) if kept else None
