"""What a condition can be about: every feature of the model, the score, and the visitor's history.

A field is read of one visit that goes on, and of many visitors as a column. Both read the same number of the same
facts: features as the 32-bit floats that the model sees.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from operator import attrgetter
from struct import Struct
from typing import Final

import numpy as np

from purchase_intent.events import EventName, Page
from purchase_intent.features.schema import FEATURES, Feature
from purchase_intent.models import Stage
from purchase_intent.segments import history
from purchase_intent.segments.subject import RANKS, UNKNOWN, Numbers, People, Subject

__all__ = ["FIELDS", "GROUPS", "Field", "Kind", "Live", "as_float32"]

Live = Callable[[Subject], float]
Column = Callable[[People], Numbers]

_FLOAT32: Final = Struct("<f")
_LEFT_OUT: Final = frozenset({"trail"})
"""Three pages packed into one number: nobody writes a condition about it."""
GROUPS: Final = ("score", "history", "this visit", "earlier visits")


class Kind(StrEnum):
    """What a field's numbers are, and so which operators and values go with it."""

    NUMBER = "number"
    YES_NO = "yes/no"
    RANK = "rank"
    """One of some names that have an order."""
    NAME = "name"
    """One of some names that have none."""
    KEY = "key"
    """Any text, told apart by its hash."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field: `live` reads it of a visit, `column` of many visitors. `choices` are its names with their numbers.

    `is_narrow`: its numbers are 32-bit floats, and so is what they are compared with.
    """

    name: str
    label: str
    unit: str
    group: str
    kind: Kind
    live: Live
    column: Column
    choices: Mapping[str, float]
    is_narrow: bool = False

    @property
    def is_trait(self) -> bool:
        """Whether a mean of it says something: not of steps and weekdays, which are numbered names."""
        return self.kind in (Kind.NUMBER, Kind.YES_NO) and self.unit not in ("step", "day")


def as_float32(value: float) -> float:
    """A number as a 32-bit float holds it."""
    narrow: float = _FLOAT32.unpack(_FLOAT32.pack(value))[0]
    return narrow


_YES_NO: Final = {"no": 0.0, "yes": 1.0}
_STAGES: Final = {stage.name.lower(): float(stage) for stage in Stage}
_PAGES: Final = {page.label: float(page) for page in Page}
_EVENTS: Final = {name.label: float(name) for name in EventName}
_BANDS: Final = {name or "none": float(rank) for name, rank in RANKS.items()}
_BY_UNIT: Final[Mapping[str, tuple[Kind, Mapping[str, float]]]] = {
    "yes/no": (Kind.YES_NO, _YES_NO),
    "stage": (Kind.RANK, _STAGES),
    "page": (Kind.NAME, _PAGES),
    "kind": (Kind.NAME, _EVENTS),
    "key": (Kind.KEY, {}),
}


def _feature(place: int, feature: Feature) -> Field:
    kind, choices = _BY_UNIT.get(feature.unit, (Kind.NUMBER, {}))
    # Times not reached yet are -1 to the model; a condition must not take that for a short time.
    has_blank = "-1" in feature.meaning
    read = attrgetter(feature.name)

    def live(subject: Subject) -> float:
        value = float(read(subject.vector))
        return UNKNOWN if has_blank and value < 0 else as_float32(value)

    def column(people: People) -> Numbers:
        values = people.matrix[:, place].astype(np.float64)
        return np.where(values < 0, UNKNOWN, values) if has_blank else values

    return Field(
        name=feature.name,
        label=feature.meaning.replace(", -1 before", "").replace(", -1 for none", "").replace(", -1 for a new one", ""),
        unit=feature.unit,
        group="earlier visits" if _is_past(feature.name) else "this visit",
        kind=kind,
        live=live,
        column=column,
        choices=choices,
        is_narrow=True,
    )


def _is_past(name: str) -> bool:
    return name.startswith(("past_", "since_past", "since_second", "since_fourth", "since_last_session", "since_left"))


def _own(name: str, unit: str, label: str, live: Live, column: Column, *, group: str = "history") -> Field:
    kind, choices = (Kind.RANK, _BANDS) if unit == "band" else (Kind.NUMBER, {})
    return Field(name=name, label=label, unit=unit, group=group, kind=kind, live=live, column=column, choices=choices)


def _of_row(name: str, unit: str, label: str, *, column: str = "") -> Field:
    return _own(name, unit, label, partial(history.of_row, name=column or name), _column_of(name), group="score")


def _column_of(name: str) -> Column:
    return lambda people: people.scores[name]


_OWN: Final = (
    _own(
        "score",
        "share",
        "Chance that the visit buys; at night, as it was last scored",
        history.score,
        _column_of("score"),
        group="score",
    ),
    _own(
        "band",
        "band",
        "Band of the visit's chance",
        history.band,
        _column_of("band"),
        group="score",
    ),
    _of_row("customer_score", "share", "Chance that the customer buys, by the nightly scores", column="score"),
    _own(
        "customer_band",
        "band",
        "Band of the customer's chance",
        history.band_of_row,
        _column_of("customer_band"),
        group="score",
    ),
    _of_row("churn", "share", "Chance to stay away for 30 days, by the nightly scores"),
    _of_row("revenue_28d", "money", "Revenue expected in 28 days, by the nightly scores"),
    _of_row("value_12m", "money", "Revenue expected in 12 months, by the nightly scores"),
    _own("visits", "count", "Visits so far, this one counted", history.visits, history.visit_counts),
    _own("orders", "count", "Orders so far", history.orders, history.order_counts),
    _own("since_order", "s", "Time since the latest order", history.since_order, history.since_orders),
    _own(
        "since_visit",
        "s",
        "Time since the latest visit: before this one live, until now at night",
        history.since_visit,
        history.since_visits,
    ),
    _own("since_first_visit", "s", "Time since the first visit", history.since_first_visit, history.since_first_visits),
    _own(
        "weekend_share",
        "share",
        "Share of the latest four visits begun on Saturday or Sunday",
        history.weekend_share,
        history.weekend_shares,
    ),
    _own(
        "evening_share",
        "share",
        "Share of the latest four visits begun from 18 to 22 o'clock",
        history.evening_share,
        history.evening_shares,
    ),
    _own(
        "left_units",
        "count",
        "Units in a basket left behind, with no order since",
        history.left_units,
        history.left_unit_counts,
    ),
    _own(
        "left_value",
        "money",
        "Value of a basket left behind, with no order since",
        history.left_value,
        history.left_values,
    ),
)

FIELDS: Final[Mapping[str, Field]] = {
    field.name: field
    for field in (
        *_OWN,
        *(_feature(place, feature) for place, feature in enumerate(FEATURES) if feature.name not in _LEFT_OUT),
    )
}
"""Every field by its name, those of score and history first."""
