"""Segments in a real browser, at three widths and without a script: made, previewed, refused, and empty."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from purchase_intent.models import Segment
from purchase_intent.segments.filling import fill_segments
from tests.e2e.conftest import LONG_NAME, WIDTHS, Visit
from tests.e2e.test_desk import LISTS, enter, look
from tests.integration.segments.street import CART, PURCHASE, VIEW, segment_of, shopper

Visits = Callable[..., Visit]

pytestmark = [pytest.mark.slow]

BARE = 768
"""At this width without scripts: neither reading nor editing needs one."""


def furnish() -> Segment:
    """A few shoppers, and a segment with a long name and many conditions."""
    Segment.objects.all().delete()
    now = timezone.now() - timedelta(hours=2)
    for number in range(4):
        shopper(f"looker-{number}" + "c" * 32, (VIEW,), (VIEW, CART), begin=now)
    shopper("buyer", (VIEW,), (VIEW, CART, PURCHASE), begin=now, customer="Wilhelmine-Adalbertina.of@example.com")
    segment = segment_of("l" * 64, *[("visits", ">=", 2)] * 8, ("device", "not in", [f"kind-{n}" for n in range(20)]))
    Segment.objects.update(title=LONG_NAME, about=LONG_NAME * 3, action=LONG_NAME * 3)
    segment_of("nobody", ("score", ">=", 1))
    fill_segments(timezone.now())
    return segment


def view(seen: Visit, name: str) -> None:
    """Look where there are scripts to look by, else keep a picture."""
    if seen.width == BARE:
        seen.keep(f"desk-{name}")
    else:
        look(seen, name)


@pytest.mark.parametrize("width", WIDTHS)
def test_segments_are_made_and_read(visit: Visits, width: int) -> None:
    seen = visit(width, scripts=width != BARE)
    segment = furnish()
    enter(seen)
    seen.go(f"{LISTS}segment/")
    view(seen, "segment-list")
    for name, key in (("segment", segment.pk), ("segment-empty", Segment.objects.get(key="nobody").pk)):
        seen.go(f"{LISTS}segment/{key}/change/")
        expect(seen.page.get_by_role("heading", name="What they bring")).to_be_visible()
        view(seen, name)
    seen.go(f"{LISTS}segment/{segment.pk}/edit/")
    view(seen, "segment-edit")
    seen.go(f"{LISTS}segment/add/")
    first = seen.page.get_by_role("group", name="Condition 1")
    first.get_by_label("Field").select_option("visits")
    first.get_by_label("Value").fill("many")
    seen.page.get_by_role("button", name="Preview").click()
    expect(first.get_by_text("“many” is no number.")).to_be_visible()
    view(seen, "segment-refused")
    first.get_by_label("Value").fill("2")
    seen.page.get_by_role("button", name="Preview").click()
    expect(seen.page.get_by_text("5 of 5 shoppers of the last 90 days belong to it.")).to_be_visible()
    view(seen, "segment-preview")
    seen.page.get_by_label("Title").fill("Returning")
    seen.page.get_by_label("Key").fill("returning")
    seen.page.get_by_role("button", name="Make the segment").click()
    expect(seen.page.get_by_text("5 shoppers, 100.0% of all")).to_be_visible()
