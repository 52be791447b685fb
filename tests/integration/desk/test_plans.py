"""How PostgreSQL answers the desk: by index, whatever the number of rows."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from purchase_intent.models import Session
from purchase_intent.segments.presets import install
from tests.integration.desk.things import visitor, walk

pytestmark = [pytest.mark.skipif("config.getoption('--database') != 'postgres'", reason="a plan of PostgreSQL's")]

VISITORS = """
    INSERT INTO purchase_intent_visitor
        (site, cookie, known, customer, past, first_seen, last_seen, bot, bot_reason, score, band)
    SELECT '', 'c' || n, n % 5 = 0, CASE WHEN n % 5 = 0 THEN 'customer' || n ELSE '' END, '', at, at,
        CASE WHEN n % 50 = 0 THEN 'crawler' ELSE '' END, '',
        CASE WHEN n % 2 = 0 THEN (n % 1000) / 1000.0 END, CASE WHEN n % 1000 = 998 THEN 'top_1' ELSE '' END
    FROM (SELECT n, timestamptz '2026-01-01' + n * interval '1 minute' AS at FROM generate_series(1, 20000) n) rows
"""
SESSIONS = """
    INSERT INTO purchase_intent_session
        (site, key, visitor_id, started_at, last_at, state, past, version, sequence, has_news, stage, landing, device,
         channel, country, score, band, closed_at, outcome)
    SELECT '', 's' || id, id, last_seen, last_seen, '', '', 0, 0, false, 1 + id % 4, 0, '', '', '', 0.1,
        CASE WHEN id % 100 = 0 THEN 'top_1' ELSE '' END, last_seen, 'left'
    FROM purchase_intent_visitor
"""
LISTS = "/admin/purchase_intent/"


@pytest.fixture
def filled(db: None) -> Session:
    """20,000 customers with a session each, and one whose events are stored; and the built-in segments."""
    install(now=timezone.now())  # a test before this one may have emptied the tables
    with connection.cursor() as cursor:
        cursor.execute(VISITORS)
        cursor.execute(SESSIONS)
        session = walk(visitor("walker"), "walked")
        cursor.execute("ANALYZE")
    return session


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("visitor/", id="customers"),
        pytest.param("visitor/?band=top_1", id="customers of a band"),
        pytest.param("visitor/?known=yes", id="known customers"),
        pytest.param("visitor/?who=shoppers", id="shoppers"),
        pytest.param("visitor/?who=bots", id="bots"),
        pytest.param("visitor/?segment=new-visitors", id="customers of a segment"),
        pytest.param("visitor/?q=customer500", id="customers searched"),
        pytest.param("session/", id="sessions"),
        pytest.param("session/?band=top_1", id="sessions of a band"),
        pytest.param("session/?stage=3", id="sessions of a stage"),
        pytest.param("session/?open=now", id="sessions open now"),
        pytest.param("session/?q=s500", id="sessions searched"),
        pytest.param("session/{key}/change/", id="the page of a session"),
        pytest.param("visitor/{visitor}/change/", id="the page of a customer"),
    ],
)
def test_no_table_that_grows_is_read_whole(desk: Client, filled: Session, path: str) -> None:
    with CaptureQueriesContext(connection) as asked:
        page = desk.get(LISTS + path.format(key=filled.pk, visitor=filled.visitor_id))
    assert page.status_code == 200
    plans = {}
    with connection.cursor() as cursor:
        # A small table is read whole though an index would do: here only where none does.
        cursor.execute("SET LOCAL enable_seqscan = off")
        for query in asked.captured_queries:
            if query["sql"].startswith("SELECT") and "purchase_intent_" in query["sql"]:
                cursor.execute("EXPLAIN " + query["sql"].replace("%", "%%"))
                plans[query["sql"]] = "\n".join(line for (line,) in cursor.fetchall())
    assert len(plans) >= 2
    whole = [
        (sql, plan)
        for sql, plan in plans.items()
        if any(f"Seq Scan on purchase_intent_{table}" in plan for table in ("visitor", "session", "event"))
    ]
    assert whole == []
