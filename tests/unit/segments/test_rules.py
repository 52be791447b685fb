"""Rules: what is accepted and in which form it is kept, and what is refused with which words."""

from __future__ import annotations

from typing import Any

import pytest

from purchase_intent.exceptions import SegmentRefused
from purchase_intent.features.schema import FEATURES
from purchase_intent.segments.fields import FIELDS
from purchase_intent.segments.presets import PRESETS
from purchase_intent.segments.rules import MOST_CONDITIONS, Rule, conditions_of, operators_of
from purchase_intent.segments.values import spelled

STAGES = "use none, browsing, product, cart, checkout, bought"


def rule(*conditions: tuple[object, object, object], match: object = "all") -> dict[str, Any]:
    rows = [{"field": field, "operator": operator, "value": value} for field, operator, value in conditions]
    return {"match": match, "conditions": rows}


@pytest.mark.parametrize(
    ("field", "operator", "given", "kept", "shown"),
    [
        pytest.param("visits", ">=", "2", 2.0, "2", id="a number as text"),
        pytest.param("visits", ">=", 2, 2.0, "2", id="a number"),
        pytest.param("score", ">=", "80%", 0.8, "80%", id="per cent"),
        pytest.param("score", "<", ".8", None, "", id="no digit before the point"),
        pytest.param("since_order", "<", "30 days", 2_592_000.0, "30 days", id="days"),
        pytest.param("since_order", "<", "1 week", 604_800.0, "7 days", id="a week"),
        pytest.param("duration", "<", "90", 90.0, "90 seconds", id="seconds"),
        pytest.param("duration", "<", "2 h", 7_200.0, "2 hours", id="hours"),
        pytest.param("weekend", "=", True, "yes", "yes", id="yes as JSON"),
        pytest.param("weekend", "=", "Yes", "yes", "yes", id="yes as text"),
        pytest.param("stage", ">=", "Cart", "cart", "cart", id="a stage"),
        pytest.param("band", ">=", "top_5", "top_5", "top_5", id="a band"),
        pytest.param("page", "in", "basket, sign in", ["basket", "sign_in"], "basket, sign_in", id="pages"),
        pytest.param(
            "device", "in", ["mobile", "tablet", "mobile"], ["mobile", "tablet"], "mobile, tablet", id="texts"
        ),
        pytest.param("device", "=", " mobile ", "mobile", "mobile", id="a text"),
    ],
)
def test_a_value_is_kept_in_one_form(field: str, operator: str, given: object, kept: object, shown: str) -> None:
    if kept is None:
        with pytest.raises(SegmentRefused, match=r"“\.8” is no number, as in 0\.8 or 80%"):
            Rule.from_json(rule((field, operator, given)))
        return
    found = Rule.from_json(rule((field, operator, given)))
    assert found.to_json() == rule((field, operator, kept))
    assert spelled(FIELDS[field], found.conditions[0].value) == shown
    assert Rule.from_json(found.to_json()) == found
    again = Rule.from_json(rule((field, operator, shown)))
    assert again == found


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        pytest.param(
            ("scor", ">=", 1), "condition 1, field: there is no field “scor”: the nearest is score", id="near"
        ),
        pytest.param(
            ("zzzz", ">=", 1), "condition 1, field: there is no field “zzzz”: choose one of the list", id="far"
        ),
        pytest.param((None, ">=", 1), "condition 1, field: choose a field", id="no field"),
        pytest.param(
            ("visits", "in", 1),
            "condition 1, operator: “in” does not fit visits: use one of >= (is at least), > (is more than), <= "
            "(is at most), < (is less than), = (is), != (is not)",
            id="no such operator for numbers",
        ),
        pytest.param(
            ("device", ">", "x"),
            "condition 1, operator: “>” does not fit device: use one of = (is), != (is not), in (is one of), not in "
            "(is none of)",
            id="texts have no order",
        ),
        pytest.param(
            ("visits", "", 1),
            "condition 1, operator: “” does not fit visits: use one of >= (is at least), > (is more than), <= "
            "(is at most), < (is less than), = (is), != (is not)",
            id="no operator",
        ),
        pytest.param(("visits", ">", "many"), "condition 1, value: “many” is no number", id="a word for a number"),
        pytest.param(("visits", ">", ""), "condition 1, value: the value is empty: give a number", id="no number"),
        pytest.param(
            ("visits", ">", True), "condition 1, value: a number is needed, not yes or no", id="a truth value"
        ),
        pytest.param(("visits", ">", None), "condition 1, value: a number is needed, not nothing", id="null"),
        pytest.param(("visits", ">", [1]), "condition 1, value: a number is needed, not a list", id="a list"),
        pytest.param(("visits", ">", float("nan")), "condition 1, value: the number is too large", id="NaN"),
        pytest.param(("visits", ">", 1e300), "condition 1, value: the number is too large", id="huge"),
        pytest.param(
            ("visits", ">", "3 days"),
            "condition 1, value: “days” does not fit: this is a plain number",
            id="days of a count",
        ),
        pytest.param(
            ("score", ">", 80), "condition 1, value: 80 is out of range: from 0 to 1, as in 0.8 or 80%", id="80 for 80%"
        ),
        pytest.param(("hour", ">", 25), "condition 1, value: 25 is out of range: from 0 to 24", id="hour 25"),
        pytest.param(
            ("stage", ">", "till"), f"condition 1, value: “till” is none of its names: {STAGES}", id="no stage"
        ),
        pytest.param(
            ("stage", ">", 3), f"condition 1, value: a name is needed, not a number: {STAGES}", id="a stage's number"
        ),
        pytest.param(
            ("device", "=", " "), "condition 1, value: the value is empty: give its text, such as mobile", id="no text"
        ),
        pytest.param(
            ("device", "in", " , "),
            "condition 1, value: the value is empty: give its text, such as mobile",
            id="no texts",
        ),
        pytest.param(("device", "in", 3), "condition 1, value: a list of names is needed, not a number", id="no list"),
        pytest.param(
            ("device", "in", [f"d{n}" for n in range(51)]),
            "condition 1, value: 51 names are too many: give at most 50",
            id="too many names",
        ),
    ],
)
def test_a_condition_that_is_not_fit_is_refused_with_the_remedy(condition: Any, words: str) -> None:
    with pytest.raises(SegmentRefused) as refused:
        Rule.from_json(rule(condition))
    assert refused.value.message == words


@pytest.mark.parametrize(
    ("data", "words"),
    [
        pytest.param(rule(), "a segment needs at least one condition: without one it is everybody", id="empty"),
        pytest.param(
            rule(("visits", "=", 1), match="some"),
            "say whether all conditions have to hold, or any: 'all' or 'any'",
            id="neither all nor any",
        ),
        pytest.param(
            rule(*[("visits", "=", 1)] * (MOST_CONDITIONS + 1)),
            "21 conditions are too many: use at most 20",
            id="too many",
        ),
        pytest.param(
            None,
            "say whether all conditions have to hold, or any: 'all' or 'any'; "
            "a segment needs at least one condition: without one it is everybody",
            id="no rule at all",
        ),
        pytest.param(
            {"match": "all", "conditions": ["visits"]}, "condition 1, field: choose a field", id="no condition"
        ),
    ],
)
def test_a_rule_that_is_not_fit_is_refused(data: object, words: str) -> None:
    with pytest.raises(SegmentRefused) as refused:
        Rule.from_json(data)
    assert refused.value.message == words


def test_every_fault_is_named_at_once() -> None:
    found, faults = conditions_of([{"field": "nix"}, {"field": "visits", "operator": ">", "value": "x"}], match="all")
    assert found == ()
    assert [(fault.place, fault.part) for fault in faults] == [(0, "field"), (1, "value")]


def test_a_rule_reads_as_a_sentence() -> None:
    found = Rule.from_json(rule(("orders", ">=", 1), ("device", "in", "mobile, tablet"), match="any"))
    assert str(found) == "Orders so far is at least 1 or Kind of device is one of mobile, tablet"


def test_every_feature_but_the_packed_one_is_a_field() -> None:
    assert {feature.name for feature in FEATURES} - FIELDS.keys() == {"trail"}
    assert all(operators_of(field) for field in FIELDS.values())


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.key)
def test_what_is_built_in_is_sound_and_in_the_kept_form(preset: Any) -> None:
    assert Rule.from_json(preset.rule).to_json() == preset.rule
    assert preset.about
    assert preset.action
