"""What is older than the shop keeps goes, in bounded steps; orders and what they name stay."""

from __future__ import annotations

import logging
import os
from datetime import datetime, timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from purchase_intent.conf import bundle_key
from purchase_intent.events import EventName
from purchase_intent.models import (
    DeadLetter,
    Event,
    ModelVersion,
    Order,
    RunState,
    Score,
    Session,
    TrainingRun,
    Visitor,
    WatchReport,
)
from purchase_intent.scoring import pruning
from purchase_intent.scoring.bundles import store_bundle
from purchase_intent.scoring.pruning import Pruned, prune
from tests.integration.background.conftest import Browse
from tests.integration.models.builders import NOON, minutes, visitor
from tests.trained import signed

pytestmark = pytest.mark.django_db(transaction=True)

VIEW, PURCHASE = EventName.VIEW, EventName.PURCHASE
NOW = NOON + timedelta(days=61)


@pytest.fixture(autouse=True)
def kept_for_sixty_days(settings: Settings, bundle_folder: Path) -> None:
    settings.PURCHASE_INTENT = {"RETENTION_DAYS": 60}


def closed(browse: Browse, owner: Visitor, key: str, *kinds: EventName, begin: int = 0) -> Session:
    when = minutes(begin)
    return browse(owner, key, *kinds, begin=when, closed_at=when + timedelta(hours=1), outcome="left")


def left() -> tuple[list[str], list[str], int, int]:
    return (
        list(Session.objects.order_by("key").values_list("key", flat=True)),
        list(Visitor.objects.order_by("cookie").values_list("cookie", flat=True)),
        Event.objects.count(),
        Score.objects.count(),
    )


def test_old_rows_go_and_orders_stay(browse: Browse, version: ModelVersion) -> None:
    gone, buyer, open_one, young = visitor("gone"), visitor("buyer"), visitor("open"), visitor("young", last_seen=NOW)
    old = closed(browse, gone, "old", VIEW, VIEW)
    bought = closed(browse, buyer, "bought", PURCHASE)
    Order.objects.create(number="o1", visitor=buyer, session=bought, revenue=Decimal(9), placed_at=NOON)
    browse(open_one, "open", VIEW)
    recent = closed(browse, young, "recent", VIEW, begin=2 * 24 * 60)
    for session, moment in ((old, NOON), (recent, NOON), (recent, NOW)):
        Score.objects.create(session=session, model=version, moment=moment, probability=0.1)
    assert prune(NOW) == Pruned(events=4, scores=2, sessions=1, visitors=1, reports=0, bundles=0)
    assert left() == (["bought", "open", "recent"], ["buyer", "open", "young"], 1, 1)
    assert Order.objects.get().session == bought
    assert prune(NOW) == Pruned(0, 0, 0, 0, 0, 0)


def test_a_run_that_is_killed_goes_on_where_it_was(browse: Browse, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        closed(browse, visitor(f"v{number}"), f"s{number}", VIEW)
    monkeypatch.setattr(pruning, "AT_ONCE", 2)

    def watch(step: str) -> None:
        if step == "deleting sessions: 4":
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        prune(NOW, progress=watch)
    assert left() == (["s4"], [f"v{number}" for number in range(5)], 0, 0)
    assert prune(NOW) == Pruned(events=0, scores=0, sessions=1, visitors=5, reports=0, bundles=0)
    assert left() == ([], [], 0, 0)


def test_dead_letters_go_by_their_age() -> None:
    for moment in (NOW - timedelta(days=61), NOW - timedelta(days=2)):
        DeadLetter.objects.create(origin="spool", reason="it cannot be read", line=b"{}", moment=moment)
    prune(NOW)
    assert DeadLetter.objects.get().moment == NOW - timedelta(days=2)


def test_reports_go_by_their_age_and_what_is_under_way_stays() -> None:
    old, recent = NOW - timedelta(days=61), NOW - timedelta(days=2)
    for moment in (old, recent):
        TrainingRun.objects.create(asked_at=moment, ended_at=moment, state=RunState.REFUSED)
        WatchReport.objects.create(day=moment.date())
    TrainingRun.objects.create(asked_at=old)
    assert prune(NOW).reports == 2
    assert sorted(TrainingRun.objects.values_list("ended_at", flat=True), key=str) == [recent, None]
    assert list(WatchReport.objects.values_list("day", flat=True)) == [recent.date()]


def stored(folder: Path, key: bytes, *, age: timedelta = timedelta(days=8), now: datetime = NOW) -> str:
    """A bundle that is so old and that no version names."""
    name = store_bundle(signed(key))
    written = (now - age).timestamp()
    os.utime(folder / name, (written, written))
    return name


def test_a_bundle_that_no_version_names_goes_after_a_week_and_no_other(
    version: ModelVersion, bundle_folder: Path
) -> None:
    orphan, named = stored(bundle_folder, bundle_key()), stored(bundle_folder, bundle_key())
    ModelVersion.objects.filter(pk=version.pk).update(bundle=named)
    young = stored(bundle_folder, bundle_key(), age=timedelta(days=6))
    foreign = stored(bundle_folder, b"another shop's key")
    for name, data in (("notes.txt", b"ours?"), ("intent-0123456789abcdef-aaaaaaaa.zip", b"no zip at all")):
        (bundle_folder / name).write_bytes(data)
        os.utime(bundle_folder / name, (0, 0))
    assert prune(NOW).bundles == 1
    left_over = {path.name for path in bundle_folder.iterdir()}
    assert left_over == {named, young, foreign, "notes.txt", "intent-0123456789abcdef-aaaaaaaa.zip"}
    assert prune(NOW).bundles == 0
    assert not (bundle_folder / orphan).exists()


def test_a_fresh_database_removes_no_bundle(bundle_folder: Path) -> None:
    name = stored(bundle_folder, bundle_key())
    assert prune(NOW).bundles == 0
    assert (bundle_folder / name).exists()


def test_the_command_says_how_many_bundles_went(version: ModelVersion, bundle_folder: Path) -> None:
    stored(bundle_folder, bundle_key(), now=timezone.now())
    out = StringIO()
    call_command("intent_prune", stdout=out)
    assert "Bundles that no model version names, removed: 1." in out.getvalue()


def test_a_storage_that_is_gone_is_logged_and_the_rows_go_all_the_same(
    version: ModelVersion, browse: Browse, bundle_folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bundle_folder.write_text("a file where the folder should be", encoding="utf-8")
    closed(browse, visitor("gone"), "old", VIEW)
    with caplog.at_level(logging.ERROR):
        assert prune(NOW) == Pruned(events=1, scores=0, sessions=1, visitors=1, reports=0, bundles=0)
    assert "Bundles that no model names were not looked for: STORAGES['purchase_intent']" in caplog.text


def test_what_somebody_is_writing_stays_until_the_next_run(browse: Browse) -> None:
    """A score may be on its way to it: without a constraint nothing else keeps the two together."""
    if connection.vendor != "postgresql":
        pytest.skip("only PostgreSQL locks rows")
    busy = closed(browse, visitor("v1"), "busy", VIEW)
    closed(browse, visitor("v2"), "free", VIEW)
    other = connection.copy()
    other.set_autocommit(autocommit=False)
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT 1 FROM purchase_intent_session WHERE id = %s FOR NO KEY UPDATE", [busy.pk])
        assert prune(NOW) == Pruned(events=2, scores=0, sessions=1, visitors=1, reports=0, bundles=0)
        assert left() == (["busy"], ["v1"], 0, 0)
    finally:
        other.rollback()
        other.close()
    assert prune(NOW) == Pruned(events=0, scores=0, sessions=1, visitors=1, reports=0, bundles=0)
