"""Values of conditions as people write them ("80%", "30 days", "mobile, tablet") and as a rule holds them."""

from __future__ import annotations

import math
import re
from typing import Final

from purchase_intent.events import key_hash
from purchase_intent.features.vector import CODE
from purchase_intent.segments.fields import Field, Kind

__all__ = ["Value", "number_of", "read_value", "spelled"]

Value = float | str | list[str]
"""A number, a name, or several names."""

_SPANS: Final = {
    "s": 1,
    "second": 1,
    "seconds": 1,
    "min": 60,
    "minute": 60,
    "minutes": 60,
    "h": 3_600,
    "hour": 3_600,
    "hours": 3_600,
    "d": 86_400,
    "day": 86_400,
    "days": 86_400,
    "week": 604_800,
    "weeks": 604_800,
}
_NUMBER: Final = re.compile(r"\s*([+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)\s*([a-z%]*)\s*")
_MOST_NAMES: Final = 50
_HIGHEST: Final = 1e12
_RANGES: Final = {"h": (0, 24), "day": (0, 6)}


def read_value(field: Field, value: object, *, several: bool) -> Value:
    """The value of a condition on `field`, as a rule holds it. ValueError says in words what is wrong with it."""
    if several:
        return _names(field, value)
    if field.kind is Kind.NUMBER:
        return _number(field, value)
    return _name(field, value)


def number_of(field: Field, value: float | str) -> float:
    """What a sound value is compared as: the number itself, a name's number, a text's code."""
    if not isinstance(value, str):
        return float(value)
    if field.kind is Kind.KEY:
        return float(key_hash(value) & CODE)
    return field.choices[value]


def spelled(field: Field, value: Value) -> str:
    """A sound value as people write it."""
    if isinstance(value, list):
        return ", ".join(value)
    if isinstance(value, str):
        return value
    if field.unit == "share":
        return f"{value * 100:.10g}%"
    if field.unit == "s":
        for name in ("days", "hours", "minutes"):
            if value and value % _SPANS[name] == 0:
                count = value / _SPANS[name]
                return f"{count:.10g} {name if count != 1 else name[:-1]}"
        return f"{value:.10g} seconds"
    return f"{value:.10g}"


def _number(field: Field, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f"a number is needed, not {_kind(value)}")
    found = _measured(field, value) if isinstance(value, str) else float(value)
    if not math.isfinite(found) or abs(found) > _HIGHEST:
        raise ValueError("the number is too large")
    low, high = (
        (0, 1) if field.unit == "share" and not field.is_narrow else _RANGES.get(field.unit, (-_HIGHEST, _HIGHEST))
    )
    if not low <= found <= high:
        raise ValueError(f"{found:.10g} is out of range: from {low} to {high}{_hint(field)}")
    return found


def _measured(field: Field, text: str) -> float:
    if not text.strip():
        raise ValueError("the value is empty: give a number")
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise ValueError(f"“{text.strip()}” is no number{_hint(field)}")
    number, unit = float(match[1]), match[2]
    if not unit:
        return number
    if unit == "%" and field.unit == "share":
        return number / 100
    if unit in _SPANS and field.unit == "s":
        return number * _SPANS[unit]
    raise ValueError(f"“{unit}” does not fit: this is {_unit(field)}{_hint(field)}")


def _unit(field: Field) -> str:
    return {
        "s": "a time",
        "share": "a share",
        "money": "an amount in the shop's currency, as a plain number",
        "h": "an hour of the day, 0 to 24",
        "day": "a day of the week, Monday is 0",
    }.get(field.unit, "a plain number")


def _hint(field: Field) -> str:
    return {"s": ", as in 90 or 30 days", "share": ", as in 0.8 or 80%"}.get(field.unit, "")


def _name(field: Field, value: object) -> str:
    if isinstance(value, bool):
        value = "yes" if value else "no"
    if not isinstance(value, str):
        raise ValueError(f"a name is needed, not {_kind(value)}{_choices(field)}")
    text = value.strip()
    if not text:
        raise ValueError(f"the value is empty{_choices(field)}")
    if field.kind is Kind.KEY:
        return text
    named = text.lower().replace(" ", "_")
    if named not in field.choices:
        raise ValueError(f"“{text}” is none of its names{_choices(field)}")
    return named


def _names(field: Field, value: object) -> list[str]:
    if isinstance(value, str):
        value = [part for part in value.split(",") if part.strip()]
    if not isinstance(value, list | tuple):
        raise ValueError(f"a list of names is needed, not {_kind(value)}")
    names = list(dict.fromkeys(_name(field, part) for part in value))
    if not names:
        raise ValueError(f"the value is empty{_choices(field)}")
    if len(names) > _MOST_NAMES:
        raise ValueError(f"{len(names)} names are too many: give at most {_MOST_NAMES}")
    return names


def _choices(field: Field) -> str:
    return f": use {', '.join(field.choices)}" if field.choices else ": give its text, such as mobile"


def _kind(value: object) -> str:
    return {type(None): "nothing", bool: "yes or no", list: "a list", dict: "a group"}.get(
        type(value), "a number" if isinstance(value, int | float) else type(value).__name__
    )
