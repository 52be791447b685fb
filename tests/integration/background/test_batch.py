"""Many scores at once: each once, as of a moment of its own, and again from where a run was killed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pytest_django import Settings

from purchase_intent.events import EventName, key_hash
from purchase_intent.features.past import tell
from purchase_intent.features.state import PAST_LAYOUT, Past, State
from purchase_intent.models import ModelVersion, Score, Session, Visitor
from purchase_intent.models.bulk import write_said
from purchase_intent.scoring import batch, nightly
from purchase_intent.scoring.batch import score_sessions
from purchase_intent.scoring.nightly import night_of, score_visitors
from tests.integration.background.conftest import Browse
from tests.integration.models.builders import NOON, minutes, visitor

pytestmark = pytest.mark.django_db

VIEW, CART, PURCHASE = EventName.VIEW, EventName.CART, EventName.PURCHASE
NIGHT = datetime(2026, 3, 5, 2, tzinfo=UTC)
AFTER = NIGHT + timedelta(minutes=30)

Asked = list[tuple[State, Past]]


def scores() -> list[tuple[object, ...]]:
    return list(
        Score.objects.order_by("session__key", "visitor__cookie").values_list(
            "session__key", "visitor__cookie", "moment", "probability"
        )
    )


def test_open_sessions_are_scored_as_of_their_last_event_once(browse: Browse, asked: Asked) -> None:
    one, bot = visitor("v1"), visitor("v2", bot="crawler")
    browse(one, "fresh", VIEW, CART)
    browse(one, "gone on", VIEW, VIEW, CART, scored_at=minutes(1))
    browse(one, "scored", VIEW, VIEW, scored_at=minutes(1))
    browse(one, "bought", PURCHASE)
    browse(bot, "crawled", VIEW)
    browse(one, "ended", VIEW, begin=minutes(-60))
    assert score_sessions(minutes(5)) == 2
    assert scores() == [("fresh", None, minutes(1), 1 / 4), ("gone on", None, minutes(2), 1 / 5)]
    fresh = Session.objects.get(key="fresh")
    assert (fresh.score, fresh.band, fresh.scored_at) == (1 / 4, "top_5", minutes(1))
    assert score_sessions(minutes(6)) == 0
    assert len(scores()) == 2


def test_a_run_of_sessions_that_is_killed_goes_on_where_it_was(
    browse: Browse, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        browse(visitor(f"v{number}"), f"s{number}", VIEW, begin=minutes(number))
    calls = iter(range(9))

    def failing(*given: Any) -> Any:
        if next(calls) == 1:
            raise RuntimeError("killed")
        return write_said(*given)

    monkeypatch.setattr(batch, "PAGE", 2)
    with monkeypatch.context() as patch:
        patch.setattr(batch, "write_said", failing)
        with pytest.raises(RuntimeError, match="killed"):
            score_sessions(minutes(6))
    assert [row[0] for row in scores()] == ["s0", "s1"]
    assert score_sessions(minutes(6), most=2) == 2
    assert score_sessions(minutes(6)) == 1
    assert [row[0] for row in scores()] == ["s0", "s1", "s2", "s3", "s4"]


def test_a_visitor_is_scored_as_if_coming_to_the_home_page(browse: Browse, asked: Asked) -> None:
    told = Past(known=1, sessions=3)
    owner = visitor(past=PAST_LAYOUT.dumps(told), known=True)
    older = browse(owner, "older", VIEW, CART, begin=minutes(0), device="desktop")
    newer = browse(owner, "newer", VIEW, begin=minutes(60), device="phone", channel="mail", country="DE")
    silent = browse(owner, "told", VIEW, begin=minutes(30))
    Session.objects.filter(pk=silent.pk).update(has_news=False)
    assert score_visitors(NIGHT) == 1
    ((state, past),) = asked
    for session in (older, newer):
        tell(told, session.read_state())
    assert past == told
    assert (state.events, state.landing, state.page) == (1, 1, 1)
    assert (state.device, state.channel, state.country) == (key_hash("phone"), key_hash("mail"), key_hash("DE"))
    assert (state.hour, state.start) == (3, int(NIGHT.timestamp() * 1000))
    owner.refresh_from_db()
    assert (owner.score, owner.band, owner.scored_at) == (1 / 8, "top_5", NIGHT)
    assert scores() == [(None, "v1", NIGHT, 1 / 8)]
    # The past itself and the sessions' news are as they were.
    assert owner.read_past() == Past(known=1, sessions=3)
    assert Session.objects.filter(has_news=True).count() == 2
    assert score_visitors(NIGHT) == 0
    assert len(scores()) == 1


@pytest.mark.parametrize(
    ("fields", "scored"),
    [
        pytest.param({"last_seen": NIGHT - timedelta(days=90)}, 1, id="seen 90 days ago"),
        pytest.param({"last_seen": NIGHT - timedelta(days=90, seconds=1)}, 0, id="seen before that"),
        pytest.param({"last_seen": NOON, "bot": "crawler"}, 0, id="a bot"),
        pytest.param({"last_seen": NOON, "scored_at": NIGHT - timedelta(days=1)}, 1, id="scored last night"),
        pytest.param({"last_seen": NOON, "scored_at": NIGHT}, 0, id="scored this night"),
        pytest.param({"first_seen": AFTER, "last_seen": AFTER}, 0, id="new since"),
    ],
)
def test_who_is_scored_tonight(fields: dict[str, object], scored: int, asked: Asked) -> None:
    visitor(**{"first_seen": NIGHT - timedelta(days=200)} | fields)  # type: ignore[arg-type]
    assert score_visitors(NIGHT) == scored
    assert Score.objects.count() == scored


def test_a_state_of_an_earlier_layout_tells_nothing(browse: Browse, asked: Asked) -> None:
    browse(visitor(), "s1", VIEW)
    Session.objects.update(state=b"of another layout")
    assert score_visitors(NIGHT) == 1
    assert asked[0][1] == Past()


def test_who_has_come_since_waits_for_the_next_night(browse: Browse, asked: Asked) -> None:
    browse(visitor(), "since", VIEW, begin=NIGHT + timedelta(hours=1))
    assert score_visitors(NIGHT) == 0
    assert score_visitors(NIGHT + timedelta(days=1)) == 1


def test_some_who_have_all_come_since_hold_nobody_up(browse: Browse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nightly, "PAGE", 1)
    browse(visitor("back"), "before", VIEW, begin=NIGHT - timedelta(hours=1))
    browse(Visitor.objects.get(cookie="back"), "since", VIEW, begin=NIGHT + timedelta(hours=1))
    browse(visitor("away"), "away", VIEW, begin=NIGHT - timedelta(hours=1))
    assert score_visitors(NIGHT) == 1
    assert Visitor.objects.get(scored_at=NIGHT).cookie == "away"


def test_a_run_of_visitors_that_is_killed_goes_on_where_it_was(
    asked: Asked, version: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        visitor(f"v{number}")
    monkeypatch.setattr(nightly, "PAGE", 2)
    calls = iter(range(9))

    def failing(*given: Any, **options: Any) -> Any:
        if next(calls) == 1:
            raise RuntimeError("killed")
        return write_said(*given, **options)

    with monkeypatch.context() as patch:
        patch.setattr(nightly, "write_said", failing)
        with pytest.raises(RuntimeError, match="killed"):
            score_visitors(NIGHT)
    assert Visitor.objects.filter(scored_at=NIGHT).count() == 2
    # A score of an earlier release, whose visitor was not written yet.
    Score.objects.create(model=version, visitor=Visitor.objects.get(cookie="v2"), moment=NIGHT, probability=0.5)
    assert score_visitors(NIGHT) == 3
    assert Score.objects.count() == 5
    assert Visitor.objects.filter(scored_at=NIGHT).count() == 5


@pytest.mark.parametrize(
    ("now", "night"),
    [
        pytest.param(datetime(2026, 3, 5, 2, tzinfo=UTC), NIGHT, id="at the moment"),
        pytest.param(datetime(2026, 3, 6, 1, 59, tzinfo=UTC), NIGHT, id="until the next one"),
        pytest.param(
            datetime(2026, 3, 29, 12, tzinfo=UTC), datetime(2026, 3, 29, 1, tzinfo=UTC), id="the clock is put forward"
        ),
    ],
)
def test_the_moment_of_a_night(now: datetime, night: datetime, settings: Settings) -> None:
    assert night_of(now) == night


def test_a_score_by_rules_is_no_score_to_be_judged(browse: Browse) -> None:
    owner = visitor()
    browse(owner, "s1", VIEW)
    assert score_sessions(minutes(1)) == 1
    assert score_visitors(NIGHT) == 1
    owner.refresh_from_db()
    assert owner.score is not None
    assert owner.scored_at == NIGHT
    assert scores() == []
