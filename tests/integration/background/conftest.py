"""A champion for the background's tests that needs no training, and sessions for it to score."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from purchase_intent.conf import config
from purchase_intent.events import Event, EventName
from purchase_intent.features.encode import encode
from purchase_intent.features.hit import FACTS
from purchase_intent.features.observe import observe
from purchase_intent.features.state import PAST_LAYOUT, STATE_LAYOUT, Past, State
from purchase_intent.models import ModelVersion, Session, Visitor
from purchase_intent.models.bulk import Said
from purchase_intent.scoring import batch, nightly
from purchase_intent.scoring.columns import Rows
from tests.integration.models.builders import NOON

Browse = Callable[..., Session]


@pytest.fixture
def version() -> ModelVersion:
    """A champion on record."""
    return ModelVersion.objects.create(
        trained_from=datetime(2026, 1, 1, tzinfo=UTC),
        trained_until=datetime(2026, 2, 1, tzinfo=UTC),
        events=1000,
        sessions=100,
        buyers=7,
        schema_hash="5" * 64,
        bundle="session/1.zip",
        bundle_sha256="a" * 64,
        status="champion",
    )


@pytest.fixture
def asked(version: ModelVersion, monkeypatch: pytest.MonkeyPatch) -> list[tuple[State, Past]]:
    """What the champion was asked; it answers by a rule that is easy to work out."""
    seen: list[tuple[State, Past]] = []

    def say(rows: Rows) -> Said:
        for state, past in zip(rows.states, rows.pasts, strict=True):
            seen.append((STATE_LAYOUT.loads(state.tobytes()), PAST_LAYOUT.loads(past.tobytes())))
        probability = 1.0 / (2 + rows.states["events"] + rows.pasts["sessions"])
        return Said(version.pk, probability, np.ones(len(rows), np.int64), ("", "top_5"))

    monkeypatch.setattr(batch, "say", say)
    monkeypatch.setattr(nightly, "say", say)
    return seen


@pytest.fixture
def browse() -> Browse:
    """Return a function that makes a session with events and the state they fold to."""

    def make(owner: Visitor, key: str, *kinds: EventName, begin: datetime = NOON, **fields: Any) -> Session:
        from tests.integration.models.builders import event

        state, rows = State(), []
        made = Session.objects.create(
            key=key, visitor=owner, started_at=begin, last_at=begin + timedelta(minutes=len(kinds) - 1), **fields
        )
        for minute, kind in enumerate(kinds):
            when = begin + timedelta(minutes=minute)
            order = f"o-{key}-{minute}" if kind is EventName.PURCHASE else ""
            row = event(
                made,
                event_id=f"{key}-{minute}",
                occurred_at=when,
                received_at=when,
                sequence=minute,
                name=kind.value,
                order=order,
            )
            rows.append(row)
            told = Event(event_id=row.event_id, name=kind, occurred_at=when, visitor=owner.cookie, order=order)
            observe(state, encode(told, zone=config().time_zone, facts=dict.fromkeys(FACTS, 0)))
        type(rows[0]).objects.bulk_create(rows)
        made.state, made.stage, made.has_news = STATE_LAYOUT.dumps(state), state.stage, True
        made.save()
        return made

    return make
