"""Which model answers in this process: promotions, faults, races."""

from __future__ import annotations

import logging
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from threading import Barrier

import pytest
from django.core.files.storage import storages
from django.db import DatabaseError, connection, transaction
from django.test import TestCase

from purchase_intent.features.state import Past
from purchase_intent.learning import MEMBERS, IntentEnsemble
from purchase_intent.models import ModelVersion
from purchase_intent.scoring import bundles, serving
from purchase_intent.scoring.answer import Standing
from purchase_intent.scoring.score import answer
from purchase_intent.scoring.serving import LOOK_EVERY, RETRY_AFTER
from tests.integration.scoring.conftest import Clock
from tests.integration.scoring.visits import visit
from tests.trained import damage, register

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def serving_key(horizon: str = "session") -> int | None:
    found = serving.champion(horizon)
    return found.version.pk if found is not None else None


def promote_elsewhere(version: ModelVersion) -> None:
    """As another process would: this one hears no signal."""
    ModelVersion.objects.of("session").champions().update(status="archived")
    ModelVersion.objects.filter(pk=version.pk).update(status="champion", promoted_at=NOON)


def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The versions whose bundles are read from now on, one entry a reading."""
    read = []

    def load(version: ModelVersion) -> IntentEnsemble:
        read.append(version.pk)
        return bundles.load_bundle(version)

    monkeypatch.setattr(serving, "load_bundle", load)
    return read


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]


def test_without_a_champion_nothing_serves(clock: Clock) -> None:
    assert serving.champion() is None


def test_the_champion_is_loaded_once(champion: ModelVersion, monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    read = counted(monkeypatch)
    for _ in range(3):
        assert serving_key() == champion.pk
        clock.now += LOOK_EVERY
    assert read == [champion.pk]


def test_between_two_looks_the_database_is_not_asked(
    champion: ModelVersion, clock: Clock, django_assert_num_queries: object
) -> None:
    serving_key()
    clock.now += LOOK_EVERY - 0.1
    with django_assert_num_queries(0):  # type: ignore[operator]
        assert serving_key() == champion.pk
    clock.now += 0.1
    with django_assert_num_queries(1):  # type: ignore[operator]
        assert serving_key() == champion.pk


def test_a_promotion_elsewhere_is_seen_at_the_next_look(
    champion: ModelVersion, other_bundle: bytes, clock: Clock
) -> None:
    assert serving_key() == champion.pk
    newer = register(other_bundle, promote=False)
    promote_elsewhere(newer)
    assert serving_key() == champion.pk
    clock.now += LOOK_EVERY
    assert serving_key() == newer.pk


def test_a_promotion_here_is_seen_at_once(champion: ModelVersion, other_bundle: bytes, clock: Clock) -> None:
    assert serving_key() == champion.pk
    with TestCase.captureOnCommitCallbacks(execute=True):
        newer = register(other_bundle)
    assert serving_key() == newer.pk


def test_a_promotion_that_is_rolled_back_changes_nothing(
    champion: ModelVersion, other_bundle: bytes, clock: Clock
) -> None:
    newer = register(other_bundle, promote=False)
    with TestCase.captureOnCommitCallbacks(execute=True) as sent, transaction.atomic():
        newer.promote()
        transaction.set_rollback(True)
    assert sent == []
    clock.now += LOOK_EVERY
    assert serving_key() == champion.pk


def test_a_rollback_to_the_former_champion_is_followed(
    champion: ModelVersion, other_bundle: bytes, clock: Clock
) -> None:
    newer = register(other_bundle)
    assert serving_key() == newer.pk
    champion.promote()
    clock.now += LOOK_EVERY
    assert serving_key() == champion.pk


def test_a_champion_taken_off_the_record_serves_no_more(champion: ModelVersion, clock: Clock) -> None:
    assert serving_key() == champion.pk
    champion.delete()
    clock.now += LOOK_EVERY
    assert serving.champion() is None


def test_horizons_are_served_apart(champion: ModelVersion, other_bundle: bytes) -> None:
    week = register(other_bundle, promote=False)
    ModelVersion.objects.filter(pk=week.pk).update(horizon="week")
    week.refresh_from_db()
    week.promote()
    assert (serving_key(), serving_key("week")) == (champion.pk, week.pk)


def test_a_damaged_champion_gives_way_to_the_one_before_and_is_named_once(
    champion: ModelVersion, other_bundle: bytes, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    newer = register(other_bundle)
    damage(newer)
    for _ in range(4):
        assert serving_key() == champion.pk
        clock.now += RETRY_AFTER
    [message] = errors(caplog)
    assert message.startswith(f"Model {newer.pk} cannot serve: The bundle of model {newer.pk} is not the one")
    assert "roll back to another version" in message


def test_a_bundle_that_is_restored_serves_within_a_minute(
    champion: ModelVersion, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    path = Path(storages["purchase_intent"].path(champion.bundle))
    data = path.read_bytes()
    path.unlink()
    assert serving.champion() is None
    path.write_bytes(data)
    clock.now += RETRY_AFTER - 1
    assert serving.champion() is None
    clock.now += 1 + LOOK_EVERY
    assert serving_key() == champion.pk
    assert len(errors(caplog)) == 1


def test_a_bundle_damaged_after_it_was_loaded_serves_on(
    champion: ModelVersion, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    assert serving_key() == champion.pk
    damage(champion)
    clock.now += RETRY_AFTER
    assert serving_key() == champion.pk
    assert errors(caplog) == []


def test_a_champion_of_other_features_leaves_it_to_the_rules(
    champion: ModelVersion, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(bundles, "schema_hash", lambda: "another")
    assert answer(visit(), Past(), at=NOON).standing is Standing.RULES
    [message] = errors(caplog)
    assert "trained on other features" in message


def test_a_missing_learner_leaves_it_to_the_rules_and_names_the_line_that_installs_it(
    champion: ModelVersion, monkeypatch: pytest.MonkeyPatch, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, MEMBERS["catboost"].package, None)
    for _ in range(3):
        assert answer(visit(), Past(), at=NOON).standing is Standing.RULES
        clock.now += RETRY_AFTER
    assert errors(caplog) == [
        f"Model {champion.pk} cannot serve: catboost is not installed: pip install 'django-purchase-intent[serve]'"
    ]


def test_a_database_that_is_gone_leaves_the_loaded_model_at_work(
    champion: ModelVersion, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(horizon: str) -> None:
        raise DatabaseError("gone")

    assert serving_key() == champion.pk
    monkeypatch.setattr(ModelVersion.objects, "of", gone)
    clock.now += LOOK_EVERY
    assert serving_key() == champion.pk


def test_a_database_that_is_gone_from_the_start_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(horizon: str) -> None:
        raise DatabaseError("gone")

    monkeypatch.setattr(ModelVersion.objects, "of", gone)
    with pytest.raises(DatabaseError):
        serving.champion()


@pytest.mark.django_db(transaction=True)
def test_threads_that_come_together_load_it_once(
    bundle: bytes, bundle_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = register(bundle)
    read = counted(monkeypatch)
    start = Barrier(4)

    def ask() -> int | None:
        try:
            start.wait(timeout=300)
            return serving_key()
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        found = [future.result() for future in [pool.submit(ask) for _ in range(4)]]
    assert found == [version.pk] * 4
    assert read == [version.pk]
