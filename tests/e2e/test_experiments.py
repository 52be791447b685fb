"""Experiments in a real browser: arms in a page's own scripts, and the desk from the draft to the decision."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import expect
from pytest_django import Settings

from purchase_intent.experiments.definition import ArmSpec
from purchase_intent.experiments.looking import look_daily
from purchase_intent.models import ExclusionGroup, Experiment, ExperimentLook, Exposure, Visitor
from purchase_intent.stats.bucketing import Allocation
from tests.e2e.conftest import HEIGHTS, LONG_NAME, WIDTHS, Visit
from tests.e2e.test_desk import LISTS, enter, look
from tests.integration.experiments.town import BEGIN, open_town, running, shoppers

Visits = Callable[..., Visit]

pytestmark = [pytest.mark.slow]

TOLD = "/intent/v1/exposures/"
PERSON = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def test_a_pages_own_script_has_the_servers_arm_at_once_and_is_counted_once(visit: Visits, settings: Settings) -> None:
    settings.ROOT_URLCONF = "tests.e2e.scripted_shop"
    arms = ("off", "on", "new")
    running("bar", arms=tuple(ArmSpec(arm, 1 / 3) for arm in arms))
    seen = visit(1440, answer="accepted")
    seen.page.set_extra_http_headers({"User-Agent": PERSON})
    sent: list[str] = []
    seen.page.on("request", lambda request: sent.append(request.url) if request.url.endswith(TOLD) else None)
    seen.go("/shared/")
    assert seen.page.evaluate("intentExperiments.arm('bar')") == "off"  # nobody is known yet
    seen.go("/own/")
    expected = Allocation(salt="bar", arms=arms, weights=(1 / 3,) * 3).arm(Visitor.objects.get().cookie)
    assert seen.page.evaluate("intentExperiments.peek('bar')") == expected
    assert not Exposure.objects.exists()
    with seen.page.expect_response(lambda answer: answer.url.endswith(TOLD)) as answered:
        found = seen.page.evaluate("[intentExperiments.arm('bar'), intentExperiments.arm('bar')]")
    assert (found, answered.value.json()) == ([expected] * 2, {"results": {"bar": "counted"}})
    for page in ("/own/", "/shared/"):
        seen.go(page)
        assert seen.page.evaluate("[intentExperiments.arm('bar'), intentExperiments.arm('nix')]") == [expected, ""]
        seen.page.wait_for_timeout(200)
    assert len(sent) == 1
    assert Exposure.objects.get().arm.key == expected
    assert (seen.errors, seen.foreign) == ([], [])


def many(experiment: Experiment) -> None:
    """Two weeks of visitors and looks, and names that are long."""
    open_town(experiment, shoppers(420, days=10, lift=0.5))
    for day in range(7, 15, 3):
        look_daily(experiment, now=BEGIN + timedelta(days=day, hours=4))
    Experiment.objects.update(title=LONG_NAME, hypothesis=LONG_NAME * 4)
    experiment.arms.filter(key="on").update(title="Versandkostenfreiheitsbalken" * 3)


def at_each_width(seen: Visit, name: str) -> None:
    """Look closely on a phone, and for a picture elsewhere."""
    for width in WIDTHS:
        seen.width = width
        seen.page.set_viewport_size({"width": width, "height": HEIGHTS[width]})
        if width == WIDTHS[0]:
            look(seen, name)
            assert (
                seen.page.evaluate("document.documentElement.scrollWidth") == width
            )  # words that never break wrap too
        else:
            seen.keep(f"desk-{name}")


def test_a_merchandiser_plans_starts_and_reads_an_experiment(visit: Visits) -> None:
    seen = visit(1440)
    page = seen.page
    enter(seen)
    seen.go(f"{LISTS}experiment/")
    at_each_width(seen, "experiments-empty")
    page.get_by_role("link", name="Make the first one").click()
    page.get_by_role("button", name="Make the draft").click()
    expect(page.get_by_text("This field is required.").first).to_be_visible()
    at_each_width(seen, "experiment-refused")
    page.get_by_label("Title").fill(LONG_NAME)
    page.get_by_label("Key (needed)").fill("free-shipping-bar")
    page.get_by_role("button", name="Work out the plan").click()
    expect(page.get_by_text("How long it takes cannot be said yet")).to_be_visible()
    at_each_width(seen, "experiment-plan")
    page.get_by_role("button", name="Make the draft").click()
    expect(page.get_by_text("A draft: nobody takes part yet")).to_be_visible()
    page.get_by_role("link", name="Start it").click()
    page.get_by_role("button", name="Start it").click()
    expect(page.get_by_text("Running, and not looked at yet")).to_be_visible()
    group = ExclusionGroup.objects.create(key="checkout", title=LONG_NAME)
    experiment = running(design={"units": 600, "looks": 4})
    Experiment.objects.filter(pk=experiment.pk).update(group=group, group_start=0, group_end=0.4)
    many(experiment)
    last = ExperimentLook.objects.latest("pk").pk
    for name, path in (
        ("experiments", "experiment/"),
        ("experiment", f"experiment/{experiment.pk}/change/"),
        ("experiment-record", f"experiment/{experiment.pk}/looks/{last}/"),
        ("experiment-stop", f"experiment/{experiment.pk}/stop/"),
        ("exclusion-group", f"exclusiongroup/{group.pk}/change/"),
    ):
        seen.go(f"{LISTS}{path}")
        at_each_width(seen, name)
    seen.go(f"{LISTS}experiment/{experiment.pk}/stop/")
    page.get_by_label("off (the control)").check()
    page.get_by_label("Why").fill("The season is over.")
    page.get_by_role("button", name="Stop it").click()
    expect(page.get_by_text("Stopped: everybody is shown “off”", exact=True)).to_be_visible()
