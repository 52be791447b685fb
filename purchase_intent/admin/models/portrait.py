"""What a model goes by, as shapes: a lane of dots for each weighty feature, and one feature's effect by its value.

Every dot is a case of the latest slice with the part that the feature had in its score (Lundberg and others 2020). A
template draws the shapes as SVG with presentation attributes alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
from django.utils.text import capfirst
from numpy.typing import NDArray

from purchase_intent.exceptions import IntentError
from purchase_intent.features.schema import FEATURES, Feature
from purchase_intent.insights.axes import Tick
from purchase_intent.learning.explained import Explained, Importance
from purchase_intent.models import ModelVersion
from purchase_intent.scoring.bundles import load_bundle
from purchase_intent.scoring.words.pages import act_name, page_name

__all__ = ["LANES", "Dot", "Lane", "Portrait", "Scatter", "portrait", "reasons_page", "scatter"]

LANES: Final = 15
"""Features shown as lanes; the table behind them has all."""
WIDTH, HEIGHT, MIDDLE = 480, 40, 240
"""Of a lane, in pixels; the middle is no effect."""
STEP: Final = 5
"""Pixels between two dots side by side, and of a dot's bin."""
MOST_RANKS: Final = 16
"""Categories that are told apart."""
_BY_NAME: Final = {feature.name: feature for feature in FEATURES}
_FILLS: Final = ("0", "0.4", "1")
"""Opacity of a low, a middle and a high value: told apart without colour."""


@dataclass(frozen=True, slots=True)
class Dot:
    """A case, in pixels; `opacity` says how high its value is."""

    x: float
    y: float
    opacity: str


@dataclass(frozen=True, slots=True)
class Lane:
    """A feature with its weight and its cases."""

    feature: Feature
    share: str
    effect: str
    dots: tuple[Dot, ...]


@dataclass(frozen=True, slots=True)
class Portrait:
    """Lanes with one axis of log-odds, and every feature's importance."""

    lanes: tuple[Lane, ...]
    ticks: tuple[Tick, ...]
    rows: tuple[tuple[Feature, Importance], ...]
    cases: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Scatter:
    """One feature's effect by its value: dots in pixels, axes, and the same in bins as a table."""

    feature: Feature
    dots: tuple[Dot, ...]
    columns: tuple[Tick, ...]
    rows: tuple[Tick, ...]
    table: tuple[tuple[str, int, str], ...]
    unknown: int
    width: int = 480
    height: int = 280
    left: int = 60
    right: int = 462
    top: int = 28
    bottom: int = 226


def reasons_page(version: ModelVersion, wanted: str) -> dict[str, Any]:
    """What the page on a model's reasons shows; `wanted` names the feature shown by its values, else the weightiest."""
    try:
        explained = load_bundle(version).explained if version.is_usable else None
    except IntentError as refused:
        return {"nothing": f"No picture, because {refused.message}."}
    if explained is None:
        return {"nothing": "No picture, because this model was stored without cases that explain it: train again."}
    found = portrait(explained)
    weighty = [feature.meaning.partition(":")[0] for feature, _ in found.rows[:3]]
    name = wanted if wanted in _BY_NAME else found.rows[0][0].name
    return {
        "headline": f"{weighty[0]}; then {_small(weighty[1])}, and {_small(weighty[2])}.",
        "portrait": found,
        "scatter": scatter(explained, name),
    }


def _small(meaning: str) -> str:
    return meaning[:1].lower() + meaning[1:]


def portrait(explained: Explained) -> Portrait:
    """What the cases say of a model, the weightiest features first."""
    order = explained.importance(tuple(feature.name for feature in FEATURES))
    place = {feature.name: at for at, feature in enumerate(FEATURES)}
    shown = [each for each in order[:LANES] if each.effect > 0]
    reach = _reach(explained.effects[:, [place[each.name] for each in shown]])
    lanes = tuple(
        Lane(
            _BY_NAME[each.name],
            f"{each.share * 100:.1f}%",
            f"{each.effect:.2f}",
            _dots(
                explained.effects[:, place[each.name]], _shades(explained.values[:, place[each.name]], each.name), reach
            ),
        )
        for each in shown
    )
    ticks = tuple(Tick(_across(at, reach), f"{at:+g}" if at else "0") for at in _ticks(-reach, reach, 8))
    return Portrait(lanes, ticks, tuple((_BY_NAME[each.name], each) for each in order), len(explained))


def scatter(explained: Explained, name: str) -> Scatter:
    """A feature's effect by its value. Raises KeyError for a name that is no feature."""
    feature = _BY_NAME[name]
    at = [each.name for each in FEATURES].index(name)
    values, effects = explained.values[:, at].astype(np.float64), explained.effects[:, at].astype(np.float64)
    known = ~np.isnan(values)
    values, effects = values[known], effects[known]
    empty = Scatter(feature=feature, dots=(), columns=(), rows=(), table=(), unknown=int((~known).sum()))
    if not len(values):
        return empty
    places = _levels(values) if feature.categorical else np.minimum(values, np.quantile(values, 0.99))
    low, high = float(places.min()), float(places.max())
    reach = _reach(effects)

    def x(value: float) -> float:
        return round(empty.left + (empty.right - empty.left) * ((value - low) / (high - low) if high > low else 0.5), 1)

    def y(effect: float) -> float:
        part = (min(max(effect, -reach), reach) + reach) / (2 * reach)
        return round(empty.bottom - (empty.bottom - empty.top) * part, 1)

    return Scatter(
        feature=feature,
        dots=tuple(Dot(x(value), y(effect), "0.5") for value, effect in zip(places, effects, strict=True)),
        columns=_ranks(values, x) if feature.categorical else _numbers(low, high, x),
        rows=tuple(Tick(y(at), f"{at:+g}" if at else "0") for at in _ticks(-reach, reach, 8)),
        table=_table(feature, values, effects),
        unknown=empty.unknown,
    )


def _reach(effects: NDArray[np.floating]) -> float:
    """The end of the axis of effects: what all but a hundredth of the cases stay within."""
    sizes = np.abs(effects)
    return float(max(np.quantile(sizes, 0.99) if sizes.size else 0.0, 0.05))


def _across(effect: float, reach: float) -> float:
    return round(MIDDLE + (MIDDLE - 8) * min(max(effect / reach, -1.0), 1.0), 1)


def _dots(effects: NDArray[np.floating], shades: list[str], reach: float) -> tuple[Dot, ...]:
    """A swarm: dots of one place stand above and below each other, from the middle outwards."""
    taken = defaultdict[int, int](int)
    dots = []
    for effect, shade in zip(effects.tolist(), shades, strict=True):
        column = round(_across(effect, reach) / STEP)
        rank, taken[column] = taken[column], taken[column] + 1
        away = (rank + 1) // 2 * 3 * (1 if rank % 2 else -1)
        if abs(away) <= HEIGHT // 2 - 4:  # a full column says enough
            dots.append(Dot(column * STEP, HEIGHT / 2 + away, shade))
    return tuple(dots)


def _shades(values: NDArray[np.floating], name: str) -> list[str]:
    """By the third in which a value lies; as the middle where it is unknown, or only a name."""
    if _BY_NAME[name].categorical:
        return [_FILLS[1]] * len(values)
    known = values[~np.isnan(values)]
    low, high = np.quantile(known, [1 / 3, 2 / 3]) if len(known) else (0.0, 0.0)
    above = np.where(np.isnan(values), 1, (values > low).astype(int) + (values > high).astype(int))
    return [_FILLS[place] for place in above.tolist()]


def _levels(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Categories side by side, the most frequent first."""
    names, place, count = np.unique(values, return_inverse=True, return_counts=True)
    rank = np.empty(len(names))
    rank[np.argsort(-count, kind="stable")] = np.arange(len(names))
    return np.asarray(rank[place])


def _numbers(low: float, high: float, x: Callable[[float], float]) -> tuple[Tick, ...]:
    return tuple(Tick(x(at), f"{at:,g}") for at in _ticks(low, high, 5))


def _ranks(values: NDArray[np.float64], x: Callable[[float], float]) -> tuple[Tick, ...]:
    """Categories at their places by number, which the table tells; none where they would run into each other."""
    count = len(np.unique(values))
    return tuple(Tick(x(rank), f"{rank + 1}.") for rank in range(count)) if count <= MOST_RANKS else ()


def _table(
    feature: Feature, values: NDArray[np.float64], effects: NDArray[np.float64]
) -> tuple[tuple[str, int, str], ...]:
    """Bins of about equal size (categories: the most frequent): what, how many cases, mean effect."""
    if feature.categorical:
        names, count = np.unique(values, return_counts=True)
        chosen = names[np.argsort(-count, kind="stable")][:MOST_RANKS]
        groups = [(f"{rank + 1}. {_called(feature, name)}", values == name) for rank, name in enumerate(chosen)]
    else:
        edges = np.unique(np.quantile(values, np.linspace(0, 1, 7)))
        bounds = list(pairwise(edges.tolist())) or [(values[0], values[0])]
        last = len(bounds) - 1
        groups = [
            (f"{low:,.4g} to {high:,.4g}", (values >= low) & ((values <= high) if number == last else (values < high)))
            for number, (low, high) in enumerate(bounds)
        ]
    return tuple((said, int(inside.sum()), f"{effects[inside].mean():+.3f}") for said, inside in groups if inside.any())


def _called(feature: Feature, value: float) -> str:
    """A category in words where its number has any: a key is a hash of a name that the model never saw."""
    words = {"page": page_name, "kind": act_name}.get(feature.unit)
    return capfirst(words(int(value)) if words else "") or f"key {int(value)}"


def _ticks(low: float, high: float, most: int) -> list[float]:
    """Round numbers between two ends, at most about `most`."""
    span = high - low
    if not span > 0:
        return [low]
    rough = span / most
    power = 10.0 ** np.floor(np.log10(rough))
    step = next(float(power * unit) for unit in (1, 2, 5, 10) if power * unit >= rough)
    return [round(step * number, 10) for number in range(int(np.ceil(low / step)), int(np.floor(high / step)) + 1)]
