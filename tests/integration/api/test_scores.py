"""The score of a session and its explanation, over HTTP."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from purchase_intent.exceptions import ForkedTooLate
from purchase_intent.features.schema import FEATURES
from purchase_intent.models import ModelVersion, OfferBy, OfferRule, Recalibration, Session
from purchase_intent.scoring import score, serving
from tests.integration.models.builders import session, visitor
from tests.integration.scoring.recorded import BOUGHT, recorded


@pytest.fixture(autouse=True)
def no_champion_of_another_test() -> None:
    serving._seats.clear()


def get(api: APIClient, path: str, status: int = 200) -> dict[str, Any]:
    response = api.get(f"/intent/v1/sessions/{path}")
    assert response.status_code == status, response.content
    assert response["Content-Type"] == ("application/json" if status == 200 else "application/problem+json")
    found: dict[str, Any] = response.json()
    return found


def test_without_a_model_the_rules_answer_and_say_so(api: APIClient) -> None:
    recorded(*BOUGHT[:3])
    found = get(api, "s/score/")
    assert 0 < found.pop("probability") < 1
    assert found == {
        "session": "s",
        "site": "",
        "standing": "rules",
        "band": found["band"],
        "bands": found["bands"],
        "stage": "cart",
        "model": None,
        "recalibration": None,
        "offer": None,
        "moment": "2026-03-01T13:00:40+01:00",
    }
    why = get(api, "s/explanation/")
    assert why["log_odds"] == pytest.approx(
        why["base"] + sum(item["effect"] for item in why["contributions"]), abs=1e-9
    )
    assert {item["feature"] for item in why["contributions"]} == {"stage", "cart_units"}
    assert len(why["reasons"]) == 2


def test_the_champions_answer_adds_up(api: APIClient, champion: ModelVersion) -> None:
    recorded(*BOUGHT[:5])
    found, why = get(api, "s/score/"), get(api, "s/explanation/?reasons=3")
    assert (found["standing"], found["model"]) == ("scored", champion.pk)
    assert {name: why[name] for name in found} == found
    assert why["log_odds"] == pytest.approx(math.log(found["probability"] / (1 - found["probability"])), abs=1e-9)
    total = why["base"] + sum(item["effect"] for item in why["contributions"])
    assert total == pytest.approx(why["log_odds"], abs=1e-5)
    assert {item["feature"] for item in why["contributions"]} == {feature.name for feature in FEATURES}
    sizes = [abs(item["effect"]) for item in why["contributions"]]
    assert sizes == sorted(sizes, reverse=True)
    values = {item["feature"]: item["value"] for item in why["contributions"]}
    assert (values["cart_units"], values["cart_value"], values["since_past_purchase"]) == (2, 25.0, -1)


def test_a_correction_and_the_offer_are_told(api: APIClient, champion: ModelVersion) -> None:
    recorded(*BOUGHT[:5])
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    correction = Recalibration.objects.create(
        model=champion, intercept=0.4, fitted_from=noon, fitted_until=noon, sessions=41, buyers=3, begun_at=noon
    )
    OfferRule.objects.create(by=OfferBy.PROFIT, margin=20, cost=0, contact=0, odds_ratio=2, who="ada")
    found = get(api, "s/score/")
    assert found["recalibration"] == {
        "id": correction.pk,
        "slope": 1.0,
        "intercept": 0.4,
        "since": "2026-03-01T13:00:00+01:00",
        "sessions": 41,
    }
    assert found["offer"] is True
    assert get(api, "s/explanation/")["recalibration"] == found["recalibration"]


def test_the_causes_are_as_many_as_asked_for_and_made_of_the_contributions(
    api: APIClient, champion: ModelVersion
) -> None:
    recorded(*BOUGHT[:5])
    why = get(api, "s/explanation/?reasons=20")
    effects = {item["feature"]: item["effect"] for item in why["contributions"]}
    for reason in why["reasons"]:
        assert reason["effect"] == pytest.approx(sum(effects[name] for name in reason["features"]), abs=1e-9)
    assert len(why["reasons"]) > 1
    assert get(api, "s/explanation/?reasons=1")["reasons"] == why["reasons"][:1]
    assert get(api, "s/explanation/?reasons=0")["reasons"] == []


def test_a_session_that_has_bought_has_no_number(api: APIClient) -> None:
    recorded(*BOUGHT)
    why = get(api, "s/explanation/")
    assert (why["standing"], why["probability"], why["log_odds"], why["base"]) == ("already_bought", None, None, None)
    assert (why["stage"], why["reasons"], why["contributions"]) == ("bought", [], [])


def test_a_session_without_a_state_is_unknown(api: APIClient) -> None:
    session(visitor(), "blank")
    assert get(api, "blank/score/")["standing"] == "unknown"
    assert get(api, "blank/explanation/")["contributions"] == []


@pytest.mark.parametrize("path", ["score/", "explanation/"])
def test_a_key_that_is_none_is_not_found(api: APIClient, path: str) -> None:
    assert get(api, f"nobody/{path}", 404) == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "No session has this key: take one from the list of sessions.",
        "code": "session_not_found",
    }


def test_a_key_may_be_any_text(api: APIClient) -> None:
    session(visitor(), "2026/03/01 ä/score")
    assert get(api, "2026/03/01 ä/score/score/")["session"] == "2026/03/01 ä/score"


def test_a_key_of_several_sites_needs_the_site(api: APIClient) -> None:
    session(visitor("a", site="a"), "s", site="a")
    session(visitor("b", site="b"), "s", site="b")
    assert get(api, "s/score/", 400)["errors"] == [
        {"field": "site", "detail": "Sessions of several sites have this key: say which site."}
    ]
    assert get(api, "s/score/?site=b")["site"] == "b"
    assert get(api, "s/score/?site=c", 404)["code"] == "session_not_found"


@pytest.mark.parametrize(
    ("query", "field"),
    [("reasons=many", "reasons"), ("reasons=21", "reasons"), ("reasons=-1", "reasons"), ("most=3", "most")],
)
def test_a_bad_parameter_is_named(api: APIClient, query: str, field: str) -> None:
    recorded(*BOUGHT[:1])
    found = get(api, f"s/explanation/?{query}", 400)
    assert [item["field"] for item in found["errors"]] == [field]


def test_a_process_that_cannot_score_says_what_to_do(
    api: APIClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    recorded(*BOUGHT[:1])

    def refuse(horizon: str = "session") -> None:
        raise ForkedTooLate

    monkeypatch.setattr(score, "champion", refuse)
    found = get(api, "s/score/", 503)
    assert (found["code"], found["detail"]) == ("forked_too_late", ForkedTooLate().message)
    assert [record.levelname for record in caplog.records if record.name == "purchase_intent.api.problems"] == ["ERROR"]


def test_asking_writes_nothing(api: APIClient) -> None:
    before = recorded(*BOUGHT[:3])
    get(api, "s/score/")
    get(api, "s/explanation/")
    after = Session.objects.get()
    assert (after.version, after.score, after.scored_at) == (before.version, before.score, before.scored_at)


@pytest.mark.parametrize("path", ["score/", "explanation/"])
def test_a_session_is_one_query_once_the_champion_is_known(champion: ModelVersion, path: str) -> None:
    recorded(*BOUGHT[:3])
    client = APIClient()
    client.force_authenticate(User.objects.create_superuser("root"))
    get(client, f"s/{path}")
    with CaptureQueriesContext(connection) as asked:
        get(client, f"s/{path}")
    assert len(asked) == 1
