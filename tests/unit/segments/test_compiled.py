"""A rule of one visit and of many people at once: what it says, and that both say the same."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from purchase_intent.events import key_hash
from purchase_intent.features.columns import unpacked, vectors
from purchase_intent.features.past import copy_past
from purchase_intent.features.state import PAST_LAYOUT, STATE_LAYOUT, Past, State
from purchase_intent.models import Visitor
from purchase_intent.scoring.answer import UNKNOWN as NO_ANSWER
from purchase_intent.scoring.answer import Intent, Standing
from purchase_intent.segments.compiled import compiled
from purchase_intent.segments.fields import FIELDS
from purchase_intent.segments.rules import Rule
from purchase_intent.segments.subject import RANKS, People, Subject

SATURDAY_19 = int(datetime(2026, 2, 28, 18, tzinfo=UTC).timestamp() * 1000)
"""Seven in the evening in Berlin."""
DAY = 86_400_000
TUESDAY_9 = SATURDAY_19 - 4 * DAY - 10 * 3_600_000


def asked(
    intent: Intent = NO_ANSWER, visitor: Visitor | None = None, *, now: int = 0, past: Any = None, **state: Any
) -> Subject:
    told = {"start": SATURDAY_19, "last": SATURDAY_19 + 60_000, "events": 3} | state
    made = State(**told)
    return Subject(made, past or Past(), now or made.last, intent=lambda: intent, visitor=visitor)


def holds(subject: Subject, field: str, operator: str, value: object, match: str = "all") -> bool:
    data = {"match": match, "conditions": [{"field": field, "operator": operator, "value": value}]}
    return compiled(Rule.from_json(data)).holds(subject)


@pytest.mark.parametrize(
    ("subject", "condition", "expected"),
    [
        pytest.param(asked(), ("visits", "=", 1), True, id="the first visit is one"),
        pytest.param(asked(past=Past(sessions=2)), ("visits", "=", 3), True, id="two before it"),
        pytest.param(
            asked(purchases=1, past=Past(purchases=2)), ("orders", "=", 3), True, id="orders of this visit too"
        ),
        pytest.param(asked(past=Past(left_units=2)), ("left_units", ">=", 1), True, id="a basket left before"),
        pytest.param(asked(past=Past(left_units=2), purchases=1), ("left_units", ">=", 1), False, id="bought since"),
        pytest.param(asked(cart_units=3), ("left_units", ">=", 1), False, id="a basket in hand is not left"),
        pytest.param(asked(), ("weekend_share", ">", "50%"), True, id="begun on Saturday"),
        pytest.param(
            asked(past=Past(starts=[TUESDAY_9, 0, 0, 0])), ("weekend_share", ">", 0.5), False, id="one of two"
        ),
        pytest.param(
            asked(past=Past(starts=[SATURDAY_19 - 7 * DAY, TUESDAY_9, 0, 0])),
            ("weekend_share", ">", 0.5),
            True,
            id="two of three",
        ),
        pytest.param(
            asked(past=Past(starts=[TUESDAY_9] * 3 + [SATURDAY_19])),
            ("evening_share", "=", 0.25),
            True,
            id="of four visits, the fifth left out",
        ),
        pytest.param(asked(), ("since_order", "<", "1 day"), False, id="no order is not a recent one"),
        pytest.param(asked(), ("since_order", "!=", 5), False, id="of what is not known nothing holds"),
        pytest.param(asked(), ("since_last_cart", "<", 60), False, id="-1 is no short time"),
        pytest.param(asked(last_cart=SATURDAY_19), ("since_last_cart", "<=", 60), True, id="a minute ago"),
        pytest.param(
            asked(Intent(standing=Standing.SCORED, probability=0.9, band="top_1")),
            ("score", ">=", "80%"),
            True,
            id="a score",
        ),
        pytest.param(asked(), ("score", "<", 1), False, id="no score"),
        pytest.param(
            asked(Intent(standing=Standing.SCORED, probability=0.9, band="top_1")),
            ("band", ">=", "top_5"),
            True,
            id="a better band",
        ),
        pytest.param(
            asked(Intent(standing=Standing.SCORED, probability=0.1, band="top_20")),
            ("band", ">=", "top_5"),
            False,
            id="a lower band",
        ),
        pytest.param(
            asked(Intent(standing=Standing.SCORED, probability=0.1)), ("band", "=", "none"), True, id="below all bands"
        ),
        pytest.param(asked(visitor=Visitor(churn=0.7)), ("churn", ">", 0.5), True, id="nightly scores"),
        pytest.param(asked(), ("churn", ">", 0.5), False, id="nobody has scored it"),
        pytest.param(
            asked(visitor=Visitor(score=0.3, band="top_1")),
            ("customer_band", "=", "top_1"),
            True,
            id="the customer's band",
        ),
        pytest.param(
            asked(visitor=Visitor(band="")), ("customer_band", "=", "none"), False, id="a customer not scored"
        ),
        pytest.param(asked(device=key_hash("mobile")), ("device", "=", "mobile"), True, id="a text"),
        pytest.param(
            asked(device=key_hash("mobile")), ("device", "not in", "tablet, desktop"), True, id="none of these"
        ),
        pytest.param(asked(stage=3), ("stage", "<", "checkout"), True, id="a stage before"),
        pytest.param(asked(price=19.99), ("price", ">=", 19.99), True, id="a price that no 32-bit float holds"),
        pytest.param(asked(price=19.99), ("price", "=", "19.99"), True, id="equal to it"),
    ],
)
def test_a_condition_of_a_visit(subject: Subject, condition: tuple[str, str, object], expected: bool) -> None:
    assert holds(subject, *condition) is expected


@pytest.mark.parametrize(
    ("match", "values", "expected"),
    [
        ("all", (1, 0), True),
        ("all", (1, 5), False),
        ("any", (7, 5), False),
        ("any", (7, 0), True),
    ],
)
def test_all_or_any(match: str, values: tuple[int, int], expected: bool) -> None:
    rows = [
        {"field": name, "operator": "=", "value": value}
        for name, value in zip(("visits", "orders"), values, strict=True)
    ]
    assert compiled(Rule.from_json({"match": match, "conditions": rows})).holds(asked()) is expected


def test_a_score_is_asked_for_once_and_only_where_a_condition_needs_it() -> None:
    calls: list[int] = []

    def answer() -> Intent:
        calls.append(1)
        return Intent(standing=Standing.SCORED, probability=0.9, band="top_1")

    subject = Subject(State(start=SATURDAY_19, events=1), Past(), SATURDAY_19, intent=answer)
    assert holds(subject, "visits", "=", 1)
    assert calls == []
    assert holds(subject, "score", ">", 0.5)
    assert holds(subject, "band", ">=", "top_5")
    assert calls == [1]


MOMENTS = st.integers(SATURDAY_19 - 90 * DAY, SATURDAY_19 + DAY)


@st.composite
def visits(draw: st.DrawFn) -> tuple[State, Past]:
    start = draw(MOMENTS)
    state = State(
        start=start,
        last=start + draw(st.integers(0, 3_600_000)),
        events=draw(st.integers(1, 40)),
        stage=draw(st.integers(0, 5)),
        hour=draw(st.integers(0, 23)),
        weekday=draw(st.integers(0, 6)),
        device=key_hash(draw(st.sampled_from(["", "mobile", "desktop"]))),
        price=draw(st.floats(0, 500)),
        cart_units=draw(st.integers(0, 3)),
        last_cart=draw(st.sampled_from([0, start])),
    )
    past = Past(
        sessions=draw(st.integers(0, 5)),
        purchases=draw(st.integers(0, 2)),
        left_units=draw(st.integers(0, 2)),
        first_seen=draw(st.sampled_from([0, start - 40 * DAY])),
        last_seen=draw(st.sampled_from([0, start - DAY])),
        last_purchase=draw(st.sampled_from([0, start - 3 * DAY])),
        starts=[draw(st.sampled_from([0, start - DAY])), 0, 0, 0],
    )
    return state, past


def people(pairs: list[tuple[State, Past]], scores: list[float | None]) -> People:
    """Between two visits: each one's visit has ended and is told to the past."""
    states = unpacked(STATE_LAYOUT, (STATE_LAYOUT.dumps(state) for state, _ in pairs))
    pasts = unpacked(PAST_LAYOUT, (PAST_LAYOUT.dumps(past) for _, past in pairs))
    told = []
    for state, past in pairs:
        copied = Past()
        copy_past(copied, past)
        copied.sessions += 1
        copied.starts = [state.start, *past.starts[:3]]
        copied.first_seen = past.first_seen or state.start
        told.append(PAST_LAYOUT.dumps(copied))
    column = np.array([np.nan if score is None else score for score in scores])
    names = ("customer_score", "churn", "revenue_28d", "value_12m", "score")
    return People(
        keys=np.arange(len(pairs)),
        matrix=vectors(states, pasts, states["last"].copy()),
        told=unpacked(PAST_LAYOUT, told),
        now=max(state.last for state, _ in pairs),
        scores=dict.fromkeys(names, column) | {"band": np.where(np.isnan(column), np.nan, RANKS["top_5"])},
        manners=(("", "", ""),) * len(pairs),
    )


CONDITIONS = st.sampled_from(
    [
        ("visits", ">=", 2),
        ("orders", "=", 0),
        ("weekend_share", ">", 0.5),
        ("evening_share", "<=", 0.5),
        ("left_units", ">=", 1),
        ("score", ">=", 0.3),
        ("score", "!=", 0.3),
        ("band", ">=", "top_5"),
        ("churn", "<", 0.5),
        ("hour", ">=", 18),
        ("weekend", "=", "yes"),
        ("stage", ">=", "cart"),
        ("stage", "in", "cart, bought"),
        ("stage", "not in", "cart, bought"),
        ("device", "=", "mobile"),
        ("device", "not in", "mobile"),
        ("price", ">=", 19.99),
        ("since_last_cart", "<", 600),
        ("since_last_cart", "!=", 0),
        ("cart_units", "<", 2),
    ]
)


@given(
    st.lists(visits(), min_size=1, max_size=6),
    st.lists(CONDITIONS, min_size=1, max_size=4),
    st.sampled_from(["all", "any"]),
    st.data(),
)
def test_live_and_at_night_say_the_same_of_the_same_visits(
    pairs: list[tuple[State, Past]], conditions: list[tuple[str, str, Any]], match: str, data: st.DataObject
) -> None:
    scores = [data.draw(st.sampled_from([None, 0.3, 0.7])) for _ in pairs]
    rows = [{"field": field, "operator": operator, "value": value} for field, operator, value in conditions]
    ready = compiled(Rule.from_json({"match": match, "conditions": rows}))
    live = []
    for (state, past), score in zip(pairs, scores, strict=True):
        standing = Standing.UNKNOWN if score is None else Standing.SCORED
        intent = Intent(standing=standing, probability=score, band="" if score is None else "top_5")
        row = Visitor(score=score, churn=score)
        live.append(ready.holds(Subject(state, past, state.last, intent=lambda found=intent: found, visitor=row)))  # type: ignore[misc]
    assert ready.mask(people(pairs, scores)).tolist() == live


def test_every_field_can_be_read_both_ways() -> None:
    subject = asked(past=Past(sessions=1, starts=[TUESDAY_9, 0, 0, 0]))
    many = people([(subject.state, subject.past)], [0.5])
    many.scores["customer_band"] = np.array([1.0])
    for field in FIELDS.values():
        assert isinstance(float(field.live(subject)), float)
        assert field.column(many).shape == (1,)
        assert field.column(many).dtype == np.float64
