"""What is answered without REST framework's own handling is what it would have answered, to the header."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.http import HttpRequest, QueryDict
from django.test import Client, RequestFactory
from pytest_django import Settings

from purchase_intent.api import throttles
from purchase_intent.api.decision import DecisionView
from purchase_intent.api.plain import PlainEndpoint
from purchase_intent.api.predict import PredictBatchView, PredictView
from purchase_intent.models import Scope
from purchase_intent.tracking.identity import COOKIE
from tests.integration.tracking.sending import event, key_of

pytestmark = pytest.mark.django_db
FIT = {"events": [event(1)]}


def asked(view: type[PlainEndpoint], client: Client, body: Any, told: dict[str, Any]) -> HttpRequest:
    if view is DecisionView:
        request = RequestFactory().get("/", QueryDict(body or ""), headers=told)
    else:
        request = RequestFactory().post("/", body, content_type="application/json", headers=told)
    request.COOKIES[COOKIE] = client.cookies[COOKIE].value
    return request


@pytest.mark.parametrize(
    ("view", "body", "told", "status"),
    [
        pytest.param(DecisionView, "if=top_20", {}, 200, id="a decision"),
        pytest.param(DecisionView, "format=api", {}, 400, id="a parameter that is none"),
        pytest.param(DecisionView, "", {"Sec-Fetch-Site": "cross-site"}, 403, id="a page of another site"),
        pytest.param(DecisionView, "", {}, 429, id="decisions beyond the rate"),
        pytest.param(PredictView, json.dumps(FIT), {}, 200, id="a prediction"),
        pytest.param(PredictBatchView, json.dumps({"sessions": [FIT, FIT]}), {}, 200, id="many predictions"),
        pytest.param(PredictView, b'{"events": [{"name": "\xff"}]}', {}, 200, id="no UTF-8"),
        pytest.param(PredictView, "{", {}, 400, id="no JSON"),
        pytest.param(PredictView, b"", {}, 400, id="no body"),
        pytest.param(PredictView, b" " * (PredictView.largest + 1), {}, 413, id="too large a body"),
        pytest.param(PredictView, json.dumps(FIT), {"Content-Type": "text/plain"}, 200, id="another type"),
        pytest.param(PredictView, b"a=1", {"Content-Type": "application/x-www-form-urlencoded"}, 415, id="a form"),
        pytest.param(PredictView, json.dumps(FIT), {"Authorization": "Bearer pi_1_2"}, 401, id="a key of nobody"),
        pytest.param(PredictView, json.dumps(FIT), {"Authorization": "Bearer"}, 401, id="half a header"),
        pytest.param(PredictView, json.dumps(FIT), {"Authorization": "scores"}, 403, id="a key for something else"),
        pytest.param(PredictView, json.dumps(FIT), {}, 429, id="predictions beyond the rate"),
    ],
)
def test_it_is_what_rest_framework_answers(
    client: Client,
    settings: Settings,
    view: type[PlainEndpoint],
    body: Any,
    told: dict[str, Any],
    status: int,
) -> None:
    settings.REST_FRAMEWORK = {
        **settings.REST_FRAMEWORK,
        "DEFAULT_THROTTLE_RATES": {view.rate: "1/d" if status == 429 else None},
    }
    client.get("/moved/")
    told = key_of(Scope.PREDICT) | told
    if told["Authorization"] == "scores":
        told |= key_of(Scope.SCORES)
    found = []
    for answering in (view.as_view(), super(PlainEndpoint, view).as_view()):
        throttles.forget_senders()
        responses = [answering(asked(view, client, body, told)) for _ in range(2 if status == 429 else 1)]
        response = responses[-1]
        if hasattr(response, "render"):
            response.render()
        found.append((response.status_code, dict(response.headers), json.loads(response.content)))
    assert found[0] == found[1]
    assert found[0][0] == status


def test_the_schema_and_django_see_a_view_of_rest_framework() -> None:
    ours, theirs = DecisionView.as_view(), super(PlainEndpoint, DecisionView).as_view()
    assert set(vars(theirs)) <= set(vars(ours))
    assert (ours.cls, ours.csrf_exempt, ours._non_atomic_requests) == (DecisionView, True, {"default"})
