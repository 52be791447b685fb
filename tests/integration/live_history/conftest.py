"""A shop with a past: days of a log in its database, and a champion that learnt from it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from io import StringIO
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pytest
from django.core.management import call_command
from pytest_django.live_server_helper import LiveServer

from demo_shop.stocking import CATALOGUE, load
from purchase_intent.models import ModelVersion
from purchase_intent.scoring.facts import facts
from purchase_intent.signals import events_recorded
from tests.integration.live_history.clock import Clock
from tests.integration.live_history.ledger import Ledger
from tests.trained import SHIPPED_LOG, ZONE

OPENING = date(2026, 4, 13)
"""The local day on which the shop opens its doors; the log's days before it are its past."""
DAYS_STORED = 2


@pytest.fixture(scope="session")
def past(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The last days of the shipped log before the opening, as a log of their own."""
    return _cut(SHIPPED_LOG, tmp_path_factory.mktemp("past") / "past.parquet", _midnight(DAYS_STORED), _midnight(0))


def _midnight(days_before: int) -> datetime:
    day = date.fromordinal(OPENING.toordinal() - days_before)
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(ZONE))


def _cut(log: Path, out: Path, first: datetime, last: datetime) -> Path:
    """The sessions that begin and end between two moments."""
    connection = duckdb.connect()
    connection.execute(
        f"""COPY (SELECT * EXCLUDE (began, ended) FROM (
            SELECT *, min(event_time) OVER w AS began, max(event_time) OVER w AS ended
            FROM '{log}' WINDOW w AS (PARTITION BY user_session)
        ) WHERE began >= '{first.isoformat()}' AND ended < '{last.isoformat()}' ORDER BY event_time, event_id)
        TO '{out}'"""
    )
    return out


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The shop's time, which stands still between two looks until somebody moves it."""
    clock = Clock(int(_midnight(0).timestamp() * 1000))
    monkeypatch.setattr("django.utils.timezone.now", clock)
    return clock


@pytest.fixture
def shop(live_server: LiveServer, champion: ModelVersion, past: Path, clock: Clock) -> str:
    """The address of a running shop with full shelves and two days of history."""
    load(CATALOGUE)
    call_command("intent_import", "--events", str(past), stdout=StringIO())
    facts.forget()
    return live_server.url


@pytest.fixture
def ledger(shop: str) -> Iterator[Ledger]:
    """What the live path says after each request, from now on."""
    ledger = Ledger()
    events_recorded.connect(ledger.hear)
    yield ledger
    events_recorded.disconnect(ledger.hear)
    facts.forget()
