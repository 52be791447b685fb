"""A shop with a past: days of a log in its database, and a champion that learnt from it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import date, datetime
from io import StringIO
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import duckdb
import pytest
from django.core.management import call_command
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from demo_shop.stocking import CATALOGUE, load
from purchase_intent.conf import bundle_key
from purchase_intent.features.schema import schema_hash
from purchase_intent.learning import MEMBERS, IntentEnsemble, dump
from purchase_intent.models import ModelVersion
from purchase_intent.scoring.bundles import store_bundle
from purchase_intent.scoring.facts import facts
from purchase_intent.scoring.serving import look_again
from purchase_intent.signals import events_recorded
from purchase_intent.sources import open_log
from purchase_intent.training.dataset import build_sample
from tests.integration.live_history.clock import Clock
from tests.integration.live_history.ledger import Ledger
from tests.integration.training.conftest import QUICK

ZONE = "Europe/Berlin"
OPENING = date(2026, 4, 13)
"""The local day on which the shop opens its doors; the log's days before it are its past."""
DAYS_STORED = 2
DAYS_LEARNT = 21


class Learnt(NamedTuple):
    """A model, and the days of the log that the database is to hold."""

    ensemble: IntentEnsemble
    bundle: bytes
    past: Path


@pytest.fixture(scope="session")
def learnt(tmp_path_factory: pytest.TempPathFactory) -> Learnt:
    """A model made in seconds of the shipped log up to the opening, and its last days as a log of their own."""
    shipped = Path(__file__).resolve().parents[3] / "fixtures" / "log.parquet"
    folder = tmp_path_factory.mktemp("past")
    past = _cut(shipped, folder / "past.parquet", _midnight(DAYS_STORED), _midnight(0))
    with pytest.MonkeyPatch.context() as patch:
        for member in MEMBERS.values():
            patch.setattr(member, "max_rounds", 15)
        with open_log([_cut(shipped, folder / "long.parquet", _midnight(DAYS_LEARNT), _midnight(0))], zone=ZONE) as log:
            sample = build_sample(log, seed=3, progress=lambda step: None)
        ensemble = IntentEnsemble.fit(sample, seed=3, params=QUICK)
    return Learnt(ensemble, dump(ensemble, schema=schema_hash(), facts={"zone": ZONE}, key=bundle_key()), past)


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
def champion(learnt: Learnt, transactional_db: None, bundle_folder: Path) -> Iterator[ModelVersion]:
    """The quick model, registered and serving."""
    version = ModelVersion.objects.create(
        trained_from=_midnight(DAYS_LEARNT),
        trained_until=_midnight(0),
        events=1,
        sessions=1,
        buyers=1,
        schema_hash=schema_hash(),
        bundle=store_bundle(learnt.bundle),
        bundle_sha256=hashlib.sha256(learnt.bundle).hexdigest(),
        figures={"zone": ZONE},
    )
    version.promote()
    yield version
    look_again()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The shop's time, which stands still between two looks until somebody moves it."""
    clock = Clock(int(_midnight(0).timestamp() * 1000))
    monkeypatch.setattr("django.utils.timezone.now", clock)
    return clock


@pytest.fixture
def shop(live_server: LiveServer, champion: ModelVersion, learnt: Learnt, clock: Clock, settings: Settings) -> str:
    """The address of a running shop with full shelves and two days of history; passwords are hashed quickly."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    load(CATALOGUE)
    call_command("intent_import", "--events", str(learnt.past), stdout=StringIO())
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
