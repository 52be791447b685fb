"""An experiment of many arms at the desk: what is known of some is told one by one, and of the rest in a sentence."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from purchase_intent.experiments.definition import ArmSpec
from purchase_intent.experiments.looking import look_daily, look_now
from purchase_intent.models import ExperimentLook
from tests.integration.desk.test_experiments import GUARDED, LIST, page_of
from tests.integration.desk.test_segments import plain, words
from tests.integration.experiments.town import BEGIN, Shopper, open_town, running

pytestmark = pytest.mark.django_db

KEYS = ("off", "one", "two", "three", "four", "five", "six")


def shown(count: int, *, first: int = 0, days: float = 1.0) -> list[Shopper]:
    """So many of each arm in a day: three of ten buy, with "six" nine of ten."""
    found = []
    for number in range(first * len(KEYS), (first + count) * len(KEYS)):
        arm, at = KEYS[number % len(KEYS)], BEGIN + timedelta(days=days - 1) + timedelta(seconds=number)
        buys = number // len(KEYS) % 10 < (9 if arm == "six" else 3)
        deeds = [("cart", at + timedelta(minutes=5), 0.0)]
        found.append(Shopper(arm, at, None, [*deeds, ("order", at + timedelta(hours=1), 10.0)] if buys else deeds))
    return found


def test_before_they_can_be_compared_none_is_said_to_differ_or_not_and_no_planned_look_is_spent(desk: Client) -> None:
    even = tuple(ArmSpec(key, 1 / 7) for key in KEYS)
    experiment = running(metrics=GUARDED, arms=even, design={"units": 600, "looks": 4})
    look_now(experiment, who="ada", now=BEGIN + timedelta(hours=1))
    assert "chance to be the best of all" not in words(desk, page_of(experiment))  # of nobody
    open_town(experiment, shown(90))
    for day in range(2, 4):  # all who were planned are in, and each arm has ninety
        look_daily(experiment, now=BEGIN + timedelta(days=day, hours=4))
    assert [(each.planned, each.share > 1) for each in ExperimentLook.objects.daily()] == [(False, True)] * 2
    text = words(desk, page_of(experiment))
    assert "Wait: too few visitors have an outcome to compare the arms" in text
    assert "6 arms: too few visitors have an outcome to say anything of the share that ordered." in text
    assert "“off” needs 10 more visitors before its figures are read." in text
    assert "And 2 more arms, which the words of the statistics name." in text
    assert "no difference was found" not in text
    assert "100%: 7 arms, 14.3% each" in words(desk, LIST)
    open_town(experiment, shown(100, first=90, days=4), prefix="d")
    look_daily(experiment, now=BEGIN + timedelta(days=6, hours=4))
    last = ExperimentLook.objects.order_by("pk").last()
    assert last is not None
    assert (last.planned, last.verdict, last.arm) == (True, "SHIP", "six")  # all of the error was left for it


def test_those_that_differ_are_told_and_the_rest_in_a_sentence(desk: Client) -> None:
    even = tuple(ArmSpec(key, 1 / 7) for key in KEYS)
    experiment = running(metrics=GUARDED, arms=even, design={"units": 1400, "looks": 2})
    open_town(experiment, shown(150))
    for day in range(2, 4):
        look_daily(experiment, now=BEGIN + timedelta(days=day, hours=4))
    response = desk.get(page_of(experiment))
    text = plain(response)
    assert "“six” is better than “off”: the share that ordered is 90.00% against 30.00%" in text
    assert "5 arms cannot be told apart from “off” by the share that ordered; the table below has them all." in text
    assert "“one” cannot be told apart" not in text
    assert "Day by day, the other 1 arm: those above are the likeliest to be better" in text
    assert response.content.decode().count('<svg class="desk-chart') == 2 * 6
    assert "visitors of all arms furthest from the plan" in text
    assert text.count("Not learnt yet.") == 1
