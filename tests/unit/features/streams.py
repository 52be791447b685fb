"""Random streams of events, made the way sources deliver them, and the two ways to fold them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from purchase_intent.events.names import EventName, Page
from purchase_intent.features import history
from purchase_intent.features.hit import HIT, Hit
from purchase_intent.features.live import Journeys, read_row
from purchase_intent.features.schema import FEATURES
from purchase_intent.features.state import Past

NOON = 1_700_000_000_000
NAMES = tuple(item.name for item in fields(Hit))


@dataclass(frozen=True, slots=True)
class Sent:
    """One event as a shop records it: who sent it, in which session, and its place in the log."""

    row: int
    visitor: str
    session: str
    hit: Hit


@dataclass(frozen=True, slots=True)
class Sorted:
    """A log as sources hand it out: by (person, time, row), with dense slots."""

    hits: NDArray[np.void]
    visitor: NDArray[np.int64]
    session: NDArray[np.int64]
    row: NDArray[np.int64]
    person: NDArray[np.int64]


def people_of(log: list[Sent]) -> dict[str, str]:
    """Visitor to person: visitors who share a session are one."""
    person = {sent.visitor: sent.visitor for sent in log}
    first: dict[str, str] = {}
    for sent in log:
        one, other = person[first.setdefault(sent.session, sent.visitor)], person[sent.visitor]
        if one != other:
            person = {visitor: one if name == other else name for visitor, name in person.items()}
    return person


def row_of(hit: Hit) -> tuple[float, ...]:
    return tuple(getattr(hit, name) for name in NAMES)


def arrange(log: list[Sent]) -> Sorted:
    """The log in the order in which history is folded."""
    person = people_of(log)
    numbers = {name: number for number, name in enumerate(dict.fromkeys(person.values()))}
    ordered = sorted(log, key=lambda sent: (numbers[person[sent.visitor]], sent.hit.time, sent.row))
    return Sorted(
        hits=np.array([row_of(sent.hit) for sent in ordered], HIT),
        visitor=dense([sent.visitor for sent in ordered]),
        session=dense([sent.session for sent in ordered]),
        row=np.array([sent.row for sent in ordered], np.int64),
        person=np.array([numbers[person[sent.visitor]] for sent in ordered], np.int64),
    )


def dense(names: list[str]) -> NDArray[np.int64]:
    """Slots from 0 in the order of first appearance."""
    slots = {name: slot for slot, name in enumerate(dict.fromkeys(names))}
    return np.array([slots[name] for name in names], np.int64)


def replay(log: list[Sent]) -> dict[int, bytes]:
    """The compiled fold over the whole log: the vector's bytes by row."""
    given = arrange(log)
    out = history.replay(given.hits, given.visitor, given.session)
    return {int(row): vector.tobytes() for row, vector in zip(given.row, out, strict=True)}


def live(log: list[Sent]) -> dict[int, bytes]:
    """The plain fold, all visitors mixed as they arrive: the vector's bytes by row."""
    journeys, out = Journeys(), {}
    for sent in sorted(log, key=lambda sent: (sent.hit.time, sent.row)):
        journeys.observe(sent.hit, visitor=sent.visitor, session=sent.session)
        out[sent.row] = journeys.row(sent.session, sent.hit.time).tobytes()
    return out


def named(vector: bytes) -> dict[str, float]:
    """The features of a vector by name."""
    values = np.frombuffer(vector, np.float32)
    return {feature.name: float(value) for feature, value in zip(FEATURES, values, strict=True)}


class Shop:
    """A log written event by event in plain words; `told` reads the past of a visitor as the fold holds it."""

    def __init__(self) -> None:
        self.log: list[Sent] = []
        self.journeys = Journeys()

    def send(self, visitor: str, session: str, kind: EventName, at: float, **values: float) -> dict[str, float]:
        """Record an event `at` seconds; the features of its session right after it."""
        page = values.pop("page", Page.OTHER)
        hit = Hit(time=NOON + int(at * 1000), kind=int(kind), page=int(page), **values)  # type: ignore[arg-type]
        self.log.append(Sent(len(self.log), visitor, session, hit))
        self.journeys.observe(hit, visitor=visitor, session=session)
        return named(self.journeys.row(session, hit.time).tobytes())

    def look(self, visitor: str, at: float) -> dict[str, float]:
        """What a new session of the visitor would know, asked on a copy of the shop."""
        copy = Shop()
        for sent in self.log:
            copy.journeys.observe(sent.hit, visitor=sent.visitor, session=sent.session)
        return copy.send(visitor, f"look {at}", EventName.PAGE_VIEW, at)

    def agrees(self) -> None:
        """Hold the compiled fold to what was seen live."""
        assert replay(self.log) == live(self.log)


GAPS = (0, 0, 0, 1, 999, 1000, 60_000, 299_999, 300_000, 300_001, 1_800_000, 1_800_001, 86_400_001, 2_600_000_000)
KINDS = (*map(int, EventName), 0, 16, 99, -1, -(2**40))
PAGES = (*map(int, Page), 14, 15, 16, 99, -1, -(2**40))
PRICES = (0.0, 0.01, 0.1, 0.3, 9.99, 1 / 3, 1499.5, 1e9)
QUANTITIES = (0, 1, 2, 3, 100_000)
KEYS = (0, *range(1, 15), -(2**63), 2**63 - 1)
COUNTS = (0, 1, 7, 1000, 12_345_678, 2**40)


@st.composite
def logs(draw: st.DrawFn, most: int = 60) -> list[Sent]:
    """Up to `most` events of three persons, each with up to three visitors and six sessions, which may mix."""
    count = draw(st.integers(1, most))
    seed = draw(st.integers(0, 2**32 - 1))
    acts = draw(st.lists(_acts(), min_size=count, max_size=count))
    chance = np.random.default_rng(seed)
    return deal(acts, lambda values: values[int(chance.integers(len(values)))])


Act = tuple[int, int, int | None, int, int, int, int]
Pick = Callable[[tuple[float, ...]], float]


def _acts() -> st.SearchStrategy[Act]:
    """Person, session, visitor to go over to, gap, kind, page, product: what shrinking should make simple."""
    return st.tuples(
        st.integers(0, 2),
        st.integers(0, 5),
        st.none() | st.none() | st.integers(0, 2),
        st.sampled_from(GAPS),
        st.sampled_from((EventName.VIEW, EventName.CART, EventName.LOGIN, *KINDS)),
        st.sampled_from(PAGES),
        st.sampled_from(KEYS),
    )


def deal(acts: list[Act], pick: Pick) -> list[Sent]:
    """Make a log of the acts; `pick` draws the values that matter less."""
    log: list[Sent] = []
    clock = [NOON, NOON + 500, NOON + 1_000_000]
    sender: dict[tuple[int, int], int] = {}
    for row, (person, session, visitor, gap, kind, page, product) in enumerate(acts):
        clock[person] += gap
        if visitor is not None:
            sender[person, session] = visitor
        name = f"{person}.{sender.setdefault((person, session), session % 3)}"
        log.append(Sent(row, name, f"{person}:{session}", _hit(clock[person], kind, page, product, pick)))
    return log


def _hit(time: int, kind: int, page: int, product: int, pick: Pick) -> Hit:
    hit = Hit(time=time, kind=int(kind), page=page, product=product)
    hit.price = float(pick(PRICES))
    hit.quantity = int(pick(QUANTITIES))
    hit.hour, hit.weekday = int(pick(tuple(range(24)))), int(pick(tuple(range(7))))
    for name in ("category", "brand", "device", "channel", "country"):
        setattr(hit, name, int(pick(KEYS)))
    for name in NAMES[NAMES.index("product_views") :]:
        setattr(hit, name, int(pick(COUNTS)))
    return hit


def folded_through_bytes(log: list[Sent]) -> dict[int, bytes]:
    """The plain fold with every record packed and unpacked after each event, as a store between requests does."""
    from purchase_intent.features.state import PAST_LAYOUT, STATE_LAYOUT

    journeys, out = Journeys(), {}
    tables = journeys.tables
    for sent in sorted(log, key=lambda sent: (sent.hit.time, sent.row)):
        journeys.observe(sent.hit, visitor=sent.visitor, session=sent.session)
        tables.states[:] = [STATE_LAYOUT.loads(STATE_LAYOUT.dumps(state)) for state in tables.states]
        tables.seen[:] = [PAST_LAYOUT.loads(PAST_LAYOUT.dumps(past)) for past in tables.seen]
        tables.pasts[:] = [PAST_LAYOUT.loads(PAST_LAYOUT.dumps(past)) for past in tables.pasts]
        slot = journeys.sessions[sent.session]
        out[sent.row] = read_row(tables.states[slot], tables.seen[slot], sent.hit.time).tobytes()
    return out


def past_of(shop: Shop, visitor: str) -> Past:
    """What the earlier sessions of a visitor have told."""
    return shop.journeys.tables.pasts[shop.journeys.visitors[visitor]]


def waiting(shop: Shop) -> list[int]:
    """The sessions with news for the first visitor's past."""
    tables, found = shop.journeys.tables, []
    at = tables.head[0] - 1
    while at >= 0:
        found.append(at)
        at = tables.link[at] - 1
    return found


def some(features: dict[str, float], *names: str) -> tuple[float, ...]:
    """Features by name."""
    return tuple(features[name] for name in names)
