"""The list of sessions: its filters, its pages, and who may see it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from purchase_intent.models import Session, Stage
from tests.integration.models.builders import NOON, session, visitor

LIST = "/intent/v1/sessions/"


@pytest.fixture
def three(db: None) -> list[Session]:
    """An open one in the cart, one that has bought, one that only browsed; the latest first."""
    ada, ben = visitor("ada"), visitor("ben")
    closed = {"closed_at": NOON + timedelta(hours=1)}
    return [
        session(ada, "cart", last_at=NOON + timedelta(minutes=9), stage=Stage.CART, score=0.25, band="top_5"),
        session(ben, "bought", last_at=NOON + timedelta(minutes=5), stage=Stage.BOUGHT, outcome="bought", **closed),
        session(ben, "seen", stage=Stage.BROWSING, score=0.01, outcome="left", **closed),
    ]


def keys(response: Any) -> list[str]:
    assert response.status_code == 200, response.content
    return [item["key"] for item in response.json()["results"]]


def test_the_latest_come_first_as_the_database_has_them(api: APIClient, three: list[Session]) -> None:
    response = api.get(LIST)
    assert keys(response) == ["cart", "bought", "seen"]
    assert response.json()["results"][0] == {
        "key": "cart",
        "site": "",
        "visitor": three[0].visitor_id,
        "stage": "cart",
        "score": 0.25,
        "band": "top_5",
        "last_at": "2026-03-01T13:09:00+01:00",
        "open": True,
    }
    assert (response.json()["next"], response.json()["previous"]) == (None, None)


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("band=top_5", ["cart"]),
        ("band=top_1", []),
        ("stage=bought", ["bought"]),
        ("open=true", ["cart"]),
        ("open=false", ["bought", "seen"]),
        ("open=false&stage=browsing", ["seen"]),
    ],
)
def test_filters(api: APIClient, three: list[Session], query: str, wanted: list[str]) -> None:
    assert keys(api.get(f"{LIST}?{query}")) == wanted


@pytest.mark.parametrize(
    ("query", "errors"),
    [
        pytest.param(
            "band=top_2", {"band": "“top_2” is none of them. Use one of: top_1, top_5, top_20."}, id="no band"
        ),
        pytest.param(
            "stage=till",
            {"stage": "“till” is none of them. Use one of: none, browsing, product, cart, checkout, bought."},
            id="no stage",
        ),
        pytest.param("open=yes", {"open": "“yes” is none of them. Use one of: true, false."}, id="neither"),
        pytest.param(
            "page_size=201", {"page_size": "Ensure this value is less than or equal to 200."}, id="a page too long"
        ),
        pytest.param(
            "bnad=top_1",
            {"bnad": "Not a parameter. Use one of: band, stage, open, page_size, cursor."},
            id="a slip of the pen",
        ),
        pytest.param(
            "cursor=x",
            {"cursor": "Not a cursor of this list. Take it from next or previous of a page, or leave it out."},
            id="no cursor",
        ),
        pytest.param(
            "open=yes&stage=till",
            {
                "stage": "“till” is none of them. Use one of: none, browsing, product, cart, checkout, bought.",
                "open": "“yes” is none of them. Use one of: true, false.",
            },
            id="two at once",
        ),
    ],
)
def test_a_filter_that_is_none_is_named_with_its_remedy(api: APIClient, query: str, errors: dict[str, str]) -> None:
    response = api.get(f"{LIST}?{query}")
    assert (response.status_code, response["Content-Type"]) == (400, "application/problem+json")
    assert response.json() == {
        "type": "about:blank",
        "title": "Bad Request",
        "status": 400,
        "detail": " ".join(f"{name}: {text}" for name, text in errors.items()),
        "code": "invalid",
        "errors": [{"field": name, "detail": text} for name, text in errors.items()],
    }


def test_pages_go_on_and_back(api: APIClient, three: list[Session]) -> None:
    first = api.get(f"{LIST}?page_size=2")
    second = api.get(first.json()["next"])
    assert (keys(first), keys(second), second.json()["next"]) == (["cart", "bought"], ["seen"], None)
    assert keys(api.get(second.json()["previous"])) == ["cart", "bought"]


def test_pages_lose_none_of_one_moment(api: APIClient, three: list[Session]) -> None:
    Session.objects.update(last_at=NOON)
    first = api.get(f"{LIST}?page_size=2")
    assert keys(first) + keys(api.get(first.json()["next"])) == ["seen", "bought", "cart"]


def test_bots_and_the_shops_own_people_are_left_out(api: APIClient, three: list[Session]) -> None:
    session(visitor("crawler", bot="search"), "crawled")
    session(visitor("colleague", bot="staff"), "tried")
    assert keys(api.get(LIST)) == ["cart", "bought", "seen"]


def test_one_query_lists_them_without_their_states(api: APIClient, merchandiser: User, three: list[Session]) -> None:
    client = APIClient()
    client.force_authenticate(User.objects.create_superuser("root"))
    with CaptureQueriesContext(connection) as asked:
        client.get(LIST)
    (query,) = asked
    assert '"state"' not in query["sql"]


@pytest.mark.parametrize(
    ("user", "code", "status"),
    [
        pytest.param(None, "not_authenticated", 401, id="nobody"),
        pytest.param({}, "permission_denied", 403, id="a customer"),
        pytest.param({"is_staff": True}, "permission_denied", 403, id="staff without the permission"),
        pytest.param({"may": True}, "permission_denied", 403, id="the permission without being staff"),
    ],
)
@pytest.mark.parametrize("path", ["", "cart/score/", "cart/explanation/"])
def test_who_may_not_ask(three: list[Session], path: str, user: dict[str, bool] | None, code: str, status: int) -> None:
    client = APIClient()
    if user is not None:
        asking = User.objects.create_user("somebody", is_staff=user.get("is_staff", False))
        if user.get("may"):
            asking.user_permissions.add(
                Permission.objects.get(codename="view_session", content_type__app_label="purchase_intent")
            )
        client.force_login(asking)
    response = client.get(LIST + path)
    assert (response.status_code, response["Content-Type"]) == (status, "application/problem+json")
    assert response.json()["code"] == code
    assert "results" not in response.json()


def test_nothing_can_be_written(api: APIClient, three: list[Session]) -> None:
    for method in ("post", "put", "patch", "delete"):
        response = getattr(api, method)(LIST)
        assert (response.status_code, response.json()["code"]) == (405, "method_not_allowed")
    assert Session.objects.count() == 3


def test_a_database_that_is_gone_is_said(
    api: APIClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def gone(*args: object) -> None:
        raise DatabaseError("server closed the connection")

    monkeypatch.setattr(Session.objects, "of_people", gone)
    response = api.get(LIST)
    assert (response.status_code, response["Content-Type"]) == (503, "application/problem+json")
    assert response.json()["code"] == "database_unavailable"
    assert "Try again in a minute" in response.json()["detail"]
    assert [record.getMessage() for record in caplog.records if record.name == "purchase_intent.api.problems"] == [
        "The API cannot answer: the database does not"
    ]
