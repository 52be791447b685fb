"""The page on delivery: everybody's out of one cache, with parts that the live decision tells each visitor's own of."""

from __future__ import annotations

import re

import pytest
from django.core.cache import cache
from django.core.cache.utils import make_template_fragment_key
from django.test import Client

from demo_shop import delivery
from demo_shop.models import Product

PAGE = "/information/delivery/"
CONDITION = re.compile(r'data-intent-if="([^"]+)" hidden')


@pytest.mark.django_db
def test_one_copy_serves_all_and_each_is_told_of_their_own_parts(kettle: Product) -> None:
    cache.clear()
    shopper, passer = (Client(headers={"User-Agent": "Mozilla/5.0 Firefox/140.0"}) for _ in range(2))
    for client in (shopper, passer):
        client.cookies["privacy"] = "accepted"
        client.get("/")
    shopper.get(kettle.get_absolute_url())
    shopper.post(kettle.get_absolute_url(), {"quantity": "2"})
    first = shopper.get(PAGE)
    kept = cache.get(make_template_fragment_key("delivery", [delivery.STANDARD, delivery.FREE_FROM]))
    assert kept in first.content.decode()
    assert kept in passer.get(PAGE).content.decode()
    asked = CONDITION.findall(kept)
    assert (len(asked), asked[1]) == (2, "top_20")
    assert shopper.get("/intent/v1/decision/", {"if": asked}).json()["holds"] == ["top_20"]
    assert passer.get("/intent/v1/decision/", {"if": asked}).json()["holds"] == []
