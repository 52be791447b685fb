"""Sessions at the desk: the list, its filters and search, and the page of one."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from demo_shop.intent import TidewellShop
from purchase_intent.admin.shoppers.verdicts import verdict_of
from purchase_intent.events import EventName
from purchase_intent.models import ModelVersion, Order, Session
from tests.integration.desk.conftest import Clerk
from tests.integration.desk.things import BEGIN, version, visitor, walk

LIST = "/admin/purchase_intent/session/"


def names(desk: Client, query: str = "") -> list[str]:
    """The customers of the list, in its order."""
    page = desk.get(LIST + query).content.decode()
    return re.findall(r'field-who"><a [^>]*>Customer ([^<]+)</a>', page)


def words(desk: Client, session: Session) -> str:
    """The session's page as one line of text, without tags."""
    page = desk.get(f"{LIST}{session.pk}/change/")
    assert page.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.content.decode()))


def test_the_list_asks_as_often_for_fifty_as_for_one(
    desk: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    walk(visitor("a"))
    with django_assert_num_queries(5):  # the login (2), the overview, the capped count, the page
        desk.get(LIST)
    for place in range(50):
        walk(visitor(f"v{place}"), f"k{place}", score=0.2)
    with django_assert_num_queries(5):
        assert desk.get(LIST).content.count(b"field-who") == 50


def test_the_page_asks_as_often_for_many_events_as_for_few(
    desk: Client, steady: None, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    few = walk(visitor("a"), "few")
    many = walk(visitor("b"), "many", (EventName.VIEW,) * 300)
    desk.get(f"{LIST}{few.pk}/change/")
    with django_assert_num_queries(8):
        desk.get(f"{LIST}{few.pk}/change/")
    with django_assert_num_queries(8):
        desk.get(f"{LIST}{many.pk}/change/")


def test_with_a_model_and_its_reasons_the_page_asks_no_more(
    desk: Client, champion: ModelVersion, steady: None, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    few = walk(visitor("a"), "few")
    many = walk(visitor("b"), "many", (EventName.VIEW, EventName.CART) * 150)
    said = words(desk, few)
    assert f"by model {champion.pk}" in said
    assert "times the odds" in said
    for session in (few, many):
        with django_assert_num_queries(8):
            desk.get(f"{LIST}{session.pk}/change/")


def test_a_list_says_why_it_is_empty(desk: Client) -> None:
    assert "No sessions yet, because no event has been recorded." in desk.get(LIST).content.decode()
    assert "Nothing matches this search" in desk.get(LIST + "?stage=3").content.decode()


def test_scores_are_told_without_false_precision(desk: Client) -> None:
    for place, score in enumerate((0.004, 0.034, 0.414, 0.999, None)):
        walk(visitor(f"v{place}"), f"k{place}", score=score)
    page = desk.get(LIST).content.decode()
    assert re.findall(r'field-chance">([^<]+)<', page) == ["not scored", "&gt;99%", "41%", "3%", "&lt;1%"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        pytest.param("", ["bot", "late", "buyer", "early"], id="the latest first"),
        pytest.param("?band=top_5", ["early"], id="band"),
        pytest.param("?stage=5", ["buyer"], id="stage"),
        pytest.param("?outcome=bought", ["buyer"], id="bought"),
        pytest.param("?outcome=left", ["early"], id="left"),
        pytest.param("?open=now", ["late", "bot"], id="open now, likeliest first"),
        pytest.param("?who=shoppers", ["late", "buyer", "early"], id="shoppers"),
        pytest.param("?who=bots", ["bot"], id="bots"),
        pytest.param("?who=staff", [], id="staff"),
        pytest.param("?stage=nonsense", ["bot", "late", "buyer", "early"], id="a value that does not exist"),
        pytest.param("?q=s-early", ["early"], id="by session key"),
        pytest.param("?q=buyer", ["buyer"], id="by customer"),
        pytest.param("?q=+c-late+", ["late"], id="by cookie, blanks around it"),
        pytest.param("?q=o1", ["buyer"], id="by order number"),
        pytest.param("?q=earl", [], id="part of a key"),
        pytest.param("?q=" + "x" * 600, [], id="longer than any key"),
    ],
)
def test_filters_and_search(desk: Client, query: str, found: list[str]) -> None:
    now = timezone.now()
    early = visitor("c-early", customer="early", known=True)
    walk(early, "s-early", score=0.3, band="top_5", closed_at=BEGIN, outcome="left")
    buyer = visitor("c-buyer", customer="buyer", known=True)
    bought = walk(
        buyer,
        "s-buyer",
        (EventName.VIEW, EventName.CART, EventName.PURCHASE),
        begin=BEGIN + timedelta(hours=1),
        closed_at=now,
        outcome="bought",
    )
    Order.objects.create(number="o1", visitor=buyer, session=bought, revenue=Decimal("19.5"), placed_at=bought.last_at)
    walk(visitor("c-late", customer="late"), "s-late", begin=now - timedelta(minutes=10), score=0.5)
    bot = visitor("c-bot", customer="bot", bot="crawler", bot_reason="says so")
    walk(bot, "s-bot", (EventName.VIEW,), begin=now - timedelta(minutes=5), score=0.1)
    assert names(desk, query) == found


def test_who_is_about_to_buy_stands_above_the_list(desk: Client) -> None:
    now = timezone.now() - timedelta(minutes=5)
    for place, score in enumerate((0.1, 0.7, 0.4)):
        walk(visitor(f"v{place}"), f"k{place}", begin=now, score=score)
    walk(visitor("gone"), "gone", score=0.9)
    walk(visitor("bot", bot="crawler"), "bot", begin=now, score=0.95)
    box = desk.get(LIST).content.decode().split("desk-likeliest-title", 1)[1].split("</section>")[0]
    assert re.findall(r"<strong>([^<]+)</strong>", box) == ["70%", "40%", "10%"]


def test_a_page_gives_the_verdict_its_reasons_and_the_events_in_words(desk: Client) -> None:
    session = walk(visitor("v"), begin=timezone.now() - timedelta(minutes=3), channel="paid search")
    said = words(desk, session)
    assert re.search(r"About \d+%, by rules of thumb", said)
    assert "No model serves yet: train one with intent_train." in said
    assert "speaks for a purchase" in said
    assert re.search(r"1:00 Added to the basket kettle 19\.50( EUR)? 1 19\.50", said)
    assert "Channel paid search" in said
    assert "Landing page" in said


@pytest.mark.parametrize("canvas", ["wide", "narrow"])
def test_the_chart_has_axes_a_label_at_its_end_and_a_table(desk: Client, canvas: str) -> None:
    page = desk.get(f"{LIST}{walk(visitor('v')).pk}/change/").content.decode()
    chart = page.split(f'<svg class="desk-chart desk-chart-{canvas}"')[1].split("</svg>")[0]
    assert f'<title id="chart-title-{canvas}">Chance of a purchase along the session</title>' in chart
    assert "<desc" in chart
    assert "chance of a purchase, %" in chart
    assert "time since the session began" in chart
    assert re.search(r'font-weight="bold" font-size="16">\d+%<', chart)
    assert {"basket", "checkout"} <= set(re.findall(r'font-size="12">([^<]+)<', chart))
    assert "style=" not in page
    assert "The same as a table" in page


def test_a_session_without_events_is_told_as_such(desk: Client) -> None:
    said = words(desk, walk(visitor("v"), names=()))
    assert "Not scored Nothing is known of this session: no event of it is stored yet." in said
    assert "No line yet, because fewer than two events" in said
    assert "No events, because none of this session is stored" in said


def test_of_too_many_events_the_latest_are_shown(desk: Client) -> None:
    said = words(desk, walk(visitor("v"), "long", (EventName.VIEW,) * 253))
    assert "The latest 250 of 253 events." in said


def test_long_names_are_cut_in_the_list_and_whole_in_the_title(desk: Client) -> None:
    name = "<b>" + "n" * 60
    session = walk(visitor("v", customer=name), product="<i>" + "p" * 60)
    page = desk.get(LIST).content.decode()
    assert f'<span title="Customer &lt;b&gt;{"n" * 60}">Customer &lt;b&gt;{"n" * 17}…</span>' in page
    whole = desk.get(f"{LIST}{session.pk}/change/").content.decode()
    assert f'title="&lt;i&gt;{"p" * 60}"' in whole
    assert "<i>p" not in whole


def test_what_happened_is_said_for_a_closed_session(desk: Client) -> None:
    left = walk(visitor("a"), "a", closed_at=BEGIN, outcome="left", score=0.12)
    bought = walk(visitor("b"), "b", (EventName.VIEW, EventName.PURCHASE), closed_at=BEGIN, outcome="bought")
    assert "Left without buying; the last score was 12%" in words(desk, left)
    assert "Will it buy? Bought Whether it will buy is no question any more." in words(desk, bought)


def test_products_go_by_the_names_that_the_shop_gives(desk: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[set[str]] = []

    def names(shop: TidewellShop, products: set[str]) -> dict[str, str]:
        asked.append(set(products))
        return {"kettle": "Copper Kettle"}

    monkeypatch.setattr(TidewellShop, "product_names", names)
    page = desk.get(f"{LIST}{walk(visitor('v')).pk}/change/").content.decode()
    assert '<td class="desk-name" title="Copper Kettle (kettle)">Copper Kettle</td>' in page
    assert asked == [{"kettle"}]


def test_where_the_shop_fails_to_name_products_their_keys_stand(
    desk: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(shop: TidewellShop, products: set[str]) -> dict[str, str]:
        raise KeyError("catalogue")

    monkeypatch.setattr(TidewellShop, "product_names", broken)
    page = desk.get(f"{LIST}{walk(visitor('v')).pk}/change/").content.decode()
    assert '<td class="desk-name" title="kettle">kettle</td>' in page
    assert [record.getMessage() for record in caplog.records] == [
        "Products are shown by their keys: mend product_names of the shop's adapter."
    ]


def test_a_session_that_ended_is_explained_as_of_its_last_event(desk: Client) -> None:
    long_ago = walk(visitor("a"), "a")
    closed = walk(
        visitor("b"), "b", begin=timezone.now() - timedelta(minutes=20), closed_at=timezone.now(), outcome="left"
    )
    for session in (long_ago, closed):
        said = verdict_of(session, now=timezone.now())
        assert said == verdict_of(session, now=session.last_at)
    going_on = walk(visitor("c"), "c", begin=timezone.now() - timedelta(minutes=20))
    assert verdict_of(going_on, now=timezone.now()) != verdict_of(going_on, now=going_on.last_at)


def test_a_damaged_bundle_is_named_with_its_remedy(
    desk: Client, bundle_folder: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = version(status="champion")
    said = words(desk, walk(visitor("v")))
    assert f"Model {broken.pk} cannot serve. The bundle of model {broken.pk} cannot be read from the storage" in said
    assert "restore it from a backup, roll back to another version, or train again" in said
    assert "by rules of thumb" in said


@pytest.mark.parametrize("path", ["", "1/change/"])
def test_nobody_looks_who_may_not(clerk: Clerk, path: str) -> None:
    walk(visitor("v"), "s")
    key = Session.objects.get().pk
    assert clerk("view_order").get(LIST + path.replace("1", str(key))).status_code == 403


def test_who_may_look_may_not_edit_add_or_delete(clerk: Clerk) -> None:
    session = walk(visitor("v"))
    client = clerk("view_session", "change_session", "add_session", "delete_session")
    page = f"{LIST}{session.pk}/"
    assert client.post(f"{page}change/", {"key": "other"}).status_code == 200
    assert client.get(LIST + "add/").status_code == 403
    assert client.post(f"{page}delete/", {"post": "yes"}).status_code == 403
    assert Session.objects.get().key == "s1"


def test_an_unknown_session_leads_back(desk: Client) -> None:
    assert desk.get(LIST + "12345/change/").status_code == 302


def test_times_are_on_the_shops_clock(desk: Client, settings: Settings) -> None:
    settings.PURCHASE_INTENT = {**settings.PURCHASE_INTENT, "TIME_ZONE": "Asia/Tokyo"}
    walk(visitor("v"))
    assert 'title="2026-03-01 21:02:00 JST"' in desk.get(LIST).content.decode()
