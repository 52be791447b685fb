"""A second opinion on one score: what LIME makes of it, beside the shares that add up to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from purchase_intent.exceptions import ModelNotFound
from purchase_intent.features.live import read_row, read_vector
from purchase_intent.learning.lime import second_opinion
from purchase_intent.models import Session
from purchase_intent.scoring.answer import Reason
from purchase_intent.scoring.score import milliseconds
from purchase_intent.scoring.serving import champion
from purchase_intent.scoring.words import reasons_of

__all__ = ["GOOD_FIT", "Opinions", "opinions"]

GOOD_FIT: Final = 0.3
"""R² of LIME's line under which it says little: the score hangs on columns together."""
COLUMNS: Final = 20
"""Of LIME's line: enough that no cause in words is missed for want of a place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinions:
    """The causes of one score by TreeSHAP and by LIME, the strongest first, in log-odds.

    `fit` is R² of LIME's line. `agree`: both name the same strongest cause, in the same direction.
    """

    model: int
    shap: tuple[Reason, ...]
    lime: tuple[Reason, ...]
    fit: float

    @property
    def agree(self) -> bool:
        """Whether both name the same strongest cause, in the same direction."""
        if not (self.shap and self.lime):
            return False
        first, other = self.shap[0], self.lime[0]
        return bool(set(first.features) & set(other.features)) and (first.effect > 0) == (other.effect > 0)


def opinions(session: Session, *, at: datetime, most: int) -> Opinions:
    """What TreeSHAP and LIME say of the champion's score of a session as of `at`; the same each time it is asked.

    Takes about a second. Raises ModelNotFound where no champion serves or it keeps no cases to compare with,
    MissingExtra where `lime` is not installed, ForkedTooLate where a learner must not be called in this process.
    """
    serving = champion()
    if serving is None:
        raise ModelNotFound("No trained model serves: rules give their own reasons. Train one with intent_train.")
    around = serving.model.explained
    if around is None:
        raise ModelNotFound(f"Model {serving.version.pk} was stored without cases to compare with: train again.")
    state, past, now = session.read_state(), session.read_past(), milliseconds(at)
    row, vector = read_row(state, past, now), read_vector(state, past, now)
    shares, _ = serving.model.contributions(row)
    found = second_opinion(serving.model, row, around, seed=session.pk, most=COLUMNS)
    return Opinions(
        model=serving.version.pk,
        shap=reasons_of(shares[0], state, past, vector, most=most, session=session),
        lime=reasons_of(found.effects, state, past, vector, most=most, session=session),
        fit=found.r2,
    )
