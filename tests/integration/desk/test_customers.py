"""Customers and orders at the desk."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from demo_shop.intent import TidewellShop
from purchase_intent.events import EventName
from purchase_intent.models import Event, Order, Status
from tests.integration.desk.conftest import Clerk
from tests.integration.desk.things import BEGIN, version, visitor, walk

LIST = "/admin/purchase_intent/visitor/"
ORDERS = "/admin/purchase_intent/order/"
SESSIONS = "/admin/purchase_intent/session/"


def names(desk: Client, query: str = "") -> list[str]:
    """The customers of the list, in its order."""
    page = desk.get(LIST + query).content.decode()
    return re.findall(r'field-who"><a [^>]*>(?:Customer|Visitor) ([^<]+)</a>', page)


def words(desk: Client, path: str) -> str:
    """A page as one line of text, without tags."""
    page = desk.get(path)
    assert page.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.content.decode()))


def test_the_list_asks_as_often_for_fifty_as_for_one(
    desk: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    walk(visitor("a"))
    with django_assert_num_queries(
        9
    ):  # the login (2), a model for customers, segments, the overview, the count, the page (3)
        desk.get(LIST)
    for place in range(50):
        walk(visitor(f"v{place}", score=0.2), f"k{place}")
    with django_assert_num_queries(9):
        assert desk.get(LIST).content.count(b"field-who") == 50


def test_the_desk_has_names_of_its_own(desk: Client) -> None:
    visitor("a")
    index = desk.get("/admin/").content.decode()
    ours = re.findall(r'<a href="/admin/purchase_intent/\w+/">([^<]+)</a>', index)
    assert ours == [
        "API keys",
        "Customers",
        "Dead letters",
        "Exclusion groups",
        "Experiments",
        "Holdouts",
        "Merges",
        "Model health reports",
        "Model versions",
        "Recorded orders",
        "Segments",
        "Sessions",
    ]
    assert "Home &rsaquo; Purchase intent &rsaquo; Customers" in words(desk, LIST)
    assert "Home &rsaquo; Purchase intent &rsaquo; Recorded orders" in words(desk, ORDERS)


def test_a_number_alone_is_no_name(desk: Client) -> None:
    one = visitor("a", customer="1", known=True, score=0.3, band="top_5")
    assert "30% Customer 1 top 5%" in words(desk, LIST)
    assert re.search(r"Customer 1 30% on the next visit top 5% .* ago", words(desk, LIST))
    assert "Customers &rsaquo; Customer 1" in words(desk, f"{LIST}{one.pk}/change/")


def test_a_browsers_id_is_cut_in_lists_and_whole_in_the_title_and_on_the_page(desk: Client) -> None:
    cookie = "0123456789abcdef" * 2
    owner = visitor(cookie)
    session = walk(owner)
    for path in (LIST, SESSIONS):
        assert f'<span title="{cookie}">Visitor 01234567…</span>' in desk.get(path).content.decode()
    for path in (f"{LIST}{owner.pk}/change/", f"{SESSIONS}{session.pk}/change/"):
        assert f"Cookie id {cookie}" in words(desk, path)


def test_the_count_beside_the_search_is_of_what_was_searched(desk: Client) -> None:
    visitor("a")
    visitor("b")
    assert "Show all" not in words(desk, LIST)
    assert "1 result ( Show all )" in words(desk, f"{LIST}?q=a")
    assert "2 results ( Show all )" in words(desk, f"{LIST}?known=no")


def test_the_page_asks_as_often_for_many_sessions_as_for_one(
    desk: Client, steady: None, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    one, many = visitor("a"), visitor("b")
    walk(one, "one")
    for place in range(25):
        walk(many, f"k{place}", begin=BEGIN + timedelta(hours=place))
    desk.get(f"{LIST}{one.pk}/change/")
    with django_assert_num_queries(7):
        desk.get(f"{LIST}{one.pk}/change/")
    with django_assert_num_queries(7):
        desk.get(f"{LIST}{many.pk}/change/")
    assert "The latest 20." in words(desk, f"{LIST}{many.pk}/change/")


def test_a_list_says_why_it_is_empty(desk: Client) -> None:
    assert "No customers yet, because nobody has been recorded." in words(desk, LIST)
    assert "No customer is scored yet: scores come with the nightly task" in words(desk, LIST)
    assert "No orders yet, because none was recorded" in words(desk, ORDERS)


def test_a_row_tells_the_latest_session(desk: Client) -> None:
    owner = visitor("v", customer="ada", known=True, score=0.034, band="top_20")
    walk(owner, "a", score=0.6)
    walk(owner, "b", begin=BEGIN + timedelta(days=1), score=0.412)
    visitor("nobody", last_seen=BEGIN + timedelta(days=2))
    page = desk.get(LIST).content.decode()
    cells = re.findall(r'field-(chance|band_in_words|latest_stage|latest_score|visits)">([^<]+)<', page)
    assert cells == [
        ("chance", "not scored yet"),
        ("band_in_words", "-"),
        ("latest_stage", "none"),
        ("latest_score", "-"),
        ("visits", "0"),
        ("chance", "3% on the next visit"),
        ("band_in_words", "top 20%"),
        ("latest_stage", "checkout"),
        ("latest_score", "41%"),
        ("visits", "2"),
    ]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        pytest.param("", ["staff", "bot", "ada", "anon"], id="the latest first"),
        pytest.param("?band=scored", ["ada", "anon"], id="scored, likeliest first"),
        pytest.param("?band=top_1", ["ada"], id="band"),
        pytest.param("?known=yes", ["ada"], id="known"),
        pytest.param("?known=no", ["staff", "bot", "anon"], id="anonymous"),
        pytest.param("?who=shoppers", ["ada", "anon"], id="shoppers"),
        pytest.param("?who=bots", ["bot"], id="bots"),
        pytest.param("?who=staff", ["staff"], id="staff"),
        pytest.param("?seen=hour", ["staff"], id="seen in the last hour"),
        pytest.param("?q=ada", ["ada"], id="by customer"),
        pytest.param("?q=c-ada", ["ada"], id="by cookie"),
        pytest.param("?q=s-ada", ["ada"], id="by session"),
        pytest.param("?q=o1", ["ada"], id="by order"),
        pytest.param("?q=ad", [], id="part of a key"),
    ],
)
def test_filters_and_search(desk: Client, query: str, found: list[str]) -> None:
    visitor("anon", score=0.2, band="top_5")
    ada = visitor("c-ada", customer="ada", known=True, score=0.6, band="top_1", last_seen=BEGIN + timedelta(hours=1))
    visitor("bot", bot="crawler", bot_reason="says so", last_seen=BEGIN + timedelta(hours=2))
    visitor("staff", bot="staff", last_seen=timezone.now())
    session = walk(ada, "s-ada")
    Order.objects.create(number="o1", visitor=ada, session=session, revenue=Decimal(5), placed_at=BEGIN)
    assert names(desk, query) == found


def test_a_page_sums_revenue_over_orders_and_gives_the_label_its_reason(desk: Client) -> None:
    owner = visitor("v", customer="ada", score=0.41, band="top_5", scored_at=BEGIN, bot="crawler", bot_reason="says so")
    for number, revenue in (("o1", "1200.50"), ("o2", "19.95")):
        Order.objects.create(number=number, visitor=owner, revenue=Decimal(revenue), currency="EUR", placed_at=BEGIN)
    said = words(desk, f"{LIST}{owner.pk}/change/")
    assert "41% that the next visit buys: top 5%" in said
    assert "Together 1,220.45 EUR ." in said
    assert "bot: crawler (says so)" in said
    assert "No session, because none is stored" in said


def test_an_order_leads_to_its_customer_and_session(desk: Client) -> None:
    session = walk(visitor("v"))
    order = Order.objects.create(
        number="n" * 60, visitor=session.visitor, session=session, revenue=Decimal(5), currency="EUR", placed_at=BEGIN
    )
    page = desk.get(f"{ORDERS}{order.pk}/change/").content.decode()
    assert f"/visitor/{session.visitor_id}/change/" in page
    assert f"/session/{session.pk}/change/" in page
    assert f'<span title="{"n" * 60}">{"n" * 29}…</span>' in desk.get(ORDERS).content.decode()
    assert words(desk, f"{ORDERS}?q={'n' * 60}").count("5.00 EUR") == 1
    assert words(desk, f"{ORDERS}?q={'n' * 59}").count("5.00 EUR") == 0


def test_the_page_of_an_order_says_what_was_bought(
    desk: Client, steady: None, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    monkeypatch.setattr(TidewellShop, "product_names", lambda self, products: {"kettle": "Copper Kettle"})
    session = walk(visitor("v"), names=(EventName.PURCHASE,))
    order = Order.objects.create(
        number="o1", visitor=session.visitor, session=session, revenue=Decimal("19.5"), currency="EUR", placed_at=BEGIN
    )
    said = words(desk, f"{ORDERS}{order.pk}/change/")
    assert "What was bought" in said
    assert "Copper Kettle 19.50 EUR 1 " in said
    with django_assert_num_queries(4):  # the login (2), the order, its lines
        desk.get(f"{ORDERS}{order.pk}/change/")
    Event.objects.filter(session=session).delete()
    assert "Its lines are not known" in words(desk, f"{ORDERS}{order.pk}/change/")


def test_of_very_many_the_list_counts_only_so_far(desk: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("purchase_intent.admin.lists.CAP", 60)
    for place in range(61):
        visitor(f"v{place}")
    assert "More than 60 customers" in words(desk, LIST).replace("visitors", "customers")
    assert desk.get(LIST + "?p=2").content.count(b"field-who") == 10
    assert desk.get(LIST + "?p=3").status_code == 302


@pytest.mark.parametrize("path", [LIST, ORDERS])
def test_nobody_looks_who_may_not(clerk: Clerk, path: str) -> None:
    assert clerk("view_session").get(path).status_code == 403


def test_what_is_expected_is_a_column_once_a_model_says_it(desk: Client) -> None:
    visitor("a", churn=0.62, revenue_28d=12.5, score=0.08, score_days=7)
    before = desk.get(LIST).content.decode()
    assert "away for 30 days" not in before
    assert "By what is expected" not in before
    version(horizon="week", status=Status.CHAMPION)
    page = desk.get(LIST).content.decode()
    assert re.findall(r'field-lost">([^<]+)<', page) == ["62%"]
    assert re.findall(r'field-revenue">([^<]+)<', page) == ["12.50 EUR"]
    assert "By what is expected" in page
    assert desk.get(f"{LIST}?by=churn").content.decode().count("field-lost") == 1
