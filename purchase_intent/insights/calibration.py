"""What was said against what happened, as shapes that a template draws as SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from purchase_intent.insights.axes import Tick, nice_top

__all__ = ["NARROW", "WIDE", "CalibrationChart", "Sheet", "calibration_chart"]

HEIGHT: Final = 320
TOP, BOTTOM = 28, 48
Data = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Sheet:
    """How wide the chart is drawn, and the room on its sides, in pixels."""

    name: str
    width: int
    left: int
    right: int


WIDE: Final = Sheet("wide", 720, 56, 150)
NARROW: Final = Sheet("narrow", 320, 48, 20)
"""For a phone: the letters are as large as on a wide screen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One decile, in pixels: where it lies, and its interval from `low` (below) to `high`."""

    x: float
    y: float
    low: float
    high: float
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationChart:
    """What was said against what happened, in pixels of a canvas of `width` by `height`."""

    name: str
    width: int
    height: int
    left: int
    right: int
    top: int
    bottom: int
    points: tuple[Point, ...]
    line: str
    rows: tuple[Tick, ...]
    columns: tuple[Tick, ...]
    summary: str
    of: str


def calibration_chart(
    reliability: Sequence[Data], sheet: Sheet = WIDE, *, of: str = "sessions"
) -> CalibrationChart | None:
    """The chart of a report's deciles, whose cases are called `of`; None without any.

    Both axes end at the lowest round share that holds all.
    """
    if not reliability:
        return None
    top = nice_top(min(1.0, max(max(row["said"], row["high"]) for row in reliability)))

    def x(share: float) -> float:
        return round(sheet.left + (sheet.width - sheet.left - sheet.right) * min(share, top) / top, 1)

    def y(share: float) -> float:
        return round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * min(share, top) / top, 1)

    points = tuple(
        Point(
            x=x(row["said"]),
            y=y(row["bought"]),
            low=y(row["low"]),
            high=y(row["high"]),
            title=f"Said {row['said']:.1%}, bought {row['bought']:.1%}",
        )
        for row in reliability
    )
    shares = (0, top / 2, top)
    return CalibrationChart(
        name=sheet.name,
        width=sheet.width,
        height=HEIGHT,
        left=sheet.left,
        right=sheet.width - sheet.right,
        top=TOP,
        bottom=HEIGHT - BOTTOM,
        points=points,
        line="M" + "L".join(f"{point.x} {point.y}" for point in points),
        rows=tuple(Tick(y(share), f"{share * 100:g}%") for share in shares),
        columns=tuple(Tick(x(share), f"{share * 100:g}%") for share in shares),
        summary=_summary(reliability, of),
        of=of,
    )


def _summary(reliability: Sequence[Data], of: str) -> str:
    last = reliability[-1]
    return (
        f"{len(reliability)} groups of {of} by score. In the highest one {last['said']:.1%} were said to buy and "
        f"{last['bought']:.1%} did."
    )
