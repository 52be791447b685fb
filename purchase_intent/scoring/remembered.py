"""Answers of this process by what they depend on: the state, the past, the moment, and the model with its correction.

A session that has not moved since, asked again as of the same moment, needs no model. Without a lock, which a fork
might leave closed: what two threads do at once costs an answer, at worst, and never gives a wrong one.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from hashlib import blake2b
from typing import Final

from purchase_intent.features.state import PAST_LAYOUT, STATE_LAYOUT, Past, State
from purchase_intent.metrics import CACHE
from purchase_intent.scoring.answer import Intent
from purchase_intent.scoring.serving import Serving

__all__ = ["MOST", "forget_answers", "key_of", "known", "remember"]

MOST: Final = 16_384
"""Answers kept, the latest; about 300 bytes each."""


class _Answers:
    """The answers of one model as it is loaded, its correction and offer with it."""

    def __init__(self, serving: Serving | None) -> None:
        self.serving = serving
        self.by_key: dict[bytes, Intent] = {}


_kept: Final = [_Answers(None)]


def key_of(state: State, past: Past, at: datetime) -> bytes:
    """What the answer of a model for this pair, as of `at`, is known by; the pair itself takes 80 times the bytes."""
    told = STATE_LAYOUT.dumps(state) + PAST_LAYOUT.dumps(past) + at.isoformat().encode()
    return blake2b(told, digest_size=16).digest()


def known(serving: Serving, key: bytes) -> Intent | None:
    """The answer, where this process has given it with this very model."""
    answers = _kept[0]
    found = answers.by_key.get(key) if answers.serving is serving else None
    CACHE.add(result="miss" if found is None else "hit")
    return found


def remember(serving: Serving, key: bytes, answer: Intent) -> None:
    """Keep an answer; those of a model that serves no more are dropped."""
    answers = _kept[0]
    if answers.serving is not serving:
        answers = _kept[0] = _Answers(serving)
    answers.by_key[key] = answer
    if len(answers.by_key) > MOST:
        with suppress(KeyError, RuntimeError, StopIteration):  # another thread was faster
            del answers.by_key[next(iter(answers.by_key))]


def forget_answers() -> None:
    """Begin anew."""
    _kept[0] = _Answers(None)
