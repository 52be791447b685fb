"""Which session tells which visitor's past, and when: the same loop body live and compiled.

A visitor's past is what the earlier sessions told it. A session reads it once, when it begins (or at a login), and
keeps that copy: so two sessions at once do not disturb each other, and history can be replayed in any batches.
"""

from __future__ import annotations

from collections.abc import MutableSequence
from typing import Final, NamedTuple

from purchase_intent.events.names import EventName
from purchase_intent.features.hit import Hit
from purchase_intent.features.observe import observe
from purchase_intent.features.past import copy_past, merge, tell
from purchase_intent.features.state import Past, State

__all__ = ["HELPERS", "Tables", "advance"]

LOGIN: Final = int(EventName.LOGIN)
NEWS: Final = 16
"""How many sessions of one visitor can have news for its past at the same time."""


class Tables(NamedTuple):
    """All that the loop changes, indexed by slots: short lists of objects live, structured arrays over history.

    Session slots are numbered in the order of the sessions' first events. The sessions with news for a visitor's past
    form a linked list of at most NEWS. Slots are held plus one, so that zeroed memory means 'none'.
    """

    states: MutableSequence[State]
    """By session: the session so far."""
    seen: MutableSequence[Past]
    """By session: the visitor's past as this session knows it."""
    pasts: MutableSequence[Past]
    """By visitor: what the sessions have told."""
    owner: MutableSequence[int]
    """By session: the visitor; 0 before the first event."""
    head: MutableSequence[int]
    """By visitor: the first session with news."""
    link: MutableSequence[int]
    """By session: the next one with news of the same visitor."""
    blank: MutableSequence[Past]
    """One past of a visitor never seen."""


def earliest(tables: Tables, visitor: int) -> int:
    """The session with news that was silent longest, by slot where two are even; -1 where there is none."""
    best = -1
    at = tables.head[visitor] - 1
    while at >= 0:
        last = tables.states[at].last
        if best < 0 or last < tables.states[best].last or (last == tables.states[best].last and at < best):
            best = at
        at = tables.link[at] - 1
    return best


def delist(tables: Tables, visitor: int, session: int) -> None:
    """Take `session` off the visitor's list, where it is on it."""
    before = -1
    at = tables.head[visitor] - 1
    while at >= 0:
        if at == session:
            if before < 0:
                tables.head[visitor] = tables.link[at]
            else:
                tables.link[before] = tables.link[at]
            return
        before = at
        at = tables.link[at] - 1


def tell_first(tables: Tables, visitor: int) -> None:
    """Let the session with news that ended first tell it to the visitor's past."""
    session = earliest(tables, visitor)
    tell(tables.pasts[visitor], tables.states[session])
    delist(tables, visitor, session)


def settle(tables: Tables, visitor: int) -> None:
    """Tell the visitor's past everything that its sessions have to tell, in the order in which they ended."""
    while tables.head[visitor] != 0:
        tell_first(tables, visitor)


def enlist(tables: Tables, visitor: int, session: int) -> None:
    """Note that `session` has news for the visitor's past; a session already noted stays where it is.

    Where too many have news, the one that has been silent longest tells it now: nothing is lost by it, since only a
    new session or a login reads the past, and a log of countless sessions at once costs no more than any other.
    """
    count = 0
    at = tables.head[visitor] - 1
    while at >= 0:
        if at == session:
            return
        count += 1
        at = tables.link[at] - 1
    if count >= NEWS:
        tell_first(tables, visitor)
    tables.link[session] = tables.head[visitor]
    tables.head[visitor] = session + 1


def change_owner(tables: Tables, hit: Hit, visitor: int, session: int) -> None:
    """The session goes over to another visitor; a login from an anonymous one brings that one's past along.

    A visitor who has logged in before is known, and known visitors are never joined: they may share a device.
    """
    before = tables.owner[session] - 1
    delist(tables, before, session)
    settle(tables, visitor)
    if hit.kind == LOGIN and tables.pasts[before].known == 0:
        settle(tables, before)
        merge(tables.pasts[visitor], tables.pasts[before])
        copy_past(tables.pasts[before], tables.blank[0])
    copy_past(tables.seen[session], tables.pasts[visitor])
    tables.owner[session] = visitor + 1


def advance(tables: Tables, hit: Hit, visitor: int, session: int) -> None:
    """Take in one event of `session`, sent by `visitor`.

    The events of connected visitors come in the order (time, sequence).
    """
    if tables.owner[session] == 0:
        settle(tables, visitor)
        copy_past(tables.seen[session], tables.pasts[visitor])
        tables.owner[session] = visitor + 1
    elif tables.owner[session] != visitor + 1:
        change_owner(tables, hit, visitor, session)
    if hit.kind == LOGIN:
        tables.pasts[visitor].known = 1
        tables.seen[session].known = 1
    observe(tables.states[session], hit)
    enlist(tables, visitor, session)


HELPERS = (earliest, delist, tell_first, settle, enlist, change_owner, advance)
"""In the order in which they must be compiled."""
