"""The shop through time: arrivals, returns, and a log in order of time, a slice of hours at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from demo_shop.simulator.catalogue import Catalogue, build_catalogue
from demo_shop.simulator.chance import Floats, Ints, join, mix, poisson, uniform
from demo_shop.simulator.crawlers import BOT_SHARE, crawl
from demo_shop.simulator.journey import Journey
from demo_shop.simulator.memory import after_visit
from demo_shop.simulator.plan import Plan
from demo_shop.simulator.rhythm import HOUR_MS, Rhythm
from demo_shop.simulator.rows import KINDS, MEMORY, ROW, TRUTH, Table, new_visitors
from demo_shop.simulator.shoppers import Party, open_sessions, visitor_keys
from demo_shop.simulator.trials import SHOWN, Showing

__all__ = ["Slice", "hidden_intent", "simulate"]

NEW_VISITORS = 0.75
"""Visitors never seen before, as a share of sessions."""

_ARRIVALS_PER_HOUR = 1 << 22
_DOOR = 0xD008  # keeps the chances of hours apart from those of visitors
_PARTY = 50_000  # sessions simulated side by side


@dataclass(frozen=True, slots=True)
class Slice:
    """A stretch of the log: `rows` in order of time, and the truths of the sessions that began in it.

    `shown` holds the arms of experiments that those sessions were shown (dtype `SHOWN`), some after `until`.
    """

    rows: Table
    truths: Table
    until: int  # milliseconds since 1970 UTC: every event before it is out
    shown: Table = field(default_factory=lambda: np.zeros(0, dtype=SHOWN))


class World:
    """The state that passes from slice to slice: who will come back, and events that belong to later slices."""

    def __init__(self, plan: Plan, catalogue: Catalogue) -> None:
        self.plan = plan
        self.catalogue = catalogue
        self.rhythm = Rhythm(plan)
        self.edges: Floats = catalogue.edges(plan.seed, int(self.rhythm.month[-1]) + 1)
        self.waiting = np.zeros(0, dtype=MEMORY)
        self.late = np.zeros(0, dtype=ROW)

    def advance(self, hour: int, until: int) -> Slice:
        """Everything from one UTC hour to another."""
        memory, bot_visitor, bot_time = self._arrivals(hour, until)
        end = until * HOUR_MS
        rows, truths = crawl(bot_visitor, bot_time, self.catalogue, self.rhythm, self.plan.seed)
        parts, truth_parts, shown = [self.late, rows], [truths], [np.zeros(0, dtype=SHOWN)]
        due = self.waiting["time"] < end
        memory = np.concatenate([memory, self.waiting[due]])
        waiting = [self.waiting[~due]]
        # A visitor may come back within the slice, so waves go on until nobody else is due.
        while len(memory):
            again = []
            for first in range(0, len(memory), _PARTY):
                rows, truths, later, seen = self._visit(memory[first : first + _PARTY])
                parts.append(rows)
                shown.append(seen)
                truth_parts.append(truths)
                again.append(later[later["time"] < end])
                waiting.append(later[later["time"] >= end])
            memory = np.concatenate(again)
        self.waiting = np.concatenate(waiting)
        rows = np.concatenate(parts)
        now = rows["time"] < end
        self.late = rows[~now]
        return Slice(_in_order(rows[now]), _by_start(np.concatenate(truth_parts)), end, np.concatenate(shown))

    def forget_late(self) -> None:
        """Drop what sessions begun so far would still do: every session of the log is to be whole."""
        self.late = self.late[:0]

    def rest(self) -> Slice:
        """What sessions begun before the end still did after it."""
        rows, self.late = self.late, np.zeros(0, dtype=ROW)
        until = int(rows["time"].max(initial=self.plan.end_hour * HOUR_MS)) + 1
        return Slice(_in_order(rows), np.zeros(0, dtype=TRUTH), until)

    def _arrivals(self, hour: int, until: int) -> tuple[Table, Ints, Ints]:
        """New visitors, and bots: numbered by the hour they arrive in, so that slices do not matter."""
        hours = np.arange(hour, until) - self.rhythm.first
        hour_keys = join(mix(np.full(len(hours), self.plan.seed ^ _DOOR, dtype=np.uint64)), hours)
        count = poisson(uniform(hour_keys, 1), self.rhythm.visits[hours] * NEW_VISITORS)
        count = np.minimum(count, _ARRIVALS_PER_HOUR)
        number = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
        visitor = np.repeat(hours, count) * _ARRIVALS_PER_HOUR + number
        keys = visitor_keys(self.plan.seed, visitor)
        time = np.repeat(hours + self.rhythm.first, count) * HOUR_MS + (uniform(keys, 29) * HOUR_MS).astype(np.int64)
        bot = uniform(keys, 30) < BOT_SHARE
        memory = new_visitors(int((~bot).sum()))
        memory["visitor"] = visitor[~bot]
        memory["time"] = time[~bot]
        return memory, visitor[bot], time[bot]

    def _visit(self, memory: Table) -> tuple[Table, Table, Table, Table]:
        party = open_sessions(memory, self.rhythm, self.catalogue.department_of_shelf, self.plan.seed)
        showing = Showing(self.plan.trials, party, self.plan.seed) if self.plan.trials else None
        journey = Journey(party, self.catalogue, self.rhythm, self.edges, showing)
        journey.run()
        later = after_visit(party, self.rhythm, self.plan.end_hour * HOUR_MS)
        seen = showing.rows() if showing is not None else np.zeros(0, dtype=SHOWN)
        return journey.rows(), _truths(party), later, seen


def simulate(plan: Plan, catalogue: Catalogue | None = None) -> Iterator[Slice]:
    """The log of a plan, slice by slice: rows of the kinds its layout holds, over all slices in order of time.

    Sessions are whole, but for those that a limit by `events` cuts off at the end of the log.
    """
    world = World(plan, catalogue or build_catalogue())
    kinds = KINDS[plan.layout]
    left = plan.events
    warm = plan.first_hour * HOUR_MS
    hour = plan.warm_hour
    while hour < plan.end_hour:
        # The warm-up is cut at the first day, so that slices before and after it do not mix.
        limit = plan.first_hour if hour < plan.first_hour else plan.end_hour
        until = min(hour + plan.slice_hours, limit)
        piece = world.advance(hour, until)
        hour = until
        if piece.until <= warm:
            if hour == plan.first_hour:
                world.forget_late()
            continue
        rows = piece.rows[np.isin(piece.rows["kind"], kinds)][:left]
        yield Slice(rows, piece.truths, piece.until, piece.shown)
        if left is not None:
            left -= len(rows)
            if left <= 0:
                return
    rest = world.rest()
    yield Slice(rest.rows[np.isin(rest.rows["kind"], kinds)][:left], rest.truths, rest.until)


def hidden_intent(plan: Plan, catalogue: Catalogue | None = None) -> Iterator[Table]:
    """The truth behind the sessions of a plan (dtype `TRUTH`), slice by slice. For tests: no log holds it."""
    for piece in simulate(plan, catalogue):
        yield piece.truths


def _truths(party: Party) -> Table:
    truth = np.zeros(len(party), dtype=TRUTH)
    truth["session"] = party.session
    truth["start"] = party.first
    truth["desire"] = party.arrival
    truth["last_desire"] = party.desire
    truth["energy"] = party.energy
    truth["hoard"] = party.hoard
    truth["bought"] = party.orders > 0
    return truth


def _in_order(rows: Table) -> Table:
    # Stable: within a session, events of one moment stay as they were made.
    return rows[np.lexsort((rows["session"], rows["time"]))]


def _by_start(truths: Table) -> Table:
    return truths[np.lexsort((truths["session"], truths["start"]))]
