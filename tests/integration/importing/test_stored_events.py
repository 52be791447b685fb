"""The shop's own events as a log: the same vectors and the same model as from the files they came from."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from pytest_django import DjangoAssertNumQueries

from purchase_intent.conf import bundle_storage
from purchase_intent.exceptions import LogRefused
from purchase_intent.features.history import replay
from purchase_intent.learning import MEMBERS
from purchase_intent.models import Event, ModelVersion, Visitor
from purchase_intent.sources import EventLog, open_log
from purchase_intent.sources.orm import StoredLog, stored_events
from tests.integration.importing.conftest import ZONE, Import
from tests.integration.models.builders import event, minutes, session, visitor
from tests.trained import QUICK, few_rounds
from tests.unit.sources.writing import REES46, rees, write_csv

pytestmark = pytest.mark.django_db


def quiet(step: str) -> None:
    """No progress shown."""


def vectors(log: EventLog) -> np.ndarray:
    return np.concatenate([replay(batch.hits, batch.visitor, batch.session) for batch in log.batches()])


def assert_same(file: EventLog, stored: StoredLog) -> None:
    """Every figure, every hit and every vector, to the bit."""
    for one, other in zip(file.batches(), stored.log.batches(), strict=True):
        assert one.hits.tobytes() == other.hits.tobytes()
        assert np.array_equal(one.visitor, other.visitor)
        assert np.array_equal(one.session, other.session)
    assert vectors(file).tobytes() == vectors(stored.log).tobytes()
    figures = ("accepted", "first", "last", "sessions", "visitors", "buying_sessions", "orders", "revenue")
    assert {name: getattr(file, name) for name in figures} == {name: getattr(stored.log, name) for name in figures}


def test_vectors_equal_those_of_the_file_to_the_bit(small_log: Path, intent_import: Import) -> None:
    intent_import(small_log)
    with open_log([small_log], zone=ZONE) as file, stored_events(zone=ZONE, progress=quiet) as stored:
        assert_same(file, stored)


def test_a_log_without_ids_comes_back_the_same(intent_import: Import, tmp_path: Path) -> None:
    rows = [rees(minute, event_type=kind, user_session="") for minute in (0, 1, 50) for kind in ("cart", "view")]
    # Two sessions of one visitor in one second, told in turns.
    rows += [rees(60, user_session=key) for key in ("a", "b", "a", "b")]
    rows += [rees(61, event_type="purchase", user_session="a", price=price) for price in ("0.1", "0.2")]
    path = write_csv(tmp_path / "log.csv", rows, REES46)
    intent_import(path)
    with open_log([path], zone=ZONE) as file, stored_events(zone=ZONE, progress=quiet) as stored:
        assert_same(file, stored)


@pytest.fixture
def quick_members(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Members that learn in seconds."""
    for name, params in QUICK.items():
        monkeypatch.setattr(MEMBERS[name], "defaults", {**MEMBERS[name].defaults, **params})
    with few_rounds(10):
        yield


def intent_train(*arguments: str) -> ModelVersion:
    call_command("intent_train", "--seed", "3", "--force", *arguments, stdout=StringIO())
    return ModelVersion.objects.latest()


def bundle_of(version: ModelVersion) -> bytes:
    with bundle_storage().open(version.bundle) as file:
        return bytes(file.read())


def test_the_model_is_the_same_byte_for_byte(
    longer_log: Path, intent_import: Import, quick_members: None, bundle_folder: Path
) -> None:
    intent_import(longer_log)
    from_file = intent_train("--events", str(longer_log))
    from_database = intent_train()
    # The gate compares the second with the first: that is not of the model, and not in its bundle.
    assert {**from_database.figures, "gate": None} == {**from_file.figures, "gate": None}
    assert bundle_of(from_database) == bundle_of(from_file)
    assert (from_database.events, from_database.sessions) == (from_file.events, from_file.sessions)


def test_without_events_there_is_nothing_to_learn_from(bundle_folder: Path) -> None:
    with pytest.raises(CommandError, match="no event is stored yet: track some, or load a log with intent_import"):
        intent_train()
    assert not ModelVersion.objects.exists()
    assert not list(bundle_folder.glob("*"))


@pytest.mark.parametrize("field", ["received_at", "occurred_at"])
def test_what_had_not_happened_or_not_arrived_then_is_left_out(field: str) -> None:
    within = session(visitor())
    Event.objects.bulk_create([event(within, minute) for minute in range(3)])
    Event.objects.filter(event_id="e2").update(**{field: minutes(99)})
    with stored_events(zone=ZONE, until=minutes(50), progress=quiet) as stored:
        assert stored.log.accepted == 2


def test_bots_are_left_out() -> None:
    Event.objects.bulk_create([event(session(visitor()))])
    Event.objects.bulk_create([event(session(visitor("v2", bot="crawler"), "s2"))])
    with stored_events(zone=ZONE, progress=quiet) as stored:
        assert stored.log.accepted == 1
    Visitor.objects.update(bot="crawler")
    with pytest.raises(LogRefused, match="no event is stored"), stored_events(zone=ZONE, progress=quiet):
        pass


def test_sites_are_kept_apart() -> None:
    for site in ("", "b"):
        within = session(visitor("v1", site=site), "s1", site=site)
        one = event(within)
        one.key = event(within, 1 if site else 0).key
        one.save(force_insert=True)
    with stored_events(zone=ZONE, progress=quiet) as stored:
        assert (stored.log.accepted, stored.log.visitors, stored.log.sessions) == (2, 2, 2)


def test_reading_back_is_one_query(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    within = session(visitor())
    Event.objects.bulk_create([event(within, minute) for minute in range(30)])
    with django_assert_num_queries(1), stored_events(zone=ZONE, progress=quiet) as stored:
        assert stored.log.accepted == 30
