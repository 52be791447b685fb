"""The events table: whole for the ORM and the admin, in months on PostgreSQL, dropped whole when pruned."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from django.test import RequestFactory

from purchase_intent.models import Event
from purchase_intent.models.partitions import make_partitions, partitions, prune_events
from tests.integration.models.builders import NOON, event, minutes, session, visitor

pytestmark = pytest.mark.django_db(transaction=True)

POSTGRES = "postgresql"
DAY = 24 * 60


@pytest.fixture(autouse=True)
def no_months_left() -> None:
    """The tables are the run's, not the test's: begin with none but the one for the rest."""
    with connection.cursor() as cursor:
        for name in partitions().values():
            cursor.execute(f"DROP TABLE {connection.ops.quote_name(name)}")


def rows_of(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {connection.ops.quote_name(table)}")
        return int(cursor.fetchone()[0])


def test_the_orm_is_whole_on_it() -> None:
    within = session(visitor())
    first = event(within, 0)
    first.save(force_insert=True)
    Event.objects.bulk_create([event(within, minute) for minute in range(3)], ignore_conflicts=True)
    assert Event.objects.count() == 3
    assert Event.objects.filter(pk=first.pk).update(product="p1") == 1
    loaded = Event.objects.select_related("session__visitor").get(pk=first.pk)
    assert (loaded.product, loaded.session.visitor.cookie) == ("p1", "v1")
    loaded.brand = "acme"
    loaded.save()
    assert list(Event.objects.in_order().values_list("event_id", "brand")) == [("e0", "acme"), ("e1", ""), ("e2", "")]
    assert loaded.delete()[0] == 1
    within.delete()
    assert Event.objects.count() == 0


def test_a_retry_collides_and_an_unknown_session_is_refused() -> None:
    within = session(visitor())
    event(within).save(force_insert=True)
    with pytest.raises(IntegrityError), transaction.atomic():
        event(within).save(force_insert=True)
    with pytest.raises(IntegrityError), transaction.atomic():
        event(within, 1, session_id=within.pk + 1).save(force_insert=True)
    assert Event.objects.count() == 1


def test_the_admin_lists_and_shows_them(rf: RequestFactory) -> None:
    within = session(visitor())
    event(within).save(force_insert=True)
    staff = User.objects.create_superuser("staff")
    site = admin.AdminSite()
    site.register(
        Event, type("EventAdmin", (admin.ModelAdmin,), {"list_filter": ("name",), "search_fields": ("event_id",)})
    )
    shown = site._registry[Event]
    request = rf.get("/", {"name__exact": "4", "q": "e0"})
    request.user = staff
    listed = shown.get_changelist_instance(request)
    assert [str(each) for each in listed.result_list] == ["view 2026-03-01 12:00:00"]
    assert shown.get_object(request, str(Event.objects.get().pk)) == Event.objects.get()


def test_a_month_made_late_takes_over_what_was_caught() -> None:
    within = session(visitor())
    Event.objects.bulk_create([event(within, 0), event(within, 31 * DAY)])
    made = make_partitions(NOON, NOON)
    assert make_partitions(NOON, NOON) == []
    assert Event.objects.count() == 2
    if connection.vendor == POSTGRES:
        assert made == ["purchase_intent_event_2026_03"]
        assert partitions() == {date(2026, 3, 1): "purchase_intent_event_2026_03"}
        assert (rows_of("purchase_intent_event_2026_03"), rows_of("purchase_intent_event_rest")) == (1, 1)
        Event.objects.bulk_create([event(within, 0), event(within, 1)], ignore_conflicts=True)
        assert rows_of("purchase_intent_event_2026_03") == 2
    else:
        assert (made, partitions()) == ([], {})


def test_a_made_month_keeps_the_constraints() -> None:
    make_partitions(NOON, NOON)
    within = session(visitor())
    with pytest.raises(IntegrityError, match="price"), transaction.atomic():
        event(within, price=-1.0).save(force_insert=True)
    with pytest.raises(IntegrityError), transaction.atomic():
        event(within, 1, session_id=within.pk + 1).save(force_insert=True)
    assert Event.objects.count() == 0


def test_pruning_drops_old_months_whole_and_deletes_the_rest() -> None:
    make_partitions(NOON, minutes(62 * DAY))
    within = session(visitor())
    Event.objects.bulk_create([event(within, day * DAY) for day in (0, 1, 31, 32, 61)])
    assert prune_events(minutes(31.5 * DAY)) == 3
    assert list(Event.objects.in_order().values_list("event_id", flat=True)) == [f"e{32 * DAY}", f"e{61 * DAY}"]
    if connection.vendor == POSTGRES:
        assert list(partitions()) == [date(2026, 4, 1), date(2026, 5, 1)]
    assert prune_events(minutes(31.5 * DAY)) == 0


def test_a_month_with_a_younger_event_of_a_wrong_clock_is_not_dropped() -> None:
    make_partitions(NOON, NOON)
    within = session(visitor())
    old, late = event(within, 0), event(within, 1, occurred_at=minutes(60 * DAY))
    late.key = event(within, 1).key
    Event.objects.bulk_create([old, late])
    assert prune_events(minutes(40 * DAY)) == 1
    assert Event.objects.get().pk == late.pk


def test_plans_leave_out_the_months_that_cannot_matter() -> None:
    if connection.vendor != POSTGRES:
        pytest.skip("partitions are PostgreSQL's")
    make_partitions(NOON, datetime(2026, 5, 1, tzinfo=UTC))
    within = session(visitor())
    one = event(within)
    one.save(force_insert=True)
    plan = Event.objects.filter(pk=one.pk).explain()
    assert "purchase_intent_event_2026_03" in plan
    assert "purchase_intent_event_2026_04" not in plan
