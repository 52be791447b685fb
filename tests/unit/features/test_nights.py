"""Asked between two visits, history and a live shop say the same of a visitor, and go on as if nobody had asked."""

from __future__ import annotations

import numpy as np
import pytest

from purchase_intent.features import history
from purchase_intent.features.history import ASKED, look
from purchase_intent.features.hit import HIT, Hit
from purchase_intent.features.live import Journeys, read_row
from purchase_intent.features.observe import observe
from purchase_intent.features.past import tell
from purchase_intent.features.state import PAST_LAYOUT, STATE_LAYOUT, Past, State
from tests.unit.features.streams import Sorted, arrange, row_of
from tests.unit.features.test_live_equals_history import long_log

WAIT = 3_600_000


def asked_live(journeys: Journeys, visitor: int, arrival: Hit) -> tuple[bytes, bytes]:
    """As the nightly task does it: the news told to a copy of the past, and the latest session's circumstances."""
    tables = journeys.tables
    slot = journeys.visitor(str(visitor))
    past = PAST_LAYOUT.loads(PAST_LAYOUT.dumps(tables.pasts[slot]))
    news, at = [], tables.head[slot] - 1
    while at >= 0:
        news.append((tables.states[at].last, at))
        at = tables.link[at] - 1
    state, hit = State(), Hit(*row_of(arrival))  # type: ignore[arg-type]
    for _, session in sorted(news):
        told = STATE_LAYOUT.loads(STATE_LAYOUT.dumps(tables.states[session]))
        tell(past, told)
        hit.device, hit.channel, hit.country = told.device, told.channel, told.country
    observe(state, hit)
    return read_row(state, past, hit.time).tobytes(), PAST_LAYOUT.dumps(past)


def questions(given: Sorted, seed: int) -> np.ndarray[tuple[int], np.dtype[np.void]]:
    chance = np.random.default_rng(seed)
    asked = np.zeros(60, ASKED)
    asked["position"] = np.sort(chance.integers(0, len(given.hits) + 1, len(asked)))
    asked["visitor"] = chance.integers(0, int(given.visitor.max()) + 1, len(asked))
    return asked


@pytest.mark.parametrize("seed", range(3))
def test_history_answers_as_the_nightly_task_does(seed: int) -> None:
    log = long_log(seed, events=1500)
    given = arrange(log)
    asked = questions(given, seed)
    arrival = Hit(time=int(given.hits["time"].max()) + WAIT, kind=1, page=1, hour=3, weekday=2, shop_sessions=9)
    vectors, pasts = look(given.hits, given.visitor, given.session, asked, np.array([row_of(arrival)], HIT))
    journeys, found = Journeys(), []
    waiting = list(asked)
    for position in range(len(given.hits) + 1):
        while waiting and waiting[0]["position"] == position:
            found.append(asked_live(journeys, int(waiting.pop(0)["visitor"]), arrival))
        if position < len(given.hits):
            journeys.observe(
                Hit(*given.hits[position].item()),
                visitor=str(given.visitor[position]),
                session=str(given.session[position]),
            )
    assert [(vector.tobytes(), past.tobytes()) for vector, past in zip(vectors, pasts, strict=True)] == found


def test_the_fold_goes_on_as_if_nobody_had_asked() -> None:
    log = long_log(5, events=600)
    given = arrange(log)
    arrival = np.array([row_of(Hit(time=int(given.hits["time"].max()) + WAIT, kind=1, page=1))], HIT)
    last = np.zeros(int(given.visitor.max()) + 1, ASKED)
    last["position"], last["visitor"] = len(given.hits), np.arange(len(last))
    often = np.concatenate([questions(given, 5), last])
    alone = look(given.hits, given.visitor, given.session, last, arrival)
    beside = look(given.hits, given.visitor, given.session, often, arrival)
    assert (beside[0][-len(last) :] == alone[0]).all()
    assert beside[1][-len(last) :].tobytes() == alone[1].tobytes()


def test_a_visitor_of_whom_nothing_has_come_yet_is_blank() -> None:
    given = arrange(long_log(1, events=50))
    asked = np.zeros(1, ASKED)
    arrival = np.array([row_of(Hit(time=1, kind=1, page=1))], HIT)
    _, pasts = look(given.hits, given.visitor, given.session, asked, arrival)
    assert pasts[0].tobytes() == PAST_LAYOUT.dumps(Past())


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        pytest.param("position", 51, "position must be from 0 to 50", id="beyond the events"),
        pytest.param("visitor", -1, "visitor must be from 0", id="a visitor below 0"),
        pytest.param("night", 1, "night must be from 0 to 0", id="an arrival that is not there"),
    ],
)
def test_questions_that_do_not_fit_are_refused_before_compiled_code_reads_them(
    column: str, value: int, words: str
) -> None:
    given = arrange(long_log(1, events=50))
    asked = np.zeros(2, ASKED)
    asked[column] = [0, value] if value >= 0 else [value, 0]
    with pytest.raises(ValueError, match=words):
        look(given.hits, given.visitor, given.session, asked, np.zeros(1, HIT))


def test_questions_out_of_order_are_refused() -> None:
    given = arrange(long_log(1, events=50))
    asked = np.zeros(2, ASKED)
    asked["position"] = [3, 2]
    with pytest.raises(ValueError, match="sorted by position"):
        history.look(given.hits, given.visitor, given.session, asked, np.zeros(1, HIT))
