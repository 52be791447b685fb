"""The fold over history: the live functions, compiled by Numba, run over sorted events.

The only module that imports Numba, and only when something is to be folded. Nothing is cached on disk: Numba's cache
serves stale code after an edit in a helper and fails in a read-only install; compiling takes a few seconds once.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from purchase_intent.exceptions import MissingExtra
from purchase_intent.features import journey, nights, observe, past, vector
from purchase_intent.features.hit import HIT
from purchase_intent.features.schema import FEATURES, VECTOR
from purchase_intent.features.state import PAST, STATE

__all__ = ["ASKED", "fold", "look", "read_many", "ready_to_read", "replay", "sessionize", "tell_many"]

IDLE = 30 * 60_000
LONGEST = 24 * 3_600_000


def _numba() -> Any:
    try:
        import numba
    except ImportError as error:
        raise MissingExtra(extra="train", package="numba") from error
    return numba


@cache
def _compiled() -> tuple[Any, Any]:
    numba = _numba()
    from numba.extending import register_jitable

    for helper in (*observe.HELPERS, *past.HELPERS, *vector.HELPERS, *journey.HELPERS):
        register_jitable(helper)
    advance, read = journey.advance, vector.vector

    @numba.njit(nogil=True, error_model="python")  # type: ignore[untyped-decorator]
    def run(tables: Any, hits: Any, visitor: Any, session: Any, out: Any) -> None:
        for i in range(len(hits)):
            slot = session[i]
            advance(tables, hits[i], visitor[i], slot)
            read(tables.states[slot], tables.seen[slot], hits[i].time, out[i])

    @numba.njit(nogil=True)  # type: ignore[untyped-decorator]
    def split(visitor: Any, time: Any, out: Any) -> None:
        number, start = -1, 0
        for i in range(len(time)):
            if i == 0 or visitor[i] != visitor[i - 1] or time[i] - time[i - 1] > IDLE or time[i] - start > LONGEST:
                number += 1
                start = time[i]
            out[i] = number

    return run, split


@cache
def _compiled_looking() -> Any:
    """The fold that stops at nights and looks at visitors."""
    numba = _numba()
    from numba.extending import register_jitable

    for helper in (*observe.HELPERS, *past.HELPERS, *vector.HELPERS, *journey.HELPERS, *nights.HELPERS):
        register_jitable(helper)
    advance, read, past_at, observed = journey.advance, vector.vector, nights.past_at, observe.observe

    @numba.njit(nogil=True, error_model="python")  # type: ignore[untyped-decorator]
    def look_in(
        tables: Any, hits: Any, visitor: Any, session: Any, asked: Any, arrivals: Any, blank: Any, out: Any
    ) -> None:
        known, state, seen = out
        at = 0
        for i in range(len(hits) + 1):
            while at < len(asked) and asked[at].position == i:
                latest = past_at(tables, asked[at].visitor, seen[at])
                state[0] = blank[0]
                arrival = arrivals[asked[at].night]
                arrival.device = arrival.channel = arrival.country = 0
                if latest >= 0:
                    arrival.device = tables.states[latest].device
                    arrival.channel = tables.states[latest].channel
                    arrival.country = tables.states[latest].country
                observed(state[0], arrival)
                read(state[0], seen[at], arrival.time, known[at])
                at += 1
            if i < len(hits):
                advance(tables, hits[i], visitor[i], session[i])

    return look_in


@cache
def _compiled_reading() -> tuple[Any, Any]:
    """What reads and tells records that somebody else has folded: half of the fold, compiled in half the time."""
    numba = _numba()
    from numba.extending import register_jitable

    for helper in (*observe.HELPERS, *past.HELPERS, *vector.HELPERS):
        register_jitable(helper)
    told, read = past.tell, vector.vector

    @numba.njit(nogil=True, error_model="python")  # type: ignore[untyped-decorator]
    def read_all(states: Any, pasts: Any, now: Any, out: Any) -> None:
        for i in range(len(states)):
            read(states[i], pasts[i], now[i], out[i])

    @numba.njit(nogil=True, error_model="python")  # type: ignore[untyped-decorator]
    def tell_all(pasts: Any, owner: Any, states: Any) -> None:
        for i in range(len(states)):
            told(pasts[owner[i]], states[i])

    return read_all, tell_all


def ready_to_read() -> None:
    """Prepare `read_many` and `tell_many`; MissingExtra where Numba is not installed."""
    _compiled_reading()


def read_many(
    states: NDArray[np.void], pasts: NDArray[np.void], now: NDArray[np.int64], out: NDArray[np.float32]
) -> None:
    """Fill `out`, float32 of shape (rows, features), with the vector of each state and past at its moment.

    `now` is in milliseconds since 1970 UTC. The caller sees to it that lengths and types fit. MissingExtra where Numba
    is not installed.
    """
    _compiled_reading()[0](states, pasts, now, out.view(VECTOR).reshape(-1))


def tell_many(pasts: NDArray[np.void], owner: NDArray[np.int64], states: NDArray[np.void]) -> None:
    """Tell each state, in this order, to the past in the place that `owner` names; both are changed.

    The caller sees to it that lengths, places and types fit. MissingExtra where Numba is not installed.
    """
    _compiled_reading()[1](pasts, owner, states)


def sessionize(visitor: NDArray[np.int64], time: NDArray[np.int64]) -> NDArray[np.int64]:
    """Session numbers, from 0, for events sorted by visitor and time (milliseconds) where the log has no session ids.

    A session ends after 30 minutes without an event, and 24 hours after it began. ValueError where the lengths differ.
    """
    if len(visitor) != len(time):
        raise ValueError(f"each event needs one visitor and one time, got {len(visitor)} and {len(time)}")
    numbers = np.empty(len(time), np.int64)
    _compiled()[1](visitor, time, numbers)
    return numbers


def replay(
    hits: NDArray[np.void],
    visitor: NDArray[np.int64],
    session: NDArray[np.int64],
    out: NDArray[np.float32] | None = None,
) -> NDArray[np.float32]:
    """The vector right after each event: float32 of shape (events, features).

    `hits` has dtype HIT and is sorted by (person, time, sequence), where connected visitors are one person. `visitor`
    and `session` hold dense slots from 0, sessions in the order of their first events. `out` is a buffer to fill.
    ValueError where the arrays do not fit together.
    """
    if out is None:
        out = np.empty((len(hits), len(FEATURES)), np.float32)
    _check(hits, visitor, session, out)
    if len(hits):
        _run(hits, visitor, session, out)
    return out[: len(hits)]


def fold(hits: NDArray[np.void], visitor: NDArray[np.int64], session: NDArray[np.int64]) -> journey.Tables:
    """What is left after the last event, so that a live shop can go on there: structured arrays by slot.

    Arguments and errors as for `replay`; there must be at least one event.
    """
    out = np.empty((len(hits), len(FEATURES)), np.float32)
    _check(hits, visitor, session, out)
    if not len(hits):
        raise ValueError("nothing is left of no event")
    return _run(hits, visitor, session, out)


ASKED = np.dtype([("position", "<i8"), ("visitor", "<i8"), ("night", "<i8")])
"""One question: of which visitor, how many events of the batch come before, and which of the arrivals is imagined."""


def look(
    hits: NDArray[np.void],
    visitor: NDArray[np.int64],
    session: NDArray[np.int64],
    asked: NDArray[np.void],
    arrivals: NDArray[np.void],
) -> tuple[NDArray[np.float32], NDArray[np.void]]:
    """The vector of each visitor asked for as if it arrived at a moment between the events, and its past then.

    The first three arguments as for `replay`. `asked` has dtype ASKED, sorted by position; `arrivals` has dtype HIT and
    holds the first event of an imagined session, which takes device, channel and country of the visitor's latest
    session. Answers float32 of shape (questions, features) and PAST of the same length; the past is blank where
    nothing of the visitor is known any more. ValueError where the arrays do not fit together.
    """
    out = np.zeros((len(asked), len(FEATURES)), np.float32)
    pasts = np.zeros(len(asked), PAST)
    _check(hits, visitor, session, np.empty((len(hits), len(FEATURES)), np.float32))
    if asked.dtype != ASKED or arrivals.dtype != HIT:
        raise ValueError(f"asked and arrivals must have dtypes ASKED and HIT, not {asked.dtype} and {arrivals.dtype}")
    if not len(asked) or not len(hits):
        return out, pasts
    _check_asked(asked, len(hits), int(visitor.max()), len(arrivals))
    tables = _tables(sessions=int(session.max()) + 1, visitors=int(visitor.max()) + 1)
    rows = out.view(VECTOR).reshape(-1)
    _compiled_looking()(
        tables, hits, visitor, session, asked, arrivals.copy(), np.zeros(1, STATE), (rows, np.zeros(1, STATE), pasts)
    )
    return out, pasts


def _check_asked(asked: NDArray[np.void], events: int, visitors: int, arrivals: int) -> None:
    for name, most in (("position", events), ("visitor", visitors), ("night", arrivals - 1)):
        if int(asked[name].min()) < 0 or int(asked[name].max()) > most:
            raise ValueError(f"asked: {name} must be from 0 to {most}")
    if (np.diff(asked["position"]) < 0).any():
        raise ValueError("asked: must be sorted by position")


def _run(
    hits: NDArray[np.void], visitor: NDArray[np.int64], session: NDArray[np.int64], out: NDArray[np.float32]
) -> journey.Tables:
    run, _ = _compiled()
    tables = _tables(sessions=int(session.max()) + 1, visitors=int(visitor.max()) + 1)
    run(tables, hits, visitor, session, out[: len(hits)].view(VECTOR).reshape(-1))
    return tables


def _check(
    hits: NDArray[np.void], visitor: NDArray[np.int64], session: NDArray[np.int64], out: NDArray[np.float32]
) -> None:
    """Compiled code checks no index: what does not fit would be read from, or written to, any memory."""
    if hits.dtype != HIT:
        raise ValueError(f"hits must have dtype HIT, not {hits.dtype}")
    if not len(hits) == len(visitor) == len(session):
        raise ValueError(
            f"each of {len(hits)} events needs one visitor and one session, got {len(visitor)} and {len(session)}"
        )
    if len(hits) and min(int(visitor.min()), int(session.min())) < 0:
        raise ValueError("slots of visitors and sessions count from 0")
    fits = out.ndim == 2 and out.shape[0] >= len(hits) and out.shape[1] == len(FEATURES)
    if out.dtype != np.float32 or not fits or not out.flags.c_contiguous:
        raise ValueError(f"out must be float32, C-contiguous, of shape ({len(hits)} or more, {len(FEATURES)})")


def _tables(*, sessions: int, visitors: int) -> journey.Tables:
    columns: list[Any] = [
        np.zeros(sessions, STATE),
        np.zeros(sessions, PAST),
        np.zeros(visitors, PAST),
        np.zeros(sessions, np.int64),
        np.zeros(visitors, np.int64),
        np.zeros(sessions, np.int64),
        np.zeros(1, PAST),
    ]
    return journey.Tables(*columns)
