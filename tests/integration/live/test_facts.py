"""Facts of live events: those of the frozen days, held for a while and within bounds."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from pytest_django import DjangoAssertNumQueries

from purchase_intent.events import EventName
from purchase_intent.models import CatalogueDay
from purchase_intent.scoring.facts import FactCache, local_day
from tests.integration.live.walks import BEGIN, act

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.django_db
def test_facts_are_those_of_the_queryset_and_are_asked_for_again_when_old(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    day = date(2026, 3, 8)
    for subject, key in (("product", "p1"), ("product", "p2"), ("category", "c1"), ("shop", "")):
        CatalogueDay.objects.create(day=day, subject=subject, key=key, views=7, carts=2, buys=1, cents=99, sessions=5)
    now = [0.0]
    cache = FactCache(most=3, fresh=60.0, clock=lambda: now[0])
    seen = act(1, BEGIN, EventName.VIEW, product="p1", category="c1")
    wanted = CatalogueDay.objects.facts(BEGIN.date(), product="p1", category="c1")
    for queries, after in ((1, 0.0), (0, 59.0), (1, 60.0)):
        now[0] = after
        with django_assert_num_queries(queries):
            assert cache.of([seen, seen], BERLIN) == [wanted, wanted]
    cache.of([act(2, BEGIN, EventName.VIEW, product="p2")], BERLIN)
    with django_assert_num_queries(1):  # one more than is held
        assert cache.of([seen], BERLIN) == [wanted]
    cache.forget()
    with django_assert_num_queries(1):
        assert cache.of([seen], BERLIN) == [wanted]


@pytest.mark.parametrize(
    ("when", "zone", "day"),
    [
        pytest.param(datetime(2026, 3, 8, 23, 30, tzinfo=UTC), "Europe/Berlin", date(2026, 3, 9), id="past midnight"),
        pytest.param(datetime(2026, 3, 8, 22, 59, tzinfo=UTC), "Europe/Berlin", date(2026, 3, 8), id="before it"),
        pytest.param(
            datetime(2010, 11, 7, 2, 30, 30, tzinfo=UTC), "America/St_Johns", date(2010, 11, 6), id="put back"
        ),
    ],
)
def test_a_day_is_the_shops_and_never_comes_twice(when: datetime, zone: str, day: date) -> None:
    assert local_day(when, ZoneInfo(zone)) == day
