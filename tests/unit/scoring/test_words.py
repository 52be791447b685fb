"""Reasons in words: every feature has its say, nothing is lost, and the sentences are ones a merchandiser would use."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from purchase_intent.adapters import Shop as Adapter
from purchase_intent.events.names import EventName, Page
from purchase_intent.features.live import Journeys, read_vector
from purchase_intent.features.state import Past, State
from purchase_intent.models import Session
from purchase_intent.scoring.answer import Reason
from purchase_intent.scoring.words import THEMES, WORTH_SAYING, reasons_of
from purchase_intent.scoring.words.amounts import count, money, span, times
from tests.unit.features.streams import NOON, Sent, Shop, logs
from tests.unit.scoring.telling import DAY, NAMES, only, told


class Euro(Adapter):
    """A shop that names its currency."""

    currency = "EUR"


def texts(effects: dict[str, float], session: Session) -> list[str]:
    state, past = State(device=7, channel=8, country=9), Past()
    row = read_vector(state, past, NOON)
    return [reason.text for reason in reasons_of(only(effects), state, past, row, most=9, session=session)]


def test_every_feature_belongs_to_exactly_one_theme() -> None:
    said = [name for theme in THEMES for name in theme.sayings]
    assert sorted(said) == sorted(NAMES)
    assert len({theme.name for theme in THEMES}) == len(THEMES)


@st.composite
def lived(draw: st.DrawFn) -> tuple[State, Past, int]:
    """A session of a random log, its visitor's past, and a moment at or after its latest event."""
    log: list[Sent] = draw(logs(most=25))
    journeys = Journeys()
    for sent in sorted(log, key=lambda sent: (sent.hit.time, sent.row)):
        journeys.observe(sent.hit, visitor=sent.visitor, session=sent.session)
    slot = journeys.sessions[draw(st.sampled_from([sent.session for sent in log]))]
    state, past = journeys.tables.states[slot], journeys.tables.seen[slot]
    return state, past, state.last + draw(st.sampled_from((0, 1, 14_000, 3_600_000, 90_000_000_000)))


def hashes(state: State) -> list[str]:
    keys = (state.device, state.channel, state.country, state.category, state.brand, state.product)
    return [str(key) for key in keys if abs(key) > 20]


@given(lived(), st.lists(st.floats(-3, 3), min_size=len(NAMES), max_size=len(NAMES)))
def test_whatever_happened_the_sentences_are_sound_and_add_up(
    given_: tuple[State, Past, int], effects: list[float]
) -> None:
    state, past, now = given_
    row = read_vector(state, past, now)
    found = reasons_of(np.array(effects), state, past, row, most=len(NAMES))
    for reason in found:
        sound(reason, state)
    assert len({reason.text for reason in found}) == len(found)
    said = {name for reason in found for name in reason.features}
    assert len(said) == sum(len(reason.features) for reason in found)
    assert sum(reason.effect for reason in found) == pytest.approx(
        sum(effects[NAMES.index(name)] for name in said), abs=1e-9
    )
    assert [abs(reason.effect) for reason in found] == sorted((abs(reason.effect) for reason in found), reverse=True)


@given(lived(), st.sampled_from(NAMES), st.sampled_from((1.0, -1.0)))
def test_each_feature_alone_has_a_sentence_both_ways(given_: tuple[State, Past, int], name: str, effect: float) -> None:
    state, past, now = given_
    (reason,) = reasons_of(only({name: effect}), state, past, read_vector(state, past, now), most=3)
    sound(reason, state)
    assert (reason.effect, reason.features) == (effect, (name,))


def sound(reason: Reason, state: State) -> None:
    text = reason.text
    assert text == text.strip()
    assert text[0].isupper()
    assert text[-1] not in ".!?:"
    assert len(text) < 110
    assert "  " not in text
    wrong = (
        r"\bnan\b|\binf\b|-1|\b0\b|%|\(s\)|e\+|\d\.\d|\bone (minutes|hours|days|months|years|things|products|steps)\b"
    )
    assert not re.search(rf"{wrong}|\bcart\b|\bNone\b|\ba a\b|about a few|about about", text), text
    assert [key for key in hashes(state) if key in text] == []


def test_the_basket_visited_again() -> None:
    shop = Shop()
    shop.send("v", "s", EventName.PAGE_VIEW, 0, page=Page.HOME)
    for at in (60, 300, 660):
        shop.send("v", "s", EventName.VIEW_CART, at, page=Page.BASKET)
    assert told(shop, "s", {"basket_visits": 0.5, "since_first_basket": 0.2}) == [
        "Came back to the basket twice in ten minutes"
    ]
    assert told(shop, "s", {"since_last_basket": -0.5}, later=120) == ["Last looked into the basket two minutes ago"]


def bought_twice() -> Shop:
    shop = Shop()
    for day, session in ((0, "a"), (3, "b")):
        shop.send("v", session, EventName.VIEW, day * DAY, page=Page.PRODUCT, product=7, price=40.0)
        shop.send("v", session, EventName.PURCHASE, day * DAY + 60, product=7, price=40.0, page=Page.CONFIRMATION)
    shop.send("v", "now", EventName.VIEW, 15 * DAY, page=Page.PRODUCT, product=8, price=118.0)
    return shop


@pytest.mark.parametrize(
    ("effects", "texts"),
    [
        pytest.param({"past_purchases": 1}, ["Bought here twice before, last 12 days ago"], id="orders"),
        pytest.param({"past_conversion": 1}, ["Bought on every earlier visit"], id="conversion"),
        pytest.param({"past_sessions": 1, "past_events": 0.5}, ["Has been here twice before"], id="visits"),
        pytest.param({"since_last_session": -1}, ["Was last here 12 days before this visit"], id="last visit"),
        pytest.param({"since_second_session": 1}, ["The visit before the last was 15 days ago"], id="second visit"),
        pytest.param({"since_fourth_session": 1}, ["Has been here twice before"], id="no fourth visit"),
        pytest.param({"past_last_stage": 1}, ["Bought on the last visit"], id="last stage"),
        pytest.param({"past_mean_moments": 1}, ["Usually took two steps on an earlier visit"], id="habit"),
        pytest.param({"product_known": -1}, ["Had not met the latest product on an earlier visit"], id="new product"),
        pytest.param({"moments": -1}, ["Has only just arrived"], id="arrived"),
        pytest.param({"price": 1}, ["The latest product costs about 120 EUR"], id="price"),
        pytest.param({"views": -1}, ["Has opened only one product page"], id="one view"),
        pytest.param({"carts": -1}, ["Has put nothing into the basket yet"], id="no cart"),
        pytest.param({"past_left": 1}, ["Left no basket or checkout behind before"], id="nothing left"),
        pytest.param(
            {"stage": -0.5, "carts": -0.25, "hour": 0.01, "removals": -0.25},
            ["Has put nothing into the basket yet", "Has come no further than products"],
            id="one cause of two themes, and what is not worth saying",
        ),
    ],
)
def test_a_customer_who_returns(effects: dict[str, float], texts: list[str], settings: Settings) -> None:
    settings.PURCHASE_INTENT = {"SHOP": "tests.unit.scoring.test_words.Euro"}
    assert told(bought_twice(), "now", effects) == texts


def test_a_single_earlier_visit_makes_no_habit() -> None:
    shop = Shop()
    for session, start in (("a", 0.0), ("b", DAY)):
        for step in range(3):
            shop.send("v", session, EventName.PAGE_VIEW, start + 20 * step, page=Page.HOME)
    assert told(shop, "b", {"past_mean_moments": 0.5, "past_last_moments": 0.25}) == [
        "Took three steps on the last visit"
    ]
    assert told(shop, "b", {"past_mean_duration": 0.5}) == ["Stayed for half a minute on the last visit"]


def test_one_product_looked_at_for_long() -> None:
    shop = Shop()
    shop.send("v", "s", EventName.VIEW, 0, page=Page.PRODUCT, product=7)
    shop.send("v", "s", EventName.INTERACTION, 90, page=Page.PRODUCT)
    assert told(shop, "s", {"product_dwell": 0.4}) == ["Has looked at one product for a minute and a half"]
    assert told(shop, "s", {"kind": 0.4}) == ["Latest step: clicked on a detail of the page"]


def test_a_new_visitors_past_is_one_cause() -> None:
    shop = Shop()
    shop.send("v", "s", EventName.PAGE_VIEW, 0, page=Page.HOME)
    slot = shop.journeys.sessions["s"]
    state, past = shop.journeys.tables.states[slot], shop.journeys.tables.seen[slot]
    effects = only({"past_sessions": -0.25, "since_left": -0.125, "past_mean_price": -0.5, "hour": 0.0625})
    assert reasons_of(effects, state, past, read_vector(state, past, NOON), most=1) == (
        Reason(
            text="No earlier visit is known",
            effect=-0.875,
            features=("past_mean_price", "past_sessions", "since_left"),
        ),
    )


def test_nothing_is_said_where_nothing_is_asked_or_worth_saying() -> None:
    row = read_vector(State(), Past(), NOON)
    assert reasons_of(only({"hour": 1.0}), State(), Past(), row, most=0) == ()
    assert reasons_of(only({"hour": WORTH_SAYING * 0.99}), State(), Past(), row, most=5) == ()
    assert len(reasons_of(only({"hour": -WORTH_SAYING}), State(), Past(), row, most=5)) == 1


@pytest.mark.parametrize(
    ("fields", "effects", "text"),
    [
        pytest.param(
            {"channel": "social"},
            {"channel": -1},
            "Came from social media: such visits seldom end in an order",
            id="channel",
        ),
        pytest.param(
            {"channel": "spring_sale"},
            {"channel": 1},
            "Came from spring sale: such visits end in an order more often",
            id="channel of the host's own",
        ),
        pytest.param(
            {"device": "Mobile"}, {"device": -1}, "Shops on a phone: such visits seldom end in an order", id="device"
        ),
        pytest.param(
            {}, {"device": -1}, "Shops on a device of this kind: such visits seldom end in an order", id="key"
        ),
        pytest.param(
            {"country": "x" * 500},
            {"country": 1},
            f"Comes from {'x' * 40}: such visits end in an order more often",
            id="a long name is cut",
        ),
    ],
)
def test_a_session_gives_names(fields: dict[str, str], effects: dict[str, float], text: str) -> None:
    assert texts(effects, Session(**fields)) == [text]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "a few seconds"),
        (14.9, "a few seconds"),
        (15, "half a minute"),
        (45, "a minute"),
        (75, "a minute and a half"),
        (105, "two minutes"),
        (20 * 60, "20 minutes"),
        (38 * 60, "40 minutes"),
        (55 * 60, "an hour"),
        (90 * 60, "two hours"),
        (22 * 3600, "a day"),
        (1.5 * DAY, "two days"),
        (45.9 * DAY, "46 days"),
        (46 * DAY, "two months"),
        (669 * DAY, "22 months"),
        (670 * DAY, "two years"),
        (1e11, "3,169 years"),
    ],
)
def test_a_span_is_told_as_people_tell_it(seconds: float, text: str) -> None:
    assert span(seconds) == text


@pytest.mark.parametrize(
    ("number", "often", "many"),
    [
        (1, "once", "one"),
        (2, "twice", "two"),
        (3, "three times", "three"),
        (20, "20 times", "20"),
        (123, "about 120 times", "about 120"),
        (2**40, "about 1,100,000,000,000 times", "about 1,100,000,000,000"),
    ],
)
def test_counts_are_told_to_two_figures(number: float, often: str, many: str) -> None:
    assert (times(number), count(number)) == (often, many)


@pytest.mark.parametrize(
    ("amount", "text"),
    [(0.01, "less than 1"), (1, "about 1"), (9.99, "about 10"), (1499.5, "about 1,500"), (1e9, "about 1,000,000,000")],
)
def test_money_is_told_to_two_figures_without_a_currency(amount: float, text: str, settings: Settings) -> None:
    settings.PURCHASE_INTENT = {}
    assert money(amount) == text
