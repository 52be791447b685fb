"""The interval of a lift day by day, as shapes that a template draws as SVG with presentation attributes alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from math import ceil, floor, isfinite, log10
from typing import Final

from purchase_intent.insights.axes import Tick

__all__ = ["NARROW", "PER_CENT", "POINTS", "WIDE", "LiftChart", "Point", "Scale", "Sheet", "lift_chart"]

HEIGHT: Final = 260
TOP: Final = 30
BOTTOM: Final = 216
ROOM: Final = 3.0
"""The axis reaches so many times the latest interval at most: those of the first days are cut off there."""
_LEAST: Final = 1e-3


@dataclass(frozen=True, slots=True)
class Sheet:
    """How wide a chart is drawn, in pixels: its axis runs from `left` to `right`."""

    name: str
    width: int
    left: int
    right: int
    most_days: int
    """Labels on the axis of days."""


WIDE: Final = Sheet("wide", 720, 64, 610, 7)
NARROW: Final = Sheet("narrow", 320, 56, 252, 3)
"""For a phone: the letters are as large as on a wide screen."""


@dataclass(frozen=True, slots=True)
class Scale:
    """In what the axis is: each value times `factor`, with `unit` behind it."""

    axis: str
    factor: int
    unit: str

    def label(self, value: float, decimals: int = 1) -> str:
        """A value with its sign."""
        return f"{value * self.factor:+.{decimals}f}{self.unit}"


PER_CENT: Final = Scale("change against the control, %", 100, "%")
POINTS: Final = Scale("difference from the control, points of per cent", 100, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """What was known on a day: a change (0.05: 5% more, or 5 points) with its interval, whose ends may be infinite."""

    day: date
    value: float
    low: float
    high: float
    is_planned: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LiftChart:
    """One arm's interval along the days, in pixels."""

    name: str
    sheet: Sheet
    title: str
    summary: str
    band: str
    line: str
    zero: float
    rows: tuple[Tick, ...]
    columns: tuple[Tick, ...]
    dots: tuple[tuple[float, float, str], ...]
    bars: tuple[tuple[float, float, float], ...]
    end: Tick
    is_cut: bool
    scale: Scale
    height: int = HEIGHT
    top: int = TOP
    bottom: int = BOTTOM


def lift_chart(
    name: str, title: str, points: Sequence[Point], sheet: Sheet = WIDE, *, scale: Scale = PER_CENT
) -> LiftChart | None:
    """The chart of one arm, days from the left; None before there is a finite figure of two days.

    `name` tells its ids from those of other charts on the page.
    """
    known = [each for each in points if isfinite(each.value)]
    if len(known) < 2:
        return None
    step, low, high = _axis(known)
    begin, last = known[0].day, known[-1]
    span = max((last.day - begin).days, 1)

    def x(day: date) -> float:
        return round(sheet.left + (sheet.right - sheet.left) * (day - begin).days / span, 1)

    def y(value: float) -> float:
        held = min(max(value, low), high)
        return round(BOTTOM - (BOTTOM - TOP) * (held - low) / (high - low), 1)

    there = [f"{x(each.day)} {y(each.high)}" for each in known]
    back = [f"{x(each.day)} {y(each.low)}" for each in reversed(known)]
    marks = range(round(low / step), round(high / step) + 1)
    return LiftChart(
        name=f"{name}-{sheet.name}",
        sheet=sheet,
        title=title,
        summary=_summary(known, scale),
        band=f"M{'L'.join([*there, *back])}Z",
        line=f"M{'L'.join(f'{x(each.day)} {y(each.value)}' for each in known)}",
        zero=y(0.0),
        rows=tuple(
            Tick(y(place * step), scale.label(place * step, _decimals(step * scale.factor))) for place in marks if place
        ),
        columns=_days(begin, last.day, x, sheet),
        dots=tuple((x(each.day), y(each.value), _said(each, scale)) for each in known),
        bars=tuple((x(each.day), y(each.low), y(each.high)) for each in known if each.is_planned),
        end=Tick(y(last.value), scale.label(last.value)),
        is_cut=any(each.low < low or each.high > high for each in known),
        scale=scale,
    )


def _axis(points: Sequence[Point]) -> tuple[float, float, float]:
    """The step of the axis and its ends: 0 and the latest interval are on it."""
    last = points[-1]
    ends = [end for end in (last.low, last.high) if isfinite(end)] or [last.value]
    reach = max(abs(last.value), *(abs(end) for end in ends), _LEAST)
    seen = [end for each in points for end in (each.low, each.high, each.value) if isfinite(end)]
    low = max(min(*seen, 0.0), min(-reach * ROOM, *ends))
    high = min(max(*seen, 0.0), max(reach * ROOM, *ends))
    if high - low < 2 * _LEAST:
        low, high = low - _LEAST, high + _LEAST
    step = _nice((high - low) / 4)
    return step, floor(low / step) * step, ceil(high / step) * step


def _nice(step: float) -> float:
    """The next round step: 1, 2 or 5 times a power of ten."""
    power: float = 10.0 ** floor(log10(step))
    return next(times * power for times in (1, 2, 5, 10) if times * power >= step * (1 - 1e-9))


def _decimals(step: float) -> int:
    """So many that neighbouring ticks differ."""
    return max(0, -floor(log10(step) + 1e-9))


def _days(begin: date, last: date, x: Callable[[date], float], sheet: Sheet) -> tuple[Tick, ...]:
    days = (last - begin).days
    step = max(1, ceil(days / (sheet.most_days - 1)))
    places = [begin.fromordinal(begin.toordinal() + place) for place in range(0, days + 1, step)]
    return tuple(Tick(x(day), f"{day.day} {day:%b}") for day in places)


def _said(point: Point, scale: Scale) -> str:
    low, high = (scale.label(end) if isfinite(end) else "no limit" for end in (point.low, point.high))
    return f"{point.day.day} {point.day:%B}: {scale.label(point.value)}, from {low} to {high}"


def _summary(points: Sequence[Point], scale: Scale) -> str:
    return f"{len(points)} days. First {_said(points[0], scale)}; last {_said(points[-1], scale)}."
