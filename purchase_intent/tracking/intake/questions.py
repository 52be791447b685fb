"""The body of a question: one shopper's events, or many shoppers'; nothing is checked but the shape of the whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from purchase_intent.events.reasons import LONGEST_TEXT
from purchase_intent.exceptions import BatchRefused
from purchase_intent.tracking.intake.asking import Question
from purchase_intent.tracking.intake.batch import read_object

__all__ = ["LARGEST", "MOST_EVENTS", "MOST_REASONS", "MOST_SESSIONS", "read_question", "read_questions"]

MOST_REASONS: Final = 20
MOST_SESSIONS: Final = 1_000
MOST_EVENTS: Final = 10_000
"""Of all sessions of one request together."""
LARGEST: Final = 4 * 1024 * 1024
"""Bytes of a request about many sessions."""
_OF_A_BATCH: Final = ("events", "sent_at", "url", "referrer", "driven")
"""Fields of a batch of events, so that what is sent there can be asked about here; the last three change nothing."""
_LIKE: Final = '{"sessions": [{"events": [...]}]}'


def read_question(body: bytes) -> tuple[Question, int]:
    """One shopper's events, and how many reasons are wanted. BatchRefused names the field and the remedy."""
    data = read_object(body)
    _refuse_others(data, (*_OF_A_BATCH, "reasons"))
    reasons = data.get("reasons", 0)
    if type(reasons) is not int or not 0 <= reasons <= MOST_REASONS:
        raise BatchRefused(field="reasons", remedy=f"give a whole number from 0 to {MOST_REASONS}")
    return Question(_events(data.get("events"), "events"), data.get("sent_at")), reasons


def read_questions(body: bytes) -> tuple[list[str | None], list[Question]]:
    """Many shoppers' events, and the sender's own key of each. BatchRefused names the field and the remedy."""
    data = read_object(body, like=_LIKE)
    _refuse_others(data, ("sessions", "sent_at"))
    sessions = data.get("sessions")
    if not isinstance(sessions, list) or not sessions:
        raise BatchRefused(field="sessions", remedy="send a list of at least one session")
    if len(sessions) > MOST_SESSIONS:
        raise BatchRefused(field="sessions", remedy=f"send at most {MOST_SESSIONS} sessions at once")
    keys: list[str | None] = []
    questions: list[Question] = []
    for place, each in enumerate(sessions):
        field = f"sessions[{place}]"
        if not isinstance(each, dict):
            raise BatchRefused(field=field, remedy='give each session as an object: {"events": [...]}')
        _refuse_others(each, ("key", "events"), within=field)
        keys.append(_key(each.get("key"), field))
        questions.append(Question(_events(each.get("events"), f"{field}.events"), data.get("sent_at")))
    if sum(len(question.events) for question in questions) > MOST_EVENTS:
        raise BatchRefused(field="sessions", remedy=f"send at most {MOST_EVENTS} events at once, of all sessions")
    return keys, questions


def _events(told: object, field: str) -> Sequence[Any]:
    if not isinstance(told, list) or not told:
        raise BatchRefused(field=field, remedy="send a list of at least one event")
    return told


def _key(told: object, field: str) -> str | None:
    if told is None:
        return None
    text = str(told) if type(told) is int else told
    if not isinstance(text, str) or len(text) > LONGEST_TEXT or not text.isprintable():
        remedy = f"give a text of at most {LONGEST_TEXT} characters, without control characters, or none"
        raise BatchRefused(field=f"{field}.key", remedy=remedy)
    return text


def _refuse_others(data: dict[str, Any], known: Sequence[str], *, within: str = "") -> None:
    """A slip of the pen is no default."""
    for name in data:
        if name not in known:
            shown = name if name.isprintable() and len(name) <= LONGEST_TEXT else "body"
            remedy = f"this is not a field: use {', '.join(known)}"
            raise BatchRefused(field=f"{within}.{shown}" if within else shown, remedy=remedy)
