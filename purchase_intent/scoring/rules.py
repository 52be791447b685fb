"""The cold-start rules: a rough guess for a shop that has no model yet, and labelled as one.

A sum in log-odds, so that its terms are its reasons. It starts from the shop's own rate of buying sessions, as far as
that is known, and adds what holds in about any shop: how far the session has come, whether the basket still holds
something, how long the visitor has been silent, and what earlier visits led to. A later stage never lowers it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.utils.translation import gettext as _

from purchase_intent.features.state import Past, State
from purchase_intent.models import Stage
from purchase_intent.scoring.answer import Intent, Reason, Standing, bands_of

__all__ = ["CUTOFFS", "PRIOR_RATE", "PRIOR_SESSIONS", "STAGES", "rough_answer"]

PRIOR_RATE: Final = 0.02
"""Share of sessions that buy, where the shop has not shown its own: between the rates of our public logs."""
PRIOR_SESSIONS: Final = 200
"""How many sessions of the shop's own weigh as much as the prior."""
STAGES: Final = (-0.3, -0.1, 0.3, 2.2, 4.0, 4.0)
"""What each stage adds, by its number."""
FULL_CART: Final = 0.3
EMPTIED_CART: Final = -0.5
BOUGHT_BEFORE: Final = 0.8
LEFT_A_CART: Final = 0.6
CAME_BEFORE: Final = 0.3
QUIET_FROM, QUIET_UNTIL = 300.0, 1800.0
"""Seconds of silence from which a session fades, and after which it has ended."""
QUIET: Final = -2.5
CUTOFFS: Final = {"top_1": 0.5, "top_5": 0.15, "top_20": 0.04}
"""Probabilities that reach a band. Fixed: without a model there are no scores to take quantiles of."""

_CART: Final = 6
"""The number of EventName.CART, by which the state counts."""


@dataclass(frozen=True, slots=True)
class _Term:
    effect: float
    text: str
    features: tuple[str, ...]


def rough_answer(state: State, past: Past, *, at: datetime, now: int, reasons: int = 0) -> Intent:
    """A guess for a session that has begun and not bought, as of `at`, which is `now` in milliseconds."""
    terms = _terms(state, past, now)
    log_odds = _shop_log_odds(state) + sum(term.effect for term in terms)
    probability = 1.0 / (1.0 + math.exp(-log_odds))
    band, bands = bands_of(probability, CUTOFFS)
    return Intent(
        standing=Standing.RULES,
        probability=probability,
        band=band,
        bands=bands,
        stage=Stage(state.stage),
        reasons=_strongest(terms, reasons),
        moment=at,
    )


def _shop_log_odds(state: State) -> float:
    """Of the shop's share of buying sessions in the last four weeks, shrunk towards the prior."""
    sessions, buyers = max(state.shop_sessions, 0), max(state.shop_buyers, 0)
    rate = (buyers + PRIOR_RATE * PRIOR_SESSIONS) / (sessions + PRIOR_SESSIONS)
    rate = min(rate, 0.5)  # more buyers than that is a log of buyers only
    return math.log(rate / (1 - rate))


def _terms(state: State, past: Past, now: int) -> list[_Term]:
    return [term for term in (_stage(state), _cart(state), _quiet(state, now), _visitor(past)) if term is not None]


def _stage(state: State) -> _Term:
    texts = {
        Stage.NONE: _("Has only just come"),
        Stage.BROWSING: _("Is browsing and has looked at no product yet"),
        Stage.PRODUCT: _("Has looked at a product"),
        Stage.CART: _("Has put something into the basket"),
        Stage.CHECKOUT: _("Has begun the checkout"),
        Stage.BOUGHT: _("Has bought"),
    }
    return _Term(STAGES[state.stage], texts[Stage(state.stage)], ("stage",))


def _cart(state: State) -> _Term | None:
    if state.cart_units > 0:
        return _Term(FULL_CART, _("The basket holds something"), ("cart_units",))
    if state.kinds[_CART] > 0:
        return _Term(EMPTIED_CART, _("Has emptied the basket again"), ("cart_units", "removals"))
    return None


def _quiet(state: State, now: int) -> _Term | None:
    """Fading from five minutes of silence on, in full at half an hour, when the session has ended."""
    silence = (now - state.last) / 1000.0
    share = (silence - QUIET_FROM) / (QUIET_UNTIL - QUIET_FROM)
    if share <= 0:
        return None
    return _Term(QUIET * min(share, 1.0), _("Nothing has happened for a while"), ("gap",))


def _visitor(past: Past) -> _Term | None:
    if past.bought > 0:
        return _Term(BOUGHT_BEFORE, _("Has bought here before"), ("past_purchases",))
    if past.left > 0:
        return _Term(LEFT_A_CART, _("Left a basket behind on an earlier visit"), ("past_left",))
    if past.sessions > 0:
        return _Term(CAME_BEFORE, _("Has come before"), ("past_sessions",))
    return None


def _strongest(terms: list[_Term], most: int) -> tuple[Reason, ...]:
    ranked = sorted(terms, key=lambda term: -abs(term.effect))[: max(most, 0)]
    return tuple(Reason(text=term.text, effect=term.effect, features=term.features) for term in ranked)
