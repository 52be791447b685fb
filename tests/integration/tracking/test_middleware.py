"""What the middleware records of a request, and what it leaves alone; over WSGI and over ASGI."""

from __future__ import annotations

import pytest
from django.test import Client

from purchase_intent.models import Event, Session, Visitor
from tests.integration.tracking.words import steps

pytestmark = pytest.mark.django_db


def test_a_page_is_recorded_with_its_role_and_where_it_came_from(client: Client) -> None:
    response = client.get("/", headers={"Referer": "https://www.google.com/"})
    assert response.content == b"<h1>home</h1>"
    event = Event.objects.get()
    assert (event.device, event.channel, event.country) == ("desktop", "Organic Search", "Poland")
    assert steps() == ["page_view/home"]
    assert response.cookies["intent"].value


def test_the_next_page_goes_on_in_the_same_session(client: Client) -> None:
    client.get("/")
    again = client.get("/product/7/")
    assert steps() == ["page_view/home", "view/product"]
    assert Session.objects.count() == Visitor.objects.count() == 1
    assert "intent" not in again.cookies
