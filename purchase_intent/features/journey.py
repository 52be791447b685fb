"""Which session tells which visitor's past, and when: the same loop body live and compiled.

The containers are indexed by slots: `states[session]`, `seen[session]` (the past as that session knows it),
`pasts[visitor]`. Live they are short lists of objects, over history structured arrays. A visitor's sessions with news
form a linked list: `head[visitor]` and `link[session]` hold slot + 1, 0 for the end; `owner[session]` holds the
visitor's slot + 1 and 0 before the first event. Session slots must be numbered in the order of their first events.
"""

from __future__ import annotations

from collections.abc import MutableSequence, Sequence

from purchase_intent.events.names import EventName
from purchase_intent.features.hit import Hit
from purchase_intent.features.observe import observe
from purchase_intent.features.past import copy_past, merge, tell
from purchase_intent.features.state import Past, State

__all__ = ["HELPERS", "advance"]

LOGIN = int(EventName.LOGIN)


def earliest(head: Sequence[int], link: Sequence[int], visitor: int, states: Sequence[State]) -> int:
    """The session of the visitor's list that ended first, by slot where two ended together; -1 where it is empty."""
    best = -1
    at = head[visitor] - 1
    while at >= 0:
        if best < 0 or states[at].last < states[best].last or (states[at].last == states[best].last and at < best):
            best = at
        at = link[at] - 1
    return best


def enlist(head: MutableSequence[int], link: MutableSequence[int], visitor: int, session: int) -> None:
    """Note that `session` has news for the visitor's past; a session already noted stays where it is."""
    at = head[visitor] - 1
    while at >= 0:
        if at == session:
            return
        at = link[at] - 1
    link[session] = head[visitor]
    head[visitor] = session + 1


def delist(head: MutableSequence[int], link: MutableSequence[int], visitor: int, session: int) -> None:
    """Take `session` off the visitor's list, where it is on it."""
    before = -1
    at = head[visitor] - 1
    while at >= 0:
        if at == session:
            if before < 0:
                head[visitor] = link[at]
            else:
                link[before] = link[at]
            return
        before = at
        at = link[at] - 1


def settle(
    head: MutableSequence[int],
    link: MutableSequence[int],
    visitor: int,
    states: Sequence[State],
    pasts: Sequence[Past],
) -> None:
    """Tell the visitor's past everything that its sessions have to tell."""
    session = earliest(head, link, visitor, states)
    while session >= 0:
        tell(pasts[visitor], states[session])
        delist(head, link, visitor, session)
        session = earliest(head, link, visitor, states)


def change_owner(
    hit: Hit,
    visitor: int,
    session: int,
    states: Sequence[State],
    seen: Sequence[Past],
    pasts: Sequence[Past],
    owner: MutableSequence[int],
    head: MutableSequence[int],
    link: MutableSequence[int],
    blank: Past,
) -> None:
    """The session goes over to another visitor; a login from an anonymous one brings that one's past along."""
    before = owner[session] - 1
    delist(head, link, before, session)
    settle(head, link, visitor, states, pasts)
    if hit.kind == LOGIN and pasts[before].known == 0:
        settle(head, link, before, states, pasts)
        merge(pasts[visitor], pasts[before])
        copy_past(pasts[before], blank)
    copy_past(seen[session], pasts[visitor])
    owner[session] = visitor + 1


def advance(
    hit: Hit,
    visitor: int,
    session: int,
    states: Sequence[State],
    seen: Sequence[Past],
    pasts: Sequence[Past],
    owner: MutableSequence[int],
    head: MutableSequence[int],
    link: MutableSequence[int],
    blank: Past,
) -> None:
    """Take in one event of `session`, sent by `visitor`. Events of connected visitors come in the order (time, sequence)."""
    if owner[session] == 0:
        settle(head, link, visitor, states, pasts)
        copy_past(seen[session], pasts[visitor])
        owner[session] = visitor + 1
    elif owner[session] != visitor + 1:
        change_owner(hit, visitor, session, states, seen, pasts, owner, head, link, blank)
    if hit.kind == LOGIN:
        pasts[visitor].known = 1
        seen[session].known = 1
    observe(states[session], hit)
    enlist(head, link, visitor, session)


HELPERS = (earliest, enlist, delist, settle, change_owner, advance)
"""In the order in which they must be compiled."""
