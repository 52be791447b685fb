"""One fold, two ways to run it: event by event on objects, and compiled over sorted arrays. Equal to the bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from purchase_intent.events.names import EventName
from purchase_intent.features import history
from purchase_intent.features.hit import HIT
from purchase_intent.features.live import Journeys
from purchase_intent.features.schema import FEATURES, VECTOR
from purchase_intent.features.state import PAST_LAYOUT, STATE_LAYOUT
from tests.unit.features.streams import (
    GAPS,
    KEYS,
    KINDS,
    NOON,
    PAGES,
    Act,
    Sent,
    Shop,
    arrange,
    deal,
    folded_through_bytes,
    live,
    logs,
    people_of,
    replay,
)

TALKATIVE = (EventName.VIEW, EventName.CART, EventName.CHECKOUT, EventName.PURCHASE, EventName.LOGIN, *KINDS)


def long_log(seed: int, events: int = 4000) -> list[Sent]:
    """More events, sessions and logins than Hypothesis would draw: rings turn over, lists fill up."""
    chance = np.random.default_rng(seed)

    def pick(values: tuple[Any, ...]) -> Any:
        return values[int(chance.integers(len(values)))]

    acts: list[Act] = [
        (
            int(chance.integers(3)),
            min(int(chance.exponential(12)), 60),
            int(chance.integers(3)) if chance.random() < 0.05 else None,
            pick(GAPS),
            pick(TALKATIVE),
            pick(PAGES),
            pick(KEYS),
        )
        for _ in range(events)
    ]
    return deal(acts, pick)


@given(logs())
@settings(max_examples=200, deadline=None)
def test_the_same_vectors_whatever_the_stream(log: list[Sent]) -> None:
    assert replay(log) == live(log)


@given(logs(most=30))
@settings(max_examples=50, deadline=None)
def test_the_same_vectors_when_every_record_is_stored_between_events(log: list[Sent]) -> None:
    assert folded_through_bytes(log) == live(log)


@pytest.mark.parametrize("seed", range(4))
def test_the_same_vectors_and_the_same_records_over_a_long_stream(seed: int) -> None:
    log = long_log(seed)
    given_ = arrange(log)
    assert {int(number) for number in given_.person} == {0, 1, 2}
    journeys = Journeys()
    for hit, visitor, session in zip(given_.hits, given_.visitor, given_.session, strict=True):
        sent = log[0].hit.__class__(*hit.item())
        journeys.observe(sent, visitor=str(visitor), session=str(session))
    run, *_ = history._compiled()
    tables = history._tables(sessions=len(journeys.tables.states), visitors=len(journeys.tables.pasts))
    out = np.zeros((len(log), len(FEATURES)), np.float32)
    run(tables, given_.hits, given_.visitor, given_.session, out.view(VECTOR).reshape(-1))

    assert [row.tobytes() for row in np.asarray(tables.states)] == list(map(STATE_LAYOUT.dumps, journeys.tables.states))
    assert [row.tobytes() for row in np.asarray(tables.seen)] == list(map(PAST_LAYOUT.dumps, journeys.tables.seen))
    assert [row.tobytes() for row in np.asarray(tables.pasts)] == list(map(PAST_LAYOUT.dumps, journeys.tables.pasts))
    assert list(tables.owner) == journeys.tables.owner
    assert list(tables.head) == journeys.tables.head
    assert list(tables.link) == journeys.tables.link
    assert replay(log) == live(log)
    assert np.isfinite(out).all()


@given(logs())
@settings(max_examples=100, deadline=None)
def test_later_events_change_no_earlier_vector(log: list[Sent]) -> None:
    """Cut at any moment, with sessions, persons and slots worked out anew from what was known then."""
    whole = replay(log)
    for moment in {sent.hit.time for sent in log}:
        cut = [sent for sent in log if sent.hit.time <= moment]
        assert replay(cut) == {sent.row: whole[sent.row] for sent in cut}


def test_a_login_tells_nothing_to_what_came_before_it() -> None:
    log = long_log(7, events=900)
    whole = replay(log)
    persons = set()
    for moment in np.quantile([sent.hit.time for sent in log], [0.1, 0.3, 0.5, 0.7, 0.9]):
        cut = [sent for sent in log if sent.hit.time <= moment]
        persons.add(len(set(people_of(cut).values())))
        assert replay(cut) == {sent.row: whole[sent.row] for sent in cut}
    assert len(persons) > 1, "the cuts should see visitors that only a later login connects"


@given(logs())
@settings(max_examples=50, deadline=None)
def test_batches_cut_between_persons_give_the_same_bytes(log: list[Sent]) -> None:
    given_ = arrange(log)
    whole = history.replay(given_.hits, given_.visitor, given_.session)
    parts = [
        history.replay(given_.hits[mine], renumbered(given_.visitor[mine]), renumbered(given_.session[mine]))
        for person in np.unique(given_.person)
        for mine in [given_.person == person]
    ]
    assert np.concatenate(parts).tobytes() == whole.tobytes()


def renumbered(slots: np.ndarray[Any, np.dtype[np.int64]]) -> np.ndarray[Any, np.dtype[np.int64]]:
    numbers: np.ndarray[Any, np.dtype[np.int64]] = np.unique(slots, return_inverse=True)[1].astype(np.int64)
    return numbers


def test_a_negative_zero_price_is_a_price_of_nothing() -> None:
    shop = Shop()
    for at, price in enumerate((-0.0, 0.0, 3.0, -0.0)):
        shop.send("ann", "s", EventName.CART, at, product=1 + at % 2, price=price)
        shop.send("ann", "s", EventName.REMOVE_FROM_CART, at, product=1 + at % 2, price=price)
    shop.agrees()


def test_a_buffer_is_filled_and_returned_in_the_size_of_the_events() -> None:
    log = long_log(3, events=50)
    given_ = arrange(log)
    buffer = np.full((80, len(FEATURES)), 7, np.float32)
    out = history.replay(given_.hits, given_.visitor, given_.session, buffer)
    assert out.shape == (50, len(FEATURES))
    assert np.shares_memory(out, buffer)
    assert (buffer[50:] == 7).all()
    assert out.tobytes() == history.replay(given_.hits, given_.visitor, given_.session).tobytes()


def test_no_events_give_no_vectors() -> None:
    nothing = np.zeros(0, np.int64)
    assert history.replay(np.zeros(0, HIT), nothing, nothing).shape == (0, len(FEATURES))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        pytest.param({"visitor": np.zeros(1, np.int64)}, "one visitor and one session", id="too few visitors"),
        pytest.param({"session": np.zeros(3, np.int64)}, "one visitor and one session", id="too many sessions"),
        pytest.param({"session": np.array([0, -1])}, "from 0", id="a negative slot"),
        pytest.param({"visitor": np.array([-5, 0])}, "from 0", id="a negative visitor"),
        pytest.param({"hits": np.zeros(2, np.float64)}, "dtype HIT", id="other rows"),
        pytest.param({"out": np.zeros((1, len(FEATURES)), np.float32)}, "float32", id="a short buffer"),
        pytest.param({"out": np.zeros((2, 3), np.float32)}, "float32", id="a narrow buffer"),
        pytest.param({"out": np.zeros((2, len(FEATURES)))}, "float32", id="a buffer of another type"),
        pytest.param({"out": np.zeros((len(FEATURES), 2), np.float32).T}, "float32", id="a buffer by columns"),
    ],
)
def test_arrays_that_do_not_fit_are_refused_before_compiled_code_reads_them(
    spoil: dict[str, Any], message: str
) -> None:
    hits = np.zeros(2, HIT)
    hits["time"] = NOON
    given_: dict[str, Any] = {"hits": hits, "visitor": np.zeros(2, np.int64), "session": np.zeros(2, np.int64), **spoil}
    with pytest.raises(ValueError, match=message):
        history.replay(**given_)
    assert not given_.get("out", np.zeros(1)).any()
