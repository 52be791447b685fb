"""What an offer earns by score, as shapes that a template draws as SVG, and the cut-offs beside it as rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import exp, log
from typing import Final

import numpy as np
from numpy.typing import NDArray

from purchase_intent.insights.axes import Tick
from purchase_intent.insights.words import exact_per_cent, money
from purchase_intent.learning.offers import Offer, OperatingCurve, Range

__all__ = ["NARROW", "WIDE", "Bar", "Box", "CutOff", "OfferChart", "cut_off", "offer_chart", "score_rows"]

Numbers = NDArray[np.float64]
Along = Callable[[float], float]
"""From a probability to its place on the axis, in pixels."""

STEPS: Final = 120
"""Points of the line."""
BARS: Final = 24
_TICKS: Final = (0.0001, 0.001, 0.01, 0.03, 0.1, 0.3, 0.5, 0.7, 0.9, 0.97, 0.99, 0.999)
_DEEPEST: Final = 1.2
"""The axis goes no further below zero than so many times what is earned at most: a loss is a loss."""


@dataclass(frozen=True, slots=True)
class Box:
    """Where a chart is drawn, in pixels: the line from `bottom` up to `top`, the bars below it down to `floor`."""

    name: str
    width: int
    left: int
    right: int
    ticks_apart: int
    unit: str
    top: int = 40
    bottom: int = 200
    lane: int = 216
    floor: int = 262
    height: int = 304

    @property
    def tall(self) -> int:
        """From the top to the bottom of the line's part."""
        return self.bottom - self.top


WIDE: Final = Box("wide", 720, 64, 704, 48, "score: chance of a purchase without the offer, %")
NARROW: Final = Box("narrow", 320, 60, 312, 44, "score: chance without the offer, %")
"""For a phone: the letters are as large as on a wide screen."""


@dataclass(frozen=True, slots=True)
class Bar:
    """The sessions of some scores, in pixels."""

    x: float
    y: float
    width: float
    height: float
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferChart:
    """What an offer earns by score: a line, the range that pays (`begin` to `end`), and where the sessions lie."""

    box: Box
    line: str
    begin: float
    end: float
    zero: float
    rows: tuple[Tick, ...]
    columns: tuple[Tick, ...]
    bars: tuple[Bar, ...]
    summary: str

    @property
    def span(self) -> float:
        """Width of the range that pays."""
        return round(max(self.end - self.begin, 1.0), 1)

    @property
    def middle(self) -> float:
        """Where the range is named: no letter of it leaves the chart."""
        return round(min(max((self.begin + self.end) / 2, self.box.left + 16), self.box.right - 16), 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class CutOff:
    """A lowest score: the share of all cases at or above it, of those the share that bought, and of all buyers."""

    score: float
    share: float
    precision: float
    recall: float


def cut_off(curve: OperatingCurve, score: float) -> CutOff:
    """What lies at or above a score, by the nearest cut-off of the curve at or below it."""
    place = max(int(np.searchsorted(curve.thresholds, score * (1 + 1e-12), side="right")) - 1, 0)
    reached, bought = curve.shares[place], curve.precision[place]
    everybody = curve.shares[0] * curve.precision[0]
    return CutOff(
        score=score, share=reached, precision=bought, recall=reached * bought / everybody if everybody > 0 else 0.0
    )


def offer_chart(offer: Offer, curve: OperatingCurve, box: Box = WIDE) -> OfferChart | None:
    """The chart of an offer over the scores of a curve; None where it pays for nobody, or all scores are the same."""
    found = offer.range()
    mass, chance, _ = curve.bins()
    known = (mass > 0) & (chance > 0) & (chance < 1)
    if found is None or known.sum() < 2:
        return None
    ends = Range(float(chance[known].min()), float(chance[known].max()))
    along = np.linspace(_odds(ends.low), _odds(ends.high), STEPS)
    worth = offer.worth(1 / (1 + np.exp(-along)))
    most = float(offer.worth(np.linspace(max(found[0], 1e-6), found[1], 400)).max())
    least = max(float(worth.min()), -_DEEPEST * most, -1e9)
    least = min(least, -0.1 * most)

    def x(probability: float) -> float:
        part = (_odds(probability) - along[0]) / (along[-1] - along[0])
        return round(box.left + (box.right - box.left) * float(min(max(part, 0.0), 1.0)), 1)

    def y(value: float) -> float:
        return round(box.bottom - (box.bottom - box.top) * (value - least) / (1.08 * most - least), 1)

    places = [(x(1 / (1 + exp(-at))), y(value)) for at, value in zip(along, worth, strict=True) if value >= least]
    return OfferChart(
        box=box,
        line="M" + "L".join(f"{across} {down}" for across, down in places),
        begin=x(max(found[0], 1e-9)),
        end=x(min(found[1], 1 - 1e-9)),
        zero=y(0.0),
        rows=tuple(Tick(y(value), f"{1000 * value:,.0f}") for value in (most, 0.0)),
        columns=_columns(ends, x, box),
        bars=_bars(mass[known], chance[known], ends, x, box),
        summary=(
            f"From a score of {exact_per_cent(found[0])} to {exact_per_cent(found[1])} it earns more than it costs; "
            f"at best {money(1000 * most)} for 1,000 that see it."
        ),
    )


def score_rows(offer: Offer, curve: OperatingCurve) -> list[tuple[str, str, str, str, str]]:
    """The chart as rows, the highest scores first: scores from, sessions, bought, earned by 1,000, whether it pays."""
    mass, chance, bought = curve.bins()
    worth = offer.worth(chance)
    rows = [
        (
            exact_per_cent(curve.thresholds[place]),
            f"{mass[place]:.2%}",
            exact_per_cent(float(bought[place])),
            money(1000 * float(worth[place])),
            "yes" if worth[place] > 0 else "no",
        )
        for place in range(len(mass))
        if mass[place] > 0
    ]
    return rows[::-1]


def _odds(probability: float) -> float:
    return log(probability / (1 - probability))


def _columns(ends: Range, x: Along, box: Box) -> tuple[Tick, ...]:
    found: list[Tick] = []
    for probability in _TICKS:
        if ends.holds(probability) and (not found or x(probability) - found[-1].at >= box.ticks_apart):
            found.append(Tick(x(probability), f"{probability * 100:g}%"))
    return tuple(found)


def _bars(mass: Numbers, chance: Numbers, ends: Range, x: Along, box: Box) -> tuple[Bar, ...]:
    odds = np.log(chance / (1 - chance))
    edges = np.linspace(_odds(ends.low), _odds(ends.high), BARS + 1)
    place = np.clip(np.searchsorted(edges, odds, side="right") - 1, 0, BARS - 1)
    sums = np.bincount(place, mass, minlength=BARS)
    bars = []
    for at in np.flatnonzero(sums > 0).tolist():
        low, high = (1 / (1 + exp(-float(edges[side]))) for side in (at, at + 1))
        tall = max(round((box.floor - box.lane) * float(sums[at] / sums.max()), 1), 0.5)
        title = f"{exact_per_cent(low)} to {exact_per_cent(high)}: {sums[at]:.1%} of them"
        bars.append(Bar(x(low), round(box.floor - tall, 1), round(max(x(high) - x(low) - 1, 1), 1), tall, title))
    return tuple(bars)
