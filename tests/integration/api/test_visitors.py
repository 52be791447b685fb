"""Visitors over the API: their nightly scores, and why; and which rows a key may read."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from purchase_intent.models import ModelVersion, Scope, Visitor
from purchase_intent.scoring import serving
from tests.integration.models.builders import NOON, session, visitor
from tests.integration.scoring.recorded import BOUGHT, recorded
from tests.integration.tracking.sending import key_of

LIST = "/intent/v1/visitors/"
SCORED: dict[str, Any] = {"scored_at": NOON, "score": 0.2, "band": "top_5"}


@pytest.fixture
def four(db: None) -> list[Visitor]:
    """One scored for the week, one for the next visit, one without a score on another site, and a crawler."""
    serving.forget()
    return [
        visitor("ada", customer="c-1", last_seen=NOON + timedelta(days=2), score_days=7.0, churn=0.3, **SCORED),
        visitor("ben", last_seen=NOON + timedelta(days=1), **SCORED | {"band": ""}),
        visitor("cy", site="fr", last_seen=NOON),
        visitor("crawler", bot="search"),
    ]


@pytest.fixture
def key(db: None) -> dict[str, str]:
    """The header of a server that may read scores of the one site without a name."""
    return key_of(Scope.SCORES)


def get(headers: dict[str, str], path: str = "", status: int = 200) -> Any:
    response = Client().get(LIST + path, headers=headers)
    assert response.status_code == status, response.content
    assert response["Content-Type"] == ("application/json" if status == 200 else "application/problem+json")
    return response.json()


def numbers(found: Any) -> list[int]:
    return [each["visitor"] for each in found["results"]]


def test_staff_see_all_sites_and_a_key_its_own(four: list[Visitor], key: dict[str, str], merchandiser: User) -> None:
    ada, ben, cy, _ = [each.pk for each in four]
    api = APIClient()
    api.force_login(merchandiser)
    assert api.get(LIST).json()["code"] == "permission_denied"
    merchandiser.user_permissions.add(Permission.objects.get(codename="view_visitor"))
    assert numbers(api.get(LIST).json()) == [ada, ben, cy]
    assert numbers(get(key)) == [ada, ben]
    assert numbers(get(key_of(Scope.SCORES, site="fr"))) == [cy]
    assert get(key, f"{cy}/", 404)["code"] == "visitor_not_found"
    assert get(key_of(Scope.PREDICT), "", 403)["code"] == "permission_denied"
    assert get({}, "", 401)["code"] == "not_authenticated"


def test_one_visitor_is_told_of_in_full(four: list[Visitor], key: dict[str, str]) -> None:
    found = get(key, f"{four[0].pk}/")
    assert found == get(key)["results"][0]
    assert found | {"scored_at": "", "first_seen": "", "last_seen": ""} == {
        "visitor": four[0].pk,
        "site": "",
        "customer": "c-1",
        "known": False,
        "score": 0.2,
        "band": "top_5",
        "horizon": "week",
        "churn": 0.3,
        "revenue_28d": None,
        "value_12m": None,
        "scored_at": "",
        "first_seen": "",
        "last_seen": "",
    }
    assert get(key, f"{10**30}/", 404)["code"] == "visitor_not_found"


@pytest.mark.parametrize(
    ("query", "places"),
    [
        ("band=top_5", [0]),
        ("band=top_1", []),
        ("horizon=week", [0]),
        ("horizon=session", [1]),
        ("active_since=2026-03-02T13:00:00Z", [0]),
        ("active_since=2026-03-01T12:00:00Z", [0, 1]),
        ("customer=c-1", [0]),
        ("site=fr", []),
        ("page_size=1", [0]),
    ],
)
def test_filters(four: list[Visitor], key: dict[str, str], query: str, places: list[int]) -> None:
    assert numbers(get(key, f"?{query}")) == [four[place].pk for place in places]


@pytest.mark.parametrize(
    "query",
    [
        "band=top_2",
        "horizon=year",
        "active_since=soon",
        "customer=%00",
        "page_size=0",
        "cursor=x",
        "cursor=cD1zb29u",
        "who=me",
    ],
)
def test_a_filter_that_is_none_is_refused(four: list[Visitor], key: dict[str, str], query: str) -> None:
    problem = get(key, f"?{query}", 400)
    assert (problem["code"], problem["errors"][0]["field"]) == ("invalid", query.partition("=")[0])


def test_pages_go_on_and_cost_one_query_each(four: list[Visitor], key: dict[str, str]) -> None:
    first = get(key, "?page_size=1")
    with CaptureQueriesContext(connection) as asked:
        second = Client().get(first["next"], headers=key).json()
    assert (numbers(first), numbers(second)) == ([four[0].pk], [four[1].pk])
    assert [query["sql"] for query in asked if '"past"' in query["sql"]] == []
    assert len(asked) == 1


def test_why_adds_up_by_rules_and_by_the_champion(key: dict[str, str], champion: ModelVersion) -> None:
    number = recorded(*BOUGHT).visitor_id
    why = get(key, f"{number}/explanation/?reasons=2")
    assert (why["standing"], why["model"], why["horizon"], len(why["reasons"])) == ("scored", champion.pk, "session", 2)
    total = why["base"] + sum(item["effect"] for item in why["contributions"])
    assert total == pytest.approx(why["log_odds"], abs=1e-5)
    values = {item["feature"]: item["value"] for item in why["contributions"]}
    assert (values["past_purchases"], values["cart_units"]) == (1, 0)
    ModelVersion.objects.update(status="archived")
    serving.forget()
    why = get(key, f"{number}/explanation/")
    assert (why["standing"], why["model"]) == ("rules", None)
    assert why["base"] + sum(item["effect"] for item in why["contributions"]) == pytest.approx(why["log_odds"])
    assert get(key, "99/explanation/", 404)["code"] == "visitor_not_found"
    assert get(key, f"{number}/explanation/?reasons=21", 400)["code"] == "invalid"


def test_a_key_reads_sessions_of_its_own_site(key: dict[str, str]) -> None:
    session(visitor("ada"), "here")
    session(visitor("cy", site="fr"), "there", site="fr")
    client = Client(headers=key)
    found = client.get("/intent/v1/sessions/").json()["results"]
    assert [each["key"] for each in found] == ["here"]
    assert client.get("/intent/v1/sessions/here/score/").status_code == 200
    assert client.get("/intent/v1/sessions/there/score/").json()["code"] == "session_not_found"
    assert client.get("/intent/v1/sessions/a\x00b/score/").json()["code"] == "session_not_found"
