"""Experiments in the simulated shop: who is shown which arm, and what that does to them.

A visitor's arm is the one that the running shop would give to the same cookie. What an arm does is a shift of the next
moves in logits, from the page on that shows it, for as long as the visit lasts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from demo_shop.simulator.chance import Floats, Ints, join, mix, uniform
from demo_shop.simulator.moves import Move
from demo_shop.simulator.naming import user_numbers
from demo_shop.simulator.rows import VISITS, Table
from demo_shop.simulator.shoppers import Party
from purchase_intent.events.names import Page
from purchase_intent.stats.bucketing import Allocation

__all__ = ["SHOWN", "Effect", "Showing", "Trial"]

SHOWN = np.dtype(
    [
        ("trial", "<i8"),  # its place in the plan
        ("arm", "<i8"),  # its place in the trial
        ("user", "<i8"),  # as in a row of the log
        ("session", "<i8"),
        ("time", "<i8"),  # milliseconds since 1970 UTC
        ("device", "<i8"),
    ]
)
"""An arm that was shown, once a visit and trial."""

_LOST = 0x105E  # keeps the chances of pages that were never shown apart from those of moves


@dataclass(frozen=True, slots=True)
class Effect:
    """What an arm does to those who are shown it, on some devices or on all: a shift of moves, in logits."""

    arm: str
    moves: tuple[Move, ...]
    shift: float
    devices: tuple[int, ...] = (0, 1, 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """An experiment from `begin` (milliseconds since 1970 UTC) on, shown on `pages`.

    `lost` is the share of phones on which an arm's page breaks before it is counted, by arm.
    """

    key: str
    arms: tuple[str, ...]
    weights: tuple[float, ...]
    begin: int
    pages: tuple[Page, ...]
    effects: tuple[Effect, ...] = ()
    lost: Mapping[str, float] = field(default_factory=dict)

    def arms_of(self, visitors: Ints, seed: int) -> Ints:
        """The place of each visitor's arm, that of the first cookie of a log with this seed."""
        known, which = np.unique(visitors, return_inverse=True)
        cookies = user_numbers(known * 4 + 1, mix(np.array([seed], dtype=np.uint64)))
        allocation = Allocation(salt=self.key, arms=self.arms, weights=self.weights)
        given = [allocation.arm(str(cookie)) for cookie in cookies.tolist()]
        return np.array([self.arms.index(arm) if arm else -1 for arm in given], dtype=np.int64)[which]

    def tilt(self, arm: int, devices: Ints) -> Floats:
        """The shifts [n, moves] for visits on these devices."""
        shifts = np.zeros((len(devices), len(Move)))
        for effect in self.effects:
            if effect.arm == self.arms[arm]:
                rows = np.isin(devices, effect.devices)
                shifts[np.ix_(rows, np.array(effect.moves))] += effect.shift
        return shifts


class Showing:
    """The trials of a party under way: `expose` after each step, `tilt` is what they do to the next one."""

    def __init__(self, trials: Sequence[Trial], party: Party, seed: int) -> None:
        self.tilt = np.zeros((len(party), len(Move)))
        self._party = party
        self._trials = trials
        visitors = party.session // VISITS
        self._arms = [trial.arms_of(visitors, seed) for trial in trials]
        self._lost = [
            uniform(join(party.key, _LOST + place), 1)
            < np.array([trial.lost.get(arm, 0.0) for arm in trial.arms])[self._arms[place]] * (party.device == 0)
            for place, trial in enumerate(trials)
        ]
        self._seen = [np.zeros(len(party), dtype=bool) for _ in trials]
        self._parts: list[Table] = []

    def expose(self, who: Ints) -> None:
        """Show the arms of trials to those who came to a page of theirs."""
        party = self._party
        for place, trial in enumerate(self._trials):
            arms, seen = self._arms[place], self._seen[place]
            fresh = ~seen[who] & (arms[who] >= 0) & np.isin(party.page[who], trial.pages)
            new = who[fresh & (party.time[who] >= trial.begin)]
            seen[new] = True
            for arm in range(len(trial.arms)):
                chosen = new[arms[new] == arm]
                self.tilt[chosen] += trial.tilt(arm, party.device[chosen])
            self._note(place, new[~self._lost[place][new]])

    def rows(self) -> Table:
        """What was shown and counted (dtype SHOWN)."""
        return np.concatenate([np.zeros(0, dtype=SHOWN), *self._parts])

    def _note(self, place: int, who: Ints) -> None:
        rows = np.zeros(len(who), dtype=SHOWN)
        rows["trial"], rows["arm"] = place, self._arms[place][who]
        for name in ("user", "session", "time", "device"):
            rows[name] = getattr(self._party, name)[who]
        self._parts.append(rows)
