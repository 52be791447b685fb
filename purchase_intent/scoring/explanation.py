"""A score taken apart: what it starts from, and what each feature and each cause adds to it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from purchase_intent.features.live import read_row, read_vector
from purchase_intent.features.schema import FEATURES
from purchase_intent.features.state import Past, State
from purchase_intent.models import Horizon, Session, Stage, Visitor
from purchase_intent.scoring.answer import Intent, Reason, Standing
from purchase_intent.scoring.nightly import next_visit
from purchase_intent.scoring.score import answer, milliseconds, scored
from purchase_intent.scoring.serving import Serving, champion
from purchase_intent.scoring.words import reasons_of

__all__ = ["Explanation", "explain", "explain_next_visit"]

EVERY_RULE: Final = 100
"""More than the cold-start rules have."""
_NAMES: Final = tuple(feature.name for feature in FEATURES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """An answer with its arithmetic, in log-odds: `base` plus the `effects` (by feature) is `log_odds`, to 1e-5.

    `values` holds what each feature with an effect was. Without a number to explain (already bought, unknown)
    `log_odds` and `base` are None and nothing else is filled.
    """

    intent: Intent
    log_odds: float | None = None
    base: float | None = None
    reasons: tuple[Reason, ...] = ()
    effects: Mapping[str, float] = field(default_factory=dict)
    values: Mapping[str, float] = field(default_factory=dict)


def explain(session: Session, *, at: datetime, most: int) -> Explanation:
    """Take apart the answer to a session as of `at` (aware), with at most `most` causes in words.

    By the champion, or by the cold-start rules where none serves. Costs milliseconds. Raises what `answer` raises:
    ForkedTooLate, and DatabaseError.
    """
    state, past = session.read_state(), session.read_past()
    serving = champion()
    intent = answer(state, past, at=at, reasons=0 if serving else EVERY_RULE)
    if intent.probability is None:
        return Explanation(intent=intent)
    if serving is None or intent.standing is Standing.RULES:
        return _by_rules(intent, intent.probability, read_row(state, past, milliseconds(at)), most)
    return _by_model(serving, intent, (state, past), at=at, most=most, session=session)


def explain_next_visit(visitor: Visitor, *, at: datetime, most: int) -> Explanation:
    """Take apart what is said of a visitor as of `at` (aware), as if a visit began then, as it is said at night.

    By the champion of the week, else by the session's, else by the rules; a bundle's own log-odds. Costs milliseconds.
    Raises what `explain` raises.
    """
    state, past, session = next_visit(visitor, at)
    serving = champion(Horizon.WEEK) or champion()
    if serving is None:
        found = answer(state, past, at=at, reasons=EVERY_RULE, is_kept=False)
        row = read_row(state, past, milliseconds(at))
        return _by_rules(found, found.probability or 0.0, row, most)
    row = read_row(state, past, milliseconds(at))
    intent = scored(serving, Stage(state.stage), serving.model.predict_one(row[0]), at)
    return _by_model(serving, intent, (state, past), at=at, most=most, session=session)


def _by_model(
    serving: Serving, intent: Intent, pair: tuple[State, Past], *, at: datetime, most: int, session: Session
) -> Explanation:
    state, past = pair
    row, vector = read_row(state, past, milliseconds(at)), read_vector(state, past, milliseconds(at))
    parts, base = serving.model.contributions(row)
    effects = dict(zip(_NAMES, parts[0].tolist(), strict=True))
    return Explanation(
        intent=intent,
        log_odds=float(serving.model.log_odds(row)[0]),
        base=base,
        reasons=reasons_of(parts[0], state, past, vector, most=most, session=session),
        effects=effects,
        values=_values(row, effects),
    )


def _by_rules(intent: Intent, probability: float, row: NDArray[np.float32], most: int) -> Explanation:
    """The rules are a sum of terms; a term is put down to the first of its features."""
    effects: dict[str, float] = {}
    for reason in intent.reasons:
        effects[reason.features[0]] = effects.get(reason.features[0], 0.0) + reason.effect
    log_odds = math.log(probability / (1 - probability))
    return Explanation(
        intent=intent,
        log_odds=log_odds,
        base=log_odds - sum(effects.values()),
        reasons=intent.reasons[:most],
        effects=effects,
        values=_values(row, effects),
    )


def _values(row: NDArray[np.float32], effects: Mapping[str, float]) -> dict[str, float]:
    return {name: float(value) for name, value in zip(_NAMES, row[0].tolist(), strict=True) if name in effects}
