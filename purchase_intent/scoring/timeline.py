"""A session event by event, with what today's champion would have answered after each."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from purchase_intent.features.state import PAST_LAYOUT, STATE_LAYOUT, Past, State
from purchase_intent.models import Event, Session, Stage
from purchase_intent.scoring.answer import Intent
from purchase_intent.scoring.rebuild import lived
from purchase_intent.scoring.score import answers

__all__ = ["MOST_MOMENTS", "Moment", "Timeline", "timeline"]

MOST_MOMENTS: Final = 250
"""How many of the latest events a timeline shows: more is no page that anybody reads."""

MOST_OF_PERSON: Final = 1_000
"""Events of one person that a page folds for a session with a login; one takes 50 microseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One event and the session right after it. Money is in the shop's currency."""

    event: Event
    intent: Intent
    stage: Stage
    cart_units: int
    cart_value: float
    orders: int
    """Orders of the session so far."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """The latest moments of a session, in order; `more` earlier ones are left out."""

    moments: tuple[Moment, ...]
    more: int = 0

    def __iter__(self) -> Iterator[Moment]:
        return iter(self.moments)

    def __len__(self) -> int:
        return len(self.moments)

    def __getitem__(self, place: int) -> Moment:
        return self.moments[place]


def timeline(session: Session, *, most: int = MOST_MOMENTS) -> Timeline:
    """The latest `most` events of a session, each with the answer after it, by the champion or by rules.

    Every event is folded; only what is shown is scored, in one batch. Where somebody of more than MOST_OF_PERSON events
    logged in on the way, what came before is answered as if they had been known from the start. Raises what `answers`
    raises: ForkedTooLate, and DatabaseError.
    """
    seen, kept = 0, deque[tuple[Event, State, Past]](maxlen=most)
    for event, state, past in lived(session, most=MOST_OF_PERSON):
        seen += 1
        kept.append((event, _copied(state), _copied_past(past)))
    intents = answers([(state, past) for _, state, past in kept], at=[event.occurred_at for event, _, _ in kept])
    moments = (_moment(event, state, intent) for (event, state, _), intent in zip(kept, intents, strict=True))
    return Timeline(tuple(moments), more=seen - len(kept))


def _moment(event: Event, state: State, intent: Intent) -> Moment:
    return Moment(
        event=event,
        intent=intent,
        stage=Stage(state.stage),
        cart_units=state.cart_units,
        cart_value=state.cart_value,
        orders=state.purchases,
    )


def _copied(state: State) -> State:
    return STATE_LAYOUT.loads(STATE_LAYOUT.dumps(state))


def _copied_past(past: Past) -> Past:
    return PAST_LAYOUT.loads(PAST_LAYOUT.dumps(past))
