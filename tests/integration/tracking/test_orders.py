"""What a shop tells by `track_order`: an order once, whole or not at all, without the lines that are not fit."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.http import HttpRequest
from django.test import Client

from purchase_intent.models import Event, Order
from purchase_intent.shortcuts import Line, track_order
from tests.integration.tracking.words import Doing, Wordless, kinds, steps, warned

pytestmark = pytest.mark.django_db


def order(request: HttpRequest, **given: Any) -> None:
    lines = [Line(product="7", quantity=2, price=Decimal("19.50")), Line(product="8", price=Decimal("1.25"))]
    whole: dict[str, Any] = {"number": "A-1", "revenue": Decimal("40.25"), "lines": lines, "currency": "EUR"}
    track_order(request, **whole | given)


def test_an_order_is_told_once_however_often_it_is_told(client: Client, doing: Doing) -> None:
    def act(request: HttpRequest) -> None:
        order(request)
        order(request)

    doing(act)
    client.post("/act/")
    client.post("/act/")
    assert steps() == ["purchase/confirmation", "purchase/confirmation"]
    assert list(Event.objects.in_order().values_list("product", "quantity", "price", "revenue")) == [
        ("7", 2, 19.5, 40.25),
        ("8", 1, 1.25, 40.25),
    ]
    assert Order.objects.values_list("number", "revenue", "currency").get() == ("A-1", Decimal("40.25"), "EUR")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        pytest.param({"currency": "USD"}, "currency: give amounts in the shop's currency", id="another currency"),
        pytest.param({"number": "x" * 100_000}, "order: give at most 500 characters", id="100 KB of number"),
        pytest.param({"number": Wordless()}, "track_order(Wordless) is not recorded: order: give a text", id="no text"),
        pytest.param({"number": 10**5000}, "track_order(int) is not recorded: order: give a text", id="huge number"),
        pytest.param({"number": ""}, "order: a purchase needs the shop's order id", id="no number"),
        pytest.param({"revenue": None}, "revenue: give the order's total", id="no total"),
        pytest.param({"revenue": "12"}, "revenue: give a number", id="a total as text"),
        pytest.param({"revenue": Decimal("NaN")}, "revenue: give a number", id="no number at all"),
    ],
)
def test_an_order_that_is_not_fit_is_refused_whole(
    client: Client, doing: Doing, told: pytest.LogCaptureFixture, given: dict[str, Any], message: str
) -> None:
    doing(lambda request: order(request, **given))
    client.post("/act/")
    assert kinds() == []
    assert Order.objects.count() == 0
    (said,) = warned(told)
    assert message in said


def test_lines_that_are_not_fit_are_left_out_and_the_order_stands(
    client: Client, doing: Doing, told: pytest.LogCaptureFixture
) -> None:
    doing(lambda request: order(request, lines=[Line(product="8", price=-1), Line(product="7", quantity=10**9)]))
    client.post("/act/")
    assert Event.objects.values_list("product", "revenue").get() == ("", 40.25)
    assert Order.objects.get().revenue == Decimal("40.25")
    assert [said.rsplit(": ", 2)[1] for said in warned(told)] == ["price", "quantity"]


@pytest.mark.parametrize(
    ("lines", "kind"),
    [
        pytest.param(None, "NoneType", id="none"),
        pytest.param(5, "int", id="a number"),
        pytest.param([{"product": "7", "price": 3}] * 50, "dict", id="dictionaries"),
        pytest.param([None], "NoneType", id="a list of nothing"),
    ],
)
def test_lines_that_are_none_are_said_once_and_the_order_stands(
    client: Client, doing: Doing, told: pytest.LogCaptureFixture, lines: Any, kind: str
) -> None:
    doing(lambda request: order(request, lines=lines))
    client.post("/act/")
    assert Event.objects.values_list("product", "revenue").get() == ("", 40.25)
    assert Order.objects.get().revenue == Decimal("40.25")
    assert warned(told) == [f"A line of track_order('A-1') is not recorded: lines: give a list of Line, not of {kind}"]
