"""What the script's tag says of a page, and how the script learns what the server has recorded of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from asgiref.sync import async_to_sync
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template import RequestContext, Template
from django.test import AsyncClient, Client
from django.urls import path
from pytest_django import Settings

from purchase_intent.models import Event
from purchase_intent.shortcuts import shown_again, track
from tests.integration.tracking.corner_shop import CornerShop
from tests.integration.tracking.words import Doing

pytestmark = pytest.mark.django_db

urlpatterns = [path("", lambda request: HttpResponse("nothing of ours here"))]


def drawn(request: HttpRequest, tag: str) -> HttpResponse:
    return HttpResponse(Template("{% load purchase_intent %}{% " + tag + " %}").render(RequestContext(request)))


@pytest.mark.parametrize(
    ("tag", "attributes"),
    [
        pytest.param("intent_script", 'data-dwell data-consent="yes" data-page="listing"', id="a page of one visitor"),
        pytest.param(
            "intent_script cached=True", 'data-views="cached" data-dwell data-page="listing"', id="a page for all"
        ),
        pytest.param(
            "intent_script spa=True dwell=False",
            'data-views="spa" data-consent="yes" data-page="listing"',
            id="pages shown by scripts",
        ),
    ],
)
def test_the_tag_tells_the_script_where_it_is(client: Client, doing: Doing, tag: str, attributes: str) -> None:
    doing(lambda request: drawn(request, tag))
    expected = (
        f'<script src="/static/purchase_intent/intent.js" defer data-url="/intent/v1/events/" {attributes}></script>'
    )
    assert client.get("/act/").content.decode() == expected


def test_who_does_not_agree_gets_a_script_that_stays_quiet(client: Client, doing: Doing) -> None:
    doing(lambda request: drawn(request, "intent_script"))
    assert 'data-consent="no"' in client.get("/act/", headers={"Sec-GPC": "1"}).content.decode()


def test_a_broken_adapter_costs_the_role_alone(
    client: Client, doing: Doing, monkeypatch: pytest.MonkeyPatch, told: pytest.LogCaptureFixture
) -> None:
    doing(lambda request: drawn(request, "intent_script"))
    monkeypatch.setattr(CornerShop, "broken", frozenset({"page"}))
    assert 'data-consent="yes">' in client.get("/act/").content.decode()


def test_without_the_apps_addresses_there_is_no_script(settings: Settings) -> None:
    settings.ROOT_URLCONF = __name__
    assert drawn(HttpRequest(), "intent_script").content == b""


@pytest.mark.parametrize("tag", ["intent_script", "experiments_script"])
def test_files_that_nobody_has_collected_cost_the_script_and_no_page(
    client: Client, doing: Doing, settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture, tag: str
) -> None:
    settings.STATIC_ROOT = tmp_path
    hashed = {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": hashed}
    doing(lambda request: drawn(request, tag))
    for _ in range(2):
        response = client.get("/act/")
        assert (response.status_code, response.content) == (200, b"")
    assert [said.partition(":")[0] for said in caplog.messages] == ["A script was left out of the page"]


def mark(response: HttpResponseBase) -> str:
    return str(response.headers.get("Server-Timing", ""))


def test_the_answer_names_the_event_that_shows_the_page(client: Client) -> None:
    response = client.get("/")
    assert mark(response) == f'intent;desc="{Event.objects.get().event_id}:page_view"'
    response = client.get("/product/7/")
    assert mark(response) == f'intent;desc="{Event.objects.latest("sequence").event_id}:view"'


def test_the_same_over_asgi(async_client: AsyncClient) -> None:
    assert mark(async_to_sync(async_client.get)("/")).startswith("intent;desc=")


def test_it_stands_beside_what_others_measure(client: Client, doing: Doing) -> None:
    doing(lambda request: HttpResponse("<h1>done</h1>", headers={"Server-Timing": "db;dur=53"}))
    assert mark(client.get("/act/")).startswith('db;dur=53, intent;desc="')


def test_a_page_that_only_answers_is_not_to_be_counted(client: Client, doing: Doing) -> None:
    doing(shown_again)
    assert mark(client.get("/act/")) == 'intent;desc="-"'


def test_an_id_that_fits_no_header_stays_out_of_it(client: Client, doing: Doing) -> None:
    doing(lambda request: track(request, "page_view", event_id='a"b, c'))
    assert mark(client.get("/act/")) == 'intent;desc="-"'


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        pytest.param("/", {"Sec-GPC": "1"}, id="who objects"),
        pytest.param("/stock/", {}, id="no page"),
        pytest.param("/moved/", {}, id="a redirect that told"),
        pytest.param("/nowhere/", {}, id="not found"),
    ],
)
def test_nothing_is_named_where_no_page_is_recorded(client: Client, path: str, headers: dict[str, str]) -> None:
    assert mark(client.get(path, headers=headers)) == ""
