"""What to simulate: the period, the size, the zone and the seed, checked before anything runs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from purchase_intent.exceptions import IntentError

if TYPE_CHECKING:
    from demo_shop.simulator.trials import Trial

__all__ = ["EVENTS_PER_SESSION", "Plan", "SimulationRefused"]

EVENTS_PER_SESSION = MappingProxyType({"generic": 5.8, "rees46": 2.1})
"""Rows of each layout per session, bots included; measured, see docs/simulator.md."""

_WARM_UP = timedelta(days=7)
_MAX_DAYS = 1_000
_MAX_SLICE = 28 * 24
_MAX_SESSIONS_PER_DAY = 20_000_000


class SimulationRefused(IntentError):
    """An option makes no log: the message names it and says what would."""

    code = "simulation_refused"


@dataclass(frozen=True, slots=True)
class Plan:
    """A log to make. `days` is the period aimed at; with `events` it ends after exactly that many rows of `layout`.

    `sessions_per_day` is the shop's size (a yearly mean); None derives it from `events`, or takes 200.
    `hours_per_slice` is how much is held in memory at once; the log does not depend on it. None chooses.
    `trials` are experiments whose arms shoppers see and react to.
    """

    start: date
    layout: str = "generic"
    days: int = 56
    events: int | None = None
    sessions_per_day: float | None = None
    seed: int = 1
    zone: str = "Europe/Berlin"
    hours_per_slice: int | None = None
    trials: tuple[Trial, ...] = ()

    def __post_init__(self) -> None:
        if self.layout not in EVENTS_PER_SESSION:
            raise SimulationRefused(f"layout {self.layout!r}: choose generic or rees46", layout=self.layout)
        _check("days", self.days, 1, _MAX_DAYS)
        _check("seed", self.seed, 0, 2**63 - 1)
        if self.events is not None:
            _check("events", self.events, 1, 10**10)
        if self.hours_per_slice is not None:
            _check("hours_per_slice", self.hours_per_slice, 1, _MAX_SLICE)
        if not 0 < self.rate <= _MAX_SESSIONS_PER_DAY:
            raise SimulationRefused(
                f"{self.rate:,.0f} sessions a day: choose a rate up to {_MAX_SESSIONS_PER_DAY:,}, or more days",
                rate=self.rate,
            )
        if not 1971 <= self.start.year <= 2200:
            raise SimulationRefused(f"start {self.start}: choose a day between 1971 and 2200", start=str(self.start))
        try:
            ZoneInfo(self.zone)
        except (ValueError, OSError, KeyError):
            raise SimulationRefused(
                f"zone {self.zone!r} is unknown: give an IANA name such as Europe/Berlin", zone=self.zone
            ) from None

    @property
    def rate(self) -> float:
        """Sessions a day: a mean over the year, or with `events` alone over the period."""
        if self.sessions_per_day is not None:
            return self.sessions_per_day
        if self.events is not None:
            return self.events / self.days / EVENTS_PER_SESSION[self.layout]
        return 200.0

    @property
    def first_hour(self) -> int:
        """The UTC hour (since 1970) in which the first local day begins."""
        return _hour_of(self.start, self.zone)

    @property
    def end_hour(self) -> int:
        """The UTC hour at which the last local day ends; with `events`, the furthest the log may reach."""
        days = self.days if self.events is None else self.days * 4 + 60
        return _hour_of(self.start + timedelta(days=days), self.zone)

    @property
    def warm_hour(self) -> int:
        """The UTC hour at which the unwritten warm-up begins, so that the first day has returning visitors."""
        return self.first_hour - int(_WARM_UP / timedelta(hours=1))

    @property
    def slice_hours(self) -> int:
        """Hours held at once: about 50,000 sessions, from one hour to four weeks."""
        if self.hours_per_slice is not None:
            return self.hours_per_slice
        return max(1, min(_MAX_SLICE, int(50_000 / self.rate * 24)))


def _check(name: str, value: object, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise SimulationRefused(f"{name} {value!r}: choose a whole number from {low:,} to {high:,}", name=name)


def _hour_of(day: date, zone: str) -> int:
    midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone))
    return int((midnight.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(hours=1))
