"""A visitor's past as it stands at a moment between two visits: plain functions, the same live and compiled.

The fold tells a session to the past when the next one begins. Who asks in between has to tell the sessions that have
news first, on a copy: the fold itself must go on as if nobody had asked.
"""

from __future__ import annotations

from purchase_intent.features.journey import Tables
from purchase_intent.features.past import copy_past, tell
from purchase_intent.features.state import Past, State

__all__ = ["HELPERS", "past_at", "tell_unnoted"]


def tell_unnoted(past: Past, state: State) -> None:
    """Add to `past` what `state` holds beyond what it has told, and leave `state` as it was."""
    events = state.noted_events
    moments = state.noted_moments
    products = state.noted_products
    duration = state.noted_duration
    priced = state.noted_priced
    price = state.noted_price
    purchases = state.noted_purchases
    outcome = state.noted_outcome
    tell(past, state)
    state.noted_events = events
    state.noted_moments = moments
    state.noted_products = products
    state.noted_duration = duration
    state.noted_priced = priced
    state.noted_price = price
    state.noted_purchases = purchases
    state.noted_outcome = outcome


def past_at(tables: Tables, visitor: int, out: Past) -> int:
    """Write to `out` what the visitor's next session would read, and leave the tables as they are.

    The session that was last in progress, by slot where two are even; -1 where the visitor has none with news.
    """
    copy_past(out, tables.pasts[visitor])
    told = -1
    while True:
        following = -1
        at = tables.head[visitor] - 1
        while at >= 0:
            last = tables.states[at].last
            is_later = told < 0 or last > tables.states[told].last or (last == tables.states[told].last and at > told)
            if is_later and (
                following < 0
                or last < tables.states[following].last
                or (last == tables.states[following].last and at < following)
            ):
                following = at
            at = tables.link[at] - 1
        if following < 0:
            return told
        tell_unnoted(out, tables.states[following])
        told = following


HELPERS = (tell_unnoted, past_at)
"""In the order in which they must be compiled."""
