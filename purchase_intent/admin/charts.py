"""Charts of the desk: shapes as plain numbers, which a template draws as SVG with presentation attributes alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from purchase_intent.admin.saying import WORDS, per_cent
from purchase_intent.events import EventName
from purchase_intent.insights.axes import Tick, nice_top
from purchase_intent.scoring.timeline import Moment

__all__ = ["NARROW", "WIDE", "Canvas", "Chart", "Mark", "score_chart"]

_STEPS: Final = (10, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600, 7_200, 14_400, 21_600, 43_200)
"""Seconds between two ticks of the time axis."""
_MARKED: Final = {
    EventName.CART: "basket",
    EventName.CHECKOUT: "checkout",
    EventName.PAYMENT_INFO: "payment",
    EventName.PURCHASE: "bought",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Canvas:
    """Where a chart is drawn, in pixels: the axes run from `left` to `right` and from `bottom` up to `top`."""

    name: str
    width: int
    height: int
    left: int
    right: int
    top: int
    bottom: int
    most_ticks: int
    """Of the time axis."""
    unit: str
    """Of the time axis, as long as the canvas has room for."""


WIDE: Final = Canvas(
    name="wide",
    width=720,
    height=240,
    left=52,
    right=650,
    top=24,
    bottom=196,
    most_ticks=6,
    unit="time since the session began (hours:minutes:seconds)",
)
NARROW: Final = Canvas(
    name="narrow",
    width=320,
    height=240,
    left=48,
    right=266,
    top=24,
    bottom=196,
    most_ticks=3,
    unit="time since the session began (h:mm:ss)",
)
"""For a phone: the letters are as large as on a wide screen."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One event on the line, in pixels; `label` is empty where another stands too near."""

    x: float
    y: float
    label: str
    title: str
    anchor: str = "middle"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A line within its axes, in pixels of its canvas."""

    canvas: Canvas
    line: str
    marks: tuple[Mark, ...]
    rows: tuple[Tick, ...]
    columns: tuple[Tick, ...]
    end: Mark
    title: str
    summary: str


def score_chart(moments: Sequence[Moment], begin: datetime, canvas: Canvas = WIDE) -> Chart | None:
    """The chance of a purchase along a session as a line of steps; None with fewer than two scored moments.

    The vertical axis is in per cent and ends at the lowest of 5, 10, 20, 50 and 100% that holds the line.
    """
    scored = [(moment, moment.intent.probability) for moment in moments if moment.intent.probability is not None]
    if len(scored) < 2:
        return None
    first, last = _seconds(begin, scored[0][0]), _seconds(begin, scored[-1][0])
    span = max(last - first, 1.0)
    top = nice_top(max(chance for _, chance in scored))

    def x(moment: Moment) -> float:
        return _along(canvas, (_seconds(begin, moment) - first) / span)

    def y(chance: float) -> float:
        return round(canvas.bottom - (canvas.bottom - canvas.top) * chance / top, 1)

    places = [(x(moment), y(chance)) for moment, chance in scored]
    steps = f"M{places[0][0]} {places[0][1]}" + "".join(f"H{across}V{down}" for across, down in places[1:])
    end = Mark(*places[-1], per_cent(scored[-1][1]), "")
    return Chart(
        canvas=canvas,
        line=steps,
        marks=_marks(scored, places, canvas),
        rows=tuple(Tick(y(top * part), f"{top * part * 100:g}%") for part in (0, 0.5, 1)),
        columns=_columns(first, span, canvas),
        end=end,
        title="Chance of a purchase along the session",
        summary=(
            f"{len(scored)} scored events. It began at {per_cent(scored[0][1])}, was at most "
            f"{per_cent(max(chance for _, chance in scored))} and ended at {end.label}."
        ),
    )


def _seconds(begin: datetime, moment: Moment) -> float:
    return (moment.event.occurred_at - begin).total_seconds()


def _along(canvas: Canvas, part: float) -> float:
    return round(canvas.left + (canvas.right - canvas.left) * part, 1)


def _marks(
    scored: Sequence[tuple[Moment, float]], places: Sequence[tuple[float, float]], canvas: Canvas
) -> tuple[Mark, ...]:
    marks, free = [], 0.0
    for (moment, chance), (across, down) in zip(scored, places, strict=True):
        name = EventName(moment.event.name)
        if name not in _MARKED:
            continue
        label = _MARKED[name] if across >= free else ""
        free = across + 64 if label else free
        # The score stands to the right of the line's end: no label may run into it.
        anchor = "end" if across > canvas.right - 40 else "middle"
        marks.append(Mark(across, down, label, f"{WORDS[name]}: {per_cent(chance)}", anchor))
    return tuple(marks)


def _columns(first: float, span: float, canvas: Canvas) -> tuple[Tick, ...]:
    step = next((step for step in _STEPS if span / step <= canvas.most_ticks), 86_400)
    begin = int(-(-first // step))
    places = (index * step for index in range(begin, int((first + span) // step) + 1))
    return tuple(Tick(_along(canvas, (at - first) / span), _clock(at)) for at in places)


def _clock(seconds: int) -> str:
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"
