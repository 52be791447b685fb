"""The statements of the fast path do what Django's own would: read, compare and swap, insert, all or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from datetime import timedelta
from importlib import import_module

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.forms.models import model_to_dict
from django.test.utils import CaptureQueriesContext

from purchase_intent.models import Event, Experiment, Exposure, ModelVersion, Score, Session, Visitor, planned
from purchase_intent.models.event import EventRow
from purchase_intent.models.statements import expose, go_on, session_with_visitor
from tests.integration.experiments.town import running
from tests.integration.models.builders import NOON, event, session, visitor

LATER = NOON + timedelta(seconds=9)
BOTH = [pytest.param(False, id="on its own"), pytest.param(True, id="in a transaction")]


def as_row(told: Event) -> EventRow:
    """The columns of an event."""
    return EventRow(*(getattr(told, field.attname) for field in Event._meta.concrete_fields))


def swap(row: Session, events: list[Event], *, within: bool, scores: list[Score] | None = None) -> bool:
    """Go on with a session, in a transaction of the caller's or not."""
    values = {"state": b"\x00\xff", "last_at": LATER, "stage": 3, "sequence": row.sequence + len(events)}
    if not within:
        return go_on(row, values, [as_row(each) for each in events], scores or [])
    with transaction.atomic():
        return go_on(row, values, [as_row(each) for each in events], scores or [])


@pytest.fixture
def unfunctional(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A PostgreSQL database in which nobody has made the functions, as where a host's tests run no migrations."""
    if connection.vendor != "postgresql":
        pytest.skip("functions are PostgreSQL's")
    made = import_module("purchase_intent.migrations.0008_page_functions").Migration.operations
    monkeypatch.setattr(planned, "_WITHOUT", set())
    with connection.cursor() as cursor:
        for each in made:
            cursor.execute(f"DROP FUNCTION {each.name}")
        yield
        for each in made:
            cursor.execute(each.sql[0])


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("within", BOTH)
def test_a_session_is_read_as_django_reads_it(within: bool) -> None:
    with transaction.atomic() if within else nullcontext():
        read_and_compare()


def read_and_compare() -> None:
    row = session(visitor(known=True, customer="c-7", past=b"\x01\x02"), key="s-1", site="de", state=b"\x00'\\")
    session(row.visitor, key="s-1")
    found = session_with_visitor(key="s-1", site="de")
    assert found is not None
    assert model_to_dict(found) == model_to_dict(Session.objects.get(pk=row.pk))
    assert bytes(found.state) == b"\x00'\\"
    with CaptureQueriesContext(connection) as asked:
        assert (found.visitor.pk, found.visitor.known, found.visitor.customer) == (row.visitor.pk, True, "c-7")
        assert found.visitor.told_at == Visitor.objects.values_list("told_at", flat=True).get()
    assert len(asked) == 1
    assert bytes(found.visitor.past) == b"\x01\x02"
    assert session_with_visitor(key="s-1", site="at") is None


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("within", BOTH)
def test_a_session_goes_on_with_its_events(within: bool) -> None:
    row = session(visitor(), key="s-1")
    told = [event(row, 1, price=19.5, product="7"), event(row, 2, sequence=2)]
    assert swap(row, told, within=within)
    stored = Session.objects.get()
    assert (bytes(stored.state), stored.last_at, stored.stage, stored.sequence) == (b"\x00\xff", LATER, 3, 2)
    assert stored.version == row.version + 1
    assert [model_to_dict(each) for each in Event.objects.order_by("key")] == [model_to_dict(each) for each in told]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("within", BOTH)
def test_where_somebody_was_faster_nothing_is_written(within: bool) -> None:
    row = session(visitor(), key="s-1")
    Session.objects.update(version=5)
    assert not swap(row, [event(row, 1)], within=within)
    assert not Event.objects.exists()
    assert Session.objects.get().version == 5


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("within", BOTH)
def test_an_event_that_is_there_stops_the_whole(within: bool) -> None:
    row = session(visitor(), key="s-1")
    event(row, 1).save(force_insert=True)
    with pytest.raises(IntegrityError):
        swap(row, [event(row, 2), event(row, 1)], within=within)
    assert Event.objects.count() == 1
    assert Session.objects.get().version == row.version


@pytest.mark.django_db(transaction=True)
def test_a_score_is_written_with_them(register: Callable[..., ModelVersion]) -> None:
    row, model = session(visitor(), key="s-1"), register()
    score = Score(session=row, model=model, probability=0.25, moment=LATER)
    assert swap(row, [event(row, 1)], within=False, scores=[score])
    assert Score.objects.values_list("session", "model", "probability", "moment").get() == (
        row.pk,
        model.pk,
        0.25,
        LATER,
    )


@pytest.mark.django_db(transaction=True)
def test_on_postgresql_it_is_one_trip() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("elsewhere it is a transaction of two statements")
    row = session(visitor(), key="s-1")
    with CaptureQueriesContext(connection) as asked:
        assert swap(row, [event(row, 1)], within=False)
    assert len(asked) == 1


@pytest.mark.django_db(transaction=True)
def test_without_its_functions_a_page_takes_longer_and_nothing_else(
    unfunctional: None, caplog: pytest.LogCaptureFixture
) -> None:
    row = session(visitor(), key="s-1")
    for number in (1, 2):
        found = session_with_visitor(key="s-1", site="")
        assert found is not None
        assert swap(found, [event(row, number, sequence=number)], within=False)
    assert (Session.objects.get().version, Event.objects.count()) == (row.version + 2, 2)
    assert [record.getMessage() for record in caplog.records] == [
        "The database has not got the functions of purchase_intent: pages take longer until migrate has run"
    ]


@pytest.mark.django_db
def test_another_fault_of_the_database_is_not_taken_for_a_missing_function() -> None:
    with pytest.raises(ProgrammingError, match="no such column"):
        planned.note_missing(connection, ProgrammingError("no such column"))


def test_a_row_has_the_columns_of_an_event() -> None:
    assert list(EventRow._fields) == [field.attname for field in Event._meta.concrete_fields]


@pytest.mark.django_db
def test_exposures_are_stored_once_each_with_its_visitor_and_the_first_stands() -> None:
    bar, foot = running("bar"), running("foot")
    arms = {each.pk: [arm.pk for arm in each.arms.all()] for each in (bar, foot)}
    known = visitor("known")
    facts = {"site": "", "device": "mobile", "browser": "Firefox", "at": NOON, "score": 0.25, "segments": ",1,"}

    def shown(experiment: Experiment, unit: str, arm: int, **changed: object) -> dict[str, object]:
        return facts | {"experiment_id": experiment.pk, "arm_id": arms[experiment.pk][arm], "unit": unit} | changed

    expose([shown(bar, "known", 0)])
    # Another process is late with the same, and brings two that are new: one of nobody on record, one of another site.
    expose(
        [
            shown(bar, "known", 1, at=LATER),
            shown(foot, "new", 1, score=None, segments=None),
            shown(foot, "known", 0, site="b"),
        ]
    )
    names = ("experiment__key", "unit", "site", "arm__place", "visitor", "device", "browser", "at", "score", "segments")
    assert sorted(Exposure.objects.values_list(*names), key=str) == [
        ("bar", "known", "", 0, known.pk, "mobile", "Firefox", NOON, 0.25, ",1,"),
        ("foot", "known", "b", 0, None, "mobile", "Firefox", NOON, 0.25, ",1,"),
        ("foot", "new", "", 1, None, "mobile", "Firefox", NOON, None, None),
    ]
