"""Rules made ready: one function for a visit, in microseconds, and one for many visitors at once, which agree."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from purchase_intent.segments.fields import as_float32
from purchase_intent.segments.rules import ALL, Condition, Rule
from purchase_intent.segments.subject import People, Subject
from purchase_intent.segments.values import number_of

__all__ = ["Compiled", "compiled"]

Mask = NDArray[np.bool_]
Test = Callable[[Subject], bool]

_COMPARISONS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    ">=": operator.ge,
    ">": operator.gt,
    "<=": operator.le,
    "<": operator.lt,
    "=": operator.eq,
    "!=": operator.ne,
}


@dataclass(frozen=True, slots=True)
class Compiled:
    """A rule at work. `holds` is asked of a visit, `mask` of people: a line each, true where it holds."""

    rule: Rule
    holds: Test
    mask: Callable[[People], Mask]


def compiled(rule: Rule) -> Compiled:
    """The rule made ready. Of what is not known no condition holds, "is not" neither."""
    tests = [_test(condition) for condition in rule.conditions]
    combined = _all if rule.match == ALL else _any
    gather = np.logical_and.reduce if rule.match == ALL else np.logical_or.reduce

    def mask(people: People) -> Mask:
        return np.asarray(gather([_mask(condition, people) for condition in rule.conditions]), np.bool_)

    return Compiled(rule, combined(tests), mask)


def _all(tests: list[Test]) -> Test:
    if len(tests) == 1:
        return tests[0]
    return lambda subject: all(test(subject) for test in tests)


def _any(tests: list[Test]) -> Test:
    if len(tests) == 1:
        return tests[0]
    return lambda subject: any(test(subject) for test in tests)


def _test(condition: Condition) -> Test:
    read, wanted = condition.field.live, _wanted(condition)
    if condition.operator == "in":
        return lambda subject: read(subject) in wanted
    if condition.operator == "not in":

        def is_none_of(subject: Subject) -> bool:
            value = read(subject)
            return value == value and value not in wanted  # noqa: PLR0124 - NaN differs from itself

        return is_none_of
    compare, bound = _COMPARISONS[condition.operator], wanted[0]
    if condition.operator == "!=":

        def differs(subject: Subject) -> bool:
            value = read(subject)
            return value == value and value != bound  # noqa: PLR0124 - the same

        return differs
    return lambda subject: bool(compare(read(subject), bound))


def _mask(condition: Condition, people: People) -> Mask:
    values, wanted = condition.field.column(people), _wanted(condition)
    if condition.operator in ("in", "not in"):
        found = np.isin(values, wanted)
        return found if condition.operator == "in" else ~found & ~np.isnan(values)
    held: Mask = _COMPARISONS[condition.operator](values, wanted[0])
    return held & ~np.isnan(values)


def _wanted(condition: Condition) -> tuple[float, ...]:
    """What the field's numbers are compared with: of features, 32-bit floats like the features themselves."""
    field, value = condition.field, condition.value
    numbers = [number_of(field, each) for each in (value if isinstance(value, list) else [value])]
    return tuple(as_float32(number) for number in numbers) if field.is_narrow else tuple(numbers)
