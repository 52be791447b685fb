"""The OpenAPI document: valid, complete, and of our endpoints alone."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.validation import validate_schema
from rest_framework.test import APIClient

from purchase_intent import __version__
from purchase_intent.api.openapi import Document

READ = [
    "/intent/v1/decision/",
    "/intent/v1/segments/",
    "/intent/v1/segments/{key}/members/",
    "/intent/v1/sessions/",
    "/intent/v1/sessions/{key}/explanation/",
    "/intent/v1/sessions/{key}/score/",
    "/intent/v1/sessions/{key}/segments/",
    "/intent/v1/visitors/",
    "/intent/v1/visitors/{number}/",
    "/intent/v1/visitors/{number}/explanation/",
]
SENT = ["/intent/v1/events/", "/intent/v1/predict/", "/intent/v1/predict/batch/"]
DECISION = "/intent/v1/decision/"


def written() -> Any:
    return Document().get_schema(public=True)  # type: ignore[no-untyped-call]


@pytest.fixture(scope="module")
def document() -> Any:
    return written()


def test_it_is_valid_and_nothing_in_it_was_guessed(document: Any, capfd: pytest.CaptureFixture[str]) -> None:
    validate_schema(document)  # type: ignore[no-untyped-call]
    assert written() == document
    assert not GENERATOR_STATS
    assert capfd.readouterr().err == ""


def test_it_holds_our_endpoints_alone_and_says_what_each_does(document: Any) -> None:
    assert set(document["paths"]) >= {*READ, *SENT}
    assert {path for path in document["paths"] if not path.startswith("/intent/v1/")} == set()
    assert {method for path in READ for method in document["paths"][path]} == {"get", "post"}  # a segment is made
    assert {method for path in SENT for method in document["paths"][path]} == {"post"}
    assert document["info"]["version"] == __version__


@pytest.mark.parametrize("path", READ)
def test_every_answer_has_an_example(document: Any, path: str) -> None:
    operation = document["paths"][path]["get"]
    nobody = set() if path == DECISION else {"401"}
    nothing = {"404"} if "{" in path else set()
    assert set(operation["responses"]) == {"200", "400", "403", "429", "503"} | nobody | nothing
    assert operation["description"]
    for status, response in operation["responses"].items():
        ((media, content),) = response["content"].items()
        assert media == ("application/json" if status == "200" else "application/problem+json")
        assert content["examples"], status


@pytest.mark.parametrize("path", SENT)
def test_what_is_sent_is_described_with_examples(document: Any, path: str) -> None:
    operation = document["paths"][path]["post"]
    assert set(operation["responses"]) == {"200", "400", "401", "403", "413", "415", "429", "503"}
    assert {"key": []} in operation["security"]
    bodies = [operation["requestBody"], *operation["responses"].values()]
    assert [content for body in bodies for content in body["content"].values() if not content.get("examples")] == []


def test_who_may_ask_is_described(document: Any) -> None:
    schemes = document["components"]["securitySchemes"]
    assert (schemes["key"]["scheme"], schemes["visitor"]["in"]) == ("bearer", "cookie")
    assert document["paths"][DECISION]["get"]["security"] == [{"visitor": []}]


def test_every_parameter_is_described(document: Any) -> None:
    operations = [operation for methods in document["paths"].values() for operation in methods.values()]
    found = [item for each in operations for item in each.get("parameters", ()) if item["in"] == "query"]
    assert {item["name"] for item in found} >= {
        *("active", "band", "stage", "open", "page_size", "cursor", "site", "reasons"),
        *("if", "horizon", "active_since", "customer"),
    }
    assert [item["name"] for item in found if not item.get("description")] == []


def test_staff_read_it_over_http(api: APIClient, document: Any) -> None:
    response = api.get("/intent/v1/schema/", headers={"accept": "application/vnd.oai.openapi+json"})
    assert response.status_code == 200
    assert json.loads(response.content) == json.loads(json.dumps(document))


def test_others_do_not(db: None) -> None:
    response = Client().get("/intent/v1/schema/", headers={"accept": "application/vnd.oai.openapi+json"})
    assert (response.status_code, response["Content-Type"]) == (401, "application/problem+json")
    assert response.json()["code"] == "not_authenticated"
