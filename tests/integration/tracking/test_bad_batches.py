"""What is sent wrongly or maliciously: refused by itself, with a reason that names the field, and nothing written."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from django.core import signing
from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from purchase_intent.events import Event as Told
from purchase_intent.models import Event, Order, Refusal, Session, Visitor
from purchase_intent.tracking.identity import COOKIE
from purchase_intent.tracking.intake.batch import BROWSER
from purchase_intent.tracking.refusals import forget_refusals
from tests.integration.tracking.corner_shop import CornerShop
from tests.integration.tracking.sending import HERE, PATH, ago, beacon, event, post, said
from tests.integration.tracking.words import BROWSER as AGENT
from tests.integration.tracking.words import kinds

pytestmark = pytest.mark.django_db

SQL = "'; DROP TABLE purchase_intent_event; --"
SCRIPT = "<script>alert(1)</script>"
DEEP = "[" * 50_000


def nothing_written() -> bool:
    return not any(model.objects.exists() for model in (Visitor, Session, Event, Order))


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        pytest.param(event(event_id=None), "refused event_id missing_event_id", id="no id"),
        pytest.param(event(event_id=""), "refused event_id missing_event_id", id="empty id"),
        pytest.param(event(event_id="x" * 501), "refused event_id bad_text", id="endless id"),
        pytest.param(event(event_id=["a"]), "refused event_id bad_text", id="a list for an id"),
        pytest.param(event(event_id="a\x00b"), "refused event_id bad_text", id="NUL in the id"),
        pytest.param(event(name="teleport"), "refused name unknown_event_name", id="unknown name"),
        pytest.param(event(name=None), "refused name unknown_event_name", id="no name"),
        pytest.param(event(name=7), "refused name unknown_event_name", id="number for a name"),
        pytest.param(event(name={"a": 1}), "refused name unknown_event_name", id="object for a name"),
        pytest.param(event(name="purchase", order="A-1", revenue=1), "refused name server_only", id="purchase"),
        pytest.param(event(name="order completed"), "refused name server_only", id="purchase by an alias"),
        pytest.param(event(name="login"), "refused name server_only", id="login"),
        pytest.param(event(name="logout"), "refused name server_only", id="logout"),
        pytest.param(event(page="cellar"), "refused page unknown_page", id="unknown page"),
        pytest.param(event(page=3), "refused page unknown_page", id="number for a page"),
        pytest.param(event(product="a\x00"), "refused product bad_text", id="NUL"),
        pytest.param(event(product="\ud800"), "refused product bad_text", id="half a surrogate pair"),
        pytest.param(event(product=True), "refused product bad_text", id="truth for a product"),
        pytest.param(event(category={"a": []}), "refused category bad_text", id="object for a category"),
        pytest.param(event(search="x" * 501), "refused search bad_text", id="endless search"),
        pytest.param(event(quantity="2"), "refused quantity bad_quantity", id="text for a quantity"),
        pytest.param(event(quantity=1.5), "refused quantity bad_quantity", id="half a piece"),
        pytest.param(event(quantity=-1), "refused quantity negative_quantity", id="less than nothing"),
        pytest.param(event(quantity=10**9), "refused quantity absurd_quantity", id="too many pieces"),
        pytest.param(event(occurred_at=None), "refused occurred_at missing_time", id="no time"),
        pytest.param(event(occurred_at="soon"), "refused occurred_at bad_time", id="no date"),
        pytest.param(event(occurred_at=1.5), "refused occurred_at bad_time", id="half a millisecond"),
        pytest.param(event(occurred_at=10**18), "refused occurred_at bad_time", id="beyond all time"),
        pytest.param(event(occurred_at="2026-03-01T12:00:00"), "refused occurred_at time_without_zone", id="no zone"),
        pytest.param(event(occurred_at=ago(hours=-2)), "refused occurred_at time_out_of_range", id="to come"),
        pytest.param(event(occurred_at=ago(days=8)), "refused occurred_at time_out_of_range", id="a week ago"),
        pytest.param(event(occurred_at=ago(days=365)), "refused occurred_at time_out_of_range", id="a year ago"),
        pytest.param(event(occurred_at=-1), "refused occurred_at time_out_of_range", id="before 1970"),
        pytest.param([1, 2], "refused events no_object", id="a list for an event"),
        pytest.param(None, "refused events no_object", id="nothing for an event"),
        pytest.param("view", "refused events no_object", id="a text for an event"),
    ],
)
def test_an_event_is_refused_alone(client: Client, wrong: Any, expected: str) -> None:
    answer = beacon(client, event(101), wrong, event(102))
    assert said(answer) == ["accepted", expected, "accepted"]
    assert (answer["accepted"], answer["refused"], answer["results"][1]["index"]) == (2, 1, 1)
    assert len(answer["results"][1]["detail"]) > 8
    assert Event.objects.count() == 2


def test_what_is_refused_is_counted(
    client: Client, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    forget_refusals()
    with django_capture_on_commit_callbacks(execute=True):
        beacon(client, event(name="teleport"))
    assert list(Refusal.objects.values_list("reason", "field", "count")) == [("unknown_event_name", "name", 1)]


def test_a_batch_of_nothing_fit_writes_nothing_and_sets_no_cookie(client: Client) -> None:
    assert said(beacon(client, event(name="teleport"), event(quantity=-1))) == [
        "refused name unknown_event_name",
        "refused quantity negative_quantity",
    ]
    assert nothing_written()
    assert COOKIE not in client.cookies


@pytest.mark.parametrize("text", [pytest.param(SQL, id="SQL"), pytest.param(SCRIPT, id="a script")])
def test_text_is_just_text(client: Client, text: str) -> None:
    assert said(beacon(client, event(1, event_id=text, product=text, category=text, search=text))) == ["accepted"]
    stored = Event.objects.get()
    assert (stored.event_id, stored.product, stored.category, stored.search) == (text,) * 4
    fields = ("name", "page", "occurred_at", "quantity")
    answer = beacon(client, *(event(2) | {field: text} for field in fields), sent_at=ago())
    assert [line.split()[:2] for line in said(answer)] == [["refused", field] for field in fields]
    assert Event.objects.count() == 1


@pytest.mark.parametrize("text", [pytest.param(SQL, id="SQL"), pytest.param(SCRIPT, id="a script")])
def test_in_every_field_there_is_text_is_just_text_or_refused_or_not_the_pages_to_tell(
    client: Client, text: str
) -> None:
    fields = [field.name for field in dataclasses.fields(Told)]
    answer = beacon(
        client, *(event(place) | {field: text} for place, field in enumerate(fields)), url=text, referrer=text
    )
    refused = {line.split()[1] for line in said(answer) if line.startswith("refused")}
    assert refused == {"name", "occurred_at", "page", "quantity"}
    assert answer["accepted"] == len(fields) - 4 == Event.objects.count()
    kept = {name for row in Event.objects.values() for name, value in row.items() if value == text}
    assert kept == {"event_id", "product", "search"}, "the catalogue has the word on the rest"
    assert text not in str([*Session.objects.values(), *Visitor.objects.values()])


def test_who_names_another_visitor_tells_of_itself_all_the_same(client: Client) -> None:
    other = Client(headers={"User-Agent": AGENT})
    beacon(other, event(1))
    victim = Session.objects.get()
    named = {"visitor": victim.visitor.cookie, "session": victim.key}
    assert said(beacon(client, event(1, **named))) == ["accepted"]
    victim.refresh_from_db()
    assert (victim.sequence, Session.objects.count(), Visitor.objects.count()) == (1, 2, 2)


def test_bytes_that_are_no_utf8_are_refused_where_they_are(client: Client) -> None:
    body = json.dumps({"events": [event(1), event(2, search="LATIN"), event(3)]}).encode().replace(b"LATIN", b"caf\xe9")
    assert said(post(client, body)) == ["accepted", "refused search bad_text", "accepted"]
    body = json.dumps({"events": [event(4, event_id="LATIN")]}).encode().replace(b"LATIN", b"caf\xe9")
    assert post(client, body)["results"][0]["event_id"] is None


@pytest.mark.parametrize(
    ("body", "field"),
    [
        pytest.param(b"", "body", id="nothing"),
        pytest.param(b"events", "body", id="no JSON"),
        pytest.param(b"\xff\xfe", "body", id="no text"),
        pytest.param(b"[]", "body", id="a list"),
        pytest.param(b"7", "body", id="a number"),
        pytest.param(DEEP.encode(), "body", id="endless depth"),
        pytest.param(b"{}", "events", id="no events"),
        pytest.param(b'{"events": {}}', "events", id="an object of events"),
        pytest.param(b'{"events": []}', "events", id="no event"),
        pytest.param(b'{"events": [{}], "sent_at": "noon"}', "sent_at", id="no time of sending"),
        pytest.param(b'{"events": [{}], "sent_at": true}', "sent_at", id="truth for a time"),
        pytest.param(b'{"events": [{}], "sent_at": 1e400}', "sent_at", id="an endless time"),
    ],
)
def test_a_body_that_is_no_batch_is_refused_whole(client: Client, body: bytes, field: str) -> None:
    problem = post(client, body, 400)
    assert (problem["code"], problem["errors"][0]["field"]) == ("invalid", field)
    assert nothing_written()


def test_numbers_of_a_thousand_digits_are_numbers(client: Client) -> None:
    body = f'{{"events": [{{"event_id": {"9" * 5000}, "name": "view", "quantity": {"9" * 5000}, "occurred_at": 1}}]}}'
    assert [line.split()[0] for line in said(post(client, body))] == ["refused"]


def test_a_body_beyond_64_kib_is_not_read(client: Client) -> None:
    body = json.dumps({"events": [event(1)], "padding": "x" * BROWSER.size})
    problem = post(client, body, 413)
    assert (problem["code"], "65536" in problem["detail"]) == ("too_large", True)
    fits = json.dumps({"events": [event(1)], "padding": ""})
    assert said(post(client, fits.replace('""', f'"{"x" * (BROWSER.size - len(fits))}"'))) == ["accepted"]


def test_of_ten_thousand_events_the_first_are_taken_and_the_rest_refused_in_one_word(client: Client) -> None:
    body = '{"events": [' + ",".join(["0"] * 9_999) + "," + json.dumps(event(1)) + "]}"
    answer = post(client, body)
    assert (answer["accepted"], answer["refused"]) == (0, 10_000)
    assert answer["results"][-1] | {"detail": ""} == {
        "index": BROWSER.events, "event_id": None, "status": "refused", "count": 10_000 - BROWSER.events,
        "field": "events", "reason": "too_many_events", "detail": "",
    }  # fmt: skip
    assert nothing_written()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({"Origin": "http://testserver"}, 200, id="the same origin"),
        pytest.param({"Sec-Fetch-Site": "same-origin"}, 200, id="the browser says so"),
        pytest.param({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, 200, id="without a referrer"),
        pytest.param({"Origin": "https://partner.example"}, 200, id="a trusted origin"),
        pytest.param({"Origin": "https://a.shops.example", "Sec-Fetch-Site": "cross-site"}, 200, id="one of many"),
        pytest.param({"Origin": "http://partner.example"}, 403, id="a trusted host, not so sent"),
        pytest.param({"Origin": "https://shops.example"}, 403, id="above those that are trusted"),
        pytest.param({"Origin": "https://evil.example"}, 403, id="another site"),
        pytest.param({"Origin": "https://testserver"}, 403, id="another scheme"),
        pytest.param({"Origin": "http://testserver:81"}, 403, id="another port"),
        pytest.param({"Origin": "null"}, 403, id="no origin to name"),
        pytest.param({"Origin": "http://["}, 403, id="no address"),
        pytest.param({"Origin": "http://testserver", "Sec-Fetch-Site": "cross-site"}, 403, id="the browser denies it"),
        pytest.param({"Sec-Fetch-Site": "same-site"}, 403, id="a sister site"),
        pytest.param({"X": "y"}, 403, id="neither header"),
    ],
)
def test_only_pages_of_this_site_may_send(
    client: Client, settings: Settings, headers: dict[str, str], status: int
) -> None:
    settings.CSRF_TRUSTED_ORIGINS = ["https://partner.example", "https://*.shops.example"]
    answer = beacon(client, event(), status=status, headers=headers)
    assert nothing_written() == (status == 403)
    if status == 403:
        assert answer["code"] == "permission_denied"


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
def test_a_form_is_no_batch(client: Client, kind: str) -> None:
    assert client.post(PATH, b'{"events": [{}]}', content_type=kind, headers=HERE).status_code == 415
    assert nothing_written()


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("forged", id="no signature"),
        pytest.param(signing.dumps(["v", "s"], salt="purchase_intent.identity.other"), id="signed for another site"),
        pytest.param(signing.dumps(["v", "s"], salt="purchase_intent.identity.", key="k" * 50), id="another key"),
    ],
)
def test_a_forged_cookie_is_refused_and_taken_down(client: Client, value: str) -> None:
    client.cookies[COOKIE] = value
    assert said(beacon(client, event())) == ["refused cookie forged_cookie"]
    assert nothing_written()
    assert client.cookies[COOKIE].value == ""
    del client.cookies[COOKIE]
    assert said(beacon(client, event())) == ["accepted"]


@pytest.mark.parametrize("objection", ["Sec-GPC", "DNT"])
def test_whoever_objects_is_not_recorded(client: Client, objection: str) -> None:
    answer = beacon(client, event(1), event(2), headers=HERE | {objection: "1"})
    assert said(answer) == ["refused consent no_consent"]
    assert answer["refused"] == 2
    assert nothing_written()
    assert COOKIE not in client.cookies


def test_without_consent_nothing_is_stored_and_the_cookie_goes(client: Client) -> None:
    beacon(client, event(1))
    client.cookies["refused"] = "yes"
    assert said(beacon(client, event(2))) == ["refused consent no_consent"]
    assert kinds() == ["view"]
    assert client.cookies[COOKIE].value == ""
    assert not Refusal.objects.exists()


@pytest.mark.parametrize("method", ["consent", "is_staff", "customer", "site"])
def test_a_broken_adapter_is_no_crash(
    client: Client, monkeypatch: pytest.MonkeyPatch, told: pytest.LogCaptureFixture, method: str
) -> None:
    monkeypatch.setattr(CornerShop, "broken", frozenset({method}))
    assert beacon(client, event(), status=503)["code"] == "adapter_failed"
    assert nothing_written()


@pytest.mark.parametrize("method", ["get", "put", "delete", "patch"])
def test_there_is_nothing_to_do_but_post(client: Client, method: str) -> None:
    assert getattr(client, method)(PATH, headers=HERE).status_code == 405


def test_a_crawler_is_recorded_with_its_label(client: Client) -> None:
    beacon(client, event(1), headers=HERE | {"User-Agent": "Googlebot/2.1 (+http://www.google.com/bot.html)"})
    assert Visitor.objects.get().bot == "crawler"
    assert AGENT not in json.dumps(list(Visitor.objects.values("bot_reason")))
