"""What the desk says of one session first: its answer in words, the reasons, and what stands in the way of one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from purchase_intent.admin.saying import band_words, effect, per_cent
from purchase_intent.exceptions import IntentError
from purchase_intent.models import ModelVersion, Outcome, Session
from purchase_intent.models.session import IDLE
from purchase_intent.scoring.answer import UNKNOWN, Intent, Reason, Standing
from purchase_intent.scoring.bundles import load_bundle
from purchase_intent.scoring.score import answer

__all__ = ["MOST_REASONS", "Said", "Verdict", "likelihood", "moment_of", "said", "verdict_of"]

MOST_REASONS: Final = 6
_LIKELIHOOD: Final = {"top_1": "very likely to buy", "top_5": "likely to buy", "top_20": "may well buy"}


@dataclass(frozen=True, slots=True)
class Said:
    """One reason: a sentence, what it does to the odds, and whether it speaks for a purchase."""

    text: str
    figure: str
    is_for: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The headline of a session, a sentence on where it comes from, reasons, and a fault with its remedy or ""."""

    headline: str
    source: str
    reasons: tuple[Said, ...] = ()
    fault: str = ""


def verdict_of(session: Session, *, now: datetime) -> Verdict:
    """What is to be said of a session as of `now`; of one that has ended as of its last event, like its last score."""
    at, fault = moment_of(session, now=now), ""
    try:
        intent = answer(session.read_state(), session.read_past(), at=at, reasons=MOST_REASONS, session=session)
    except IntentError as error:
        intent, fault = UNKNOWN, error.message
    return Verdict(
        headline=_ended(session) or likelihood(intent),
        source=_source(session, intent),
        reasons=tuple(said(reason) for reason in intent.reasons),
        fault=fault or _fault(intent),
    )


def moment_of(session: Session, *, now: datetime) -> datetime:
    """The moment as of which a session is spoken of: now while it goes on, else its last event's."""
    return now if session.closed_at is None and now < session.last_at + IDLE else session.last_at


def likelihood(intent: Intent) -> str:
    """An answer in one line: "41%: top 5%, likely to buy"."""
    if intent.standing is Standing.ALREADY_BOUGHT:
        return "Has bought"
    if intent.probability is None:
        return "Not scored"
    said = per_cent(intent.probability)
    if intent.standing is Standing.RULES:
        return f"About {said}, by rules of thumb"
    return f"{said}: {band_words(intent.band)}, {_LIKELIHOOD.get(intent.band, 'not likely to buy')}"


def _ended(session: Session) -> str:
    if session.outcome == Outcome.BOUGHT:
        return "Bought"
    if session.outcome != Outcome.LEFT:
        return ""
    return "Left without buying" + (
        f"; the last score was {per_cent(session.score)}" if session.score is not None else ""
    )


def _source(session: Session, intent: Intent) -> str:
    if intent.standing is Standing.ALREADY_BOUGHT:
        return "Whether it will buy is no question any more."
    if intent.standing is Standing.RULES:
        return "No trained model answers: this is a rough guess by the cold-start rules."
    if intent.standing is Standing.SCORED:
        return f"The chance of a purchase in this session, by model {intent.model}; bands compare it with other visits."
    if session.state:
        return "No answer can be given."
    return "Nothing is known of this session: no event of it is stored yet."


def said(reason: Reason) -> Said:
    """A cause as the desk shows it."""
    return Said(reason.text, effect(reason.effect), reason.effect > 0)


def _fault(intent: Intent) -> str:
    """Why the champion does not answer, where there is one; "" where it does, or where there is none to ask."""
    if intent.standing not in (Standing.RULES, Standing.SCORED):
        return ""
    champion = ModelVersion.objects.of("session").champions().first()
    if champion is None:
        return "No model serves yet: train one with intent_train." if intent.standing is Standing.RULES else ""
    if intent.model == champion.pk:
        return ""
    try:
        load_bundle(champion)
    except IntentError as error:
        return f"Model {champion.pk} cannot serve. {error.message}."
    return f"Model {champion.pk} was promoted a moment ago; it answers within seconds."
