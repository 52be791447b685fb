"""Rules: conditions on fields of which all hold, or any. Plain values that check themselves and survive JSON."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from purchase_intent.exceptions import SegmentRefused
from purchase_intent.segments.fields import FIELDS, Field, Kind
from purchase_intent.segments.values import Value, read_value, spelled

__all__ = ["ALL", "ANY", "MOST_CONDITIONS", "OPERATORS", "Condition", "Fault", "Rule", "conditions_of", "operators_of"]

ALL: Final = "all"
ANY: Final = "any"
MOST_CONDITIONS: Final = 20
OPERATORS: Final[Mapping[str, str]] = {
    ">=": "is at least",
    ">": "is more than",
    "<=": "is at most",
    "<": "is less than",
    "=": "is",
    "!=": "is not",
    "in": "is one of",
    "not in": "is none of",
}
"""Each with its words. Of what is not known none holds."""
_OF_KIND: Final[Mapping[Kind, tuple[str, ...]]] = {
    Kind.NUMBER: (">=", ">", "<=", "<", "=", "!="),
    Kind.RANK: (">=", ">", "<=", "<", "=", "!=", "in", "not in"),
    Kind.YES_NO: ("=", "!="),
    Kind.NAME: ("=", "!=", "in", "not in"),
    Kind.KEY: ("=", "!=", "in", "not in"),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a part ("field", "operator", "value") of one condition, counted from 0; None for the whole."""

    place: int | None
    part: str
    message: str

    def __str__(self) -> str:
        return self.message if self.place is None else f"condition {self.place + 1}, {self.part}: {self.message}"


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition, sound: made by `conditions_of`."""

    field: Field
    operator: str
    value: Value

    def __str__(self) -> str:
        return f"{self.field.label} {OPERATORS[self.operator]} {spelled(self.field, self.value)}"

    def to_json(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {"field": self.field.name, "operator": self.operator, "value": self.value}


@dataclass(frozen=True, slots=True)
class Rule:
    """Conditions of which all have to hold, or any."""

    match: str
    conditions: tuple[Condition, ...]

    @classmethod
    def from_json(cls, data: object) -> Rule:
        """The rule that `to_json` described. SegmentRefused names every fault."""
        given = data if isinstance(data, Mapping) else {}
        conditions = given.get("conditions")
        found, faults = conditions_of(conditions if isinstance(conditions, list) else [], match=given.get("match"))
        if faults:
            raise SegmentRefused("; ".join(map(str, faults)), faults=tuple(map(str, faults)))
        return cls(str(given["match"]), found)

    def to_json(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {"match": self.match, "conditions": [condition.to_json() for condition in self.conditions]}

    @property
    def fields(self) -> frozenset[str]:
        """The names of the fields it is about."""
        return frozenset(condition.field.name for condition in self.conditions)

    def __str__(self) -> str:
        return (" and " if self.match == ALL else " or ").join(map(str, self.conditions))


def operators_of(field: Field) -> tuple[str, ...]:
    """The operators that fit a field."""
    return _OF_KIND[field.kind]


def conditions_of(rows: Sequence[object], *, match: object) -> tuple[tuple[Condition, ...], list[Fault]]:
    """The conditions that rows of field, operator and value describe, and everything that is wrong with them."""
    faults: list[Fault] = []
    if match not in (ALL, ANY):
        faults.append(Fault(None, "match", f"say whether all conditions have to hold, or any: {ALL!r} or {ANY!r}"))
    if not rows:
        faults.append(Fault(None, "conditions", "a segment needs at least one condition: without one it is everybody"))
    if len(rows) > MOST_CONDITIONS:
        faults.append(Fault(None, "conditions", f"{len(rows)} conditions are too many: use at most {MOST_CONDITIONS}"))
    found = []
    for place, row in enumerate(rows[:MOST_CONDITIONS]):
        condition, wrong = _condition(place, row if isinstance(row, Mapping) else {})
        faults += wrong
        if condition is not None:
            found.append(condition)
    return tuple(found), faults


def _condition(place: int, row: Mapping[str, object]) -> tuple[Condition | None, Iterable[Fault]]:
    name, operator = row.get("field"), row.get("operator")
    field = FIELDS.get(name) if isinstance(name, str) else None
    if field is None:
        return None, [Fault(place, "field", _unknown(name))]
    if operator not in operators_of(field):
        fitting = ", ".join(f"{each} ({OPERATORS[each]})" for each in operators_of(field))
        return None, [Fault(place, "operator", f"“{operator or ''}” does not fit {field.name}: use one of {fitting}")]
    try:
        value = read_value(field, row.get("value"), several=operator in ("in", "not in"))
    except ValueError as wrong:
        return None, [Fault(place, "value", str(wrong))]
    return Condition(field, str(operator), value), ()


def _unknown(name: object) -> str:
    if not isinstance(name, str) or not name:
        return "choose a field"
    close = difflib.get_close_matches(name, FIELDS, n=1, cutoff=0.7)
    return f"there is no field “{name}”" + (f": the nearest is {close[0]}" if close else ": choose one of the list")
