"""Who is no shopper, by more than the user agent: the pace, the script that never runs, the browser that says so."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from purchase_intent.models import Event, Session, Visitor
from purchase_intent.scoring.scriptless import label_scriptless
from purchase_intent.tracking.bots import MANY, PERSON, pace_label
from tests.integration.models.builders import session, visitor
from tests.integration.tracking.sending import ago, beacon, event

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("events", "seconds", "kind"),
    [
        pytest.param(MANY - 1, 0.0, "", id="few"),
        pytest.param(MANY, MANY / 2 + 0.1, "", id="as fast as hands are"),
        pytest.param(MANY, MANY / 2, "hasty", id="faster"),
        pytest.param(5000, -1.0, "hasty", id="a clock set back"),
    ],
)
def test_a_pace_no_hands_keep_up_is_a_label(events: int, seconds: float, kind: str) -> None:
    assert pace_label(events, seconds).kind == kind
    assert (pace_label(events, seconds) == PERSON) == (kind == "")


def test_who_sends_too_fast_is_labelled_in_mid_session(client: Client) -> None:
    client.get("/")
    now = ago()
    beacon(client, *(event(number, occurred_at=now) for number in range(MANY - 2)))
    assert Visitor.objects.get().bot == ""
    client.get("/")
    found = Visitor.objects.get()
    assert found.bot == "hasty"
    assert found.bot_reason.startswith(f"{MANY} events within ")
    assert (Session.objects.of_people().count(), Event.objects.of_people().count()) == (0, 0)


def trotted(name: str, *, events: int = 30, seconds: float = 60, stage: int = 1, **fields: object) -> Visitor:
    now = timezone.now()
    row = visitor(cookie=name, first_seen=now - timedelta(days=1), last_seen=now, **fields)
    begun = now - timedelta(seconds=seconds + 60)
    session(
        row, key=f"s-{name}", started_at=begun, last_at=begun + timedelta(seconds=seconds), sequence=events, stage=stage
    )
    return row


def test_without_a_script_an_even_trot_is_a_label() -> None:
    for number in range(8):
        trotted(f"usual-{number}", scripted_at=timezone.now())
    robot = trotted("robot")
    others = [
        trotted("slow", seconds=600),
        trotted("short", events=19),
        trotted("known", known=True),
        trotted("basket", stage=3),
        trotted("labelled", bot="crawler"),
    ]
    assert label_scriptless(timezone.now()) == 1
    robot.refresh_from_db()
    assert (robot.bot, robot.bot_reason) == (
        "scriptless",
        "30 events within 60 seconds, and no script, which runs for 62% of visitors",
    )
    for other in others:
        before = other.bot
        other.refresh_from_db()
        assert other.bot == before
    assert label_scriptless(timezone.now()) == 0


def test_a_shop_without_the_script_labels_nobody() -> None:
    trotted("one", scripted_at=timezone.now())
    trotted("two")
    trotted("three")
    assert label_scriptless(timezone.now()) == 0


def test_the_label_is_taken_back_when_the_script_runs_after_all(client: Client) -> None:
    client.get("/")
    Visitor.objects.update(bot="scriptless", bot_reason="30 events within 60 seconds")
    beacon(client, event(1))
    found = Visitor.objects.get()
    assert (found.bot, found.bot_reason) == ("", "")
    assert found.scripted_at is not None
    first = found.scripted_at
    beacon(client, event(2))
    found.refresh_from_db()
    assert found.scripted_at == first
