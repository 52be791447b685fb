"""The desk in a real browser, at three widths: with much to show, with long names, and with nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import expect

from purchase_intent.events import EventName
from purchase_intent.models import DeadLetter, Merge, ModelVersion, Order, Origin, Session, Status
from purchase_intent.tracking.place import Sender
from purchase_intent.tracking.sinks.entry import dumps
from tests.e2e.conftest import LONG_NAME, SCREENSHOTS, WIDTHS, Visit
from tests.integration.desk.test_cards import figures as stored
from tests.integration.desk.things import version, visitor, walk
from tests.integration.live.walks import BEGIN, act

Visits = Callable[..., Visit]

pytestmark = [pytest.mark.slow]

LISTS = "/admin/purchase_intent/"
ORIGINS = (Origin.STREAM, Origin.SPOOL)
UNREADABLE = b'{"v":1,"at":' + b"9" * 400
LETTER = dumps(
    Sender(visitor="c" * 32, session="k" * 32),
    [
        act(number, BEGIN, name, product=LONG_NAME, order="o" * 60, revenue=1129.95)
        for number, name in enumerate((EventName.VIEW, EventName.PURCHASE))
    ],
    received=BEGIN,
)
OURS = "#content-main.desk, .desk-likeliest, .desk-nothing"
"""What is ours on a page of the admin; the frame, the filters and the table of a list are Django's."""
WAY = (
    EventName.PAGE_VIEW,
    EventName.SEARCH,
    EventName.VIEW,
    EventName.VIEW,
    EventName.CART,
    EventName.VIEW_CART,
    EventName.CHECKOUT,
    EventName.PAYMENT_INFO,
)


def enter(seen: Visit) -> None:
    """Log in at the desk."""
    User.objects.create_superuser("desk", password="a long enough secret")
    seen.go("/admin/login/?next=/admin/")
    seen.page.get_by_label("Username").fill("desk")
    seen.page.get_by_label("Password").fill("a long enough secret")
    seen.page.get_by_role("button", name="Log in").click()


def look(seen: Visit, name: str) -> None:
    """Keep a picture; nothing of ours sticks out or fails axe, and nothing is loaded from elsewhere."""
    seen.page.wait_for_load_state()
    seen.page.screenshot(path=str(SCREENSHOTS / f"desk-{name}-{seen.width}.png"), full_page=True)
    wide = """ours => [...document.querySelectorAll(ours)]
        .filter(each => each.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
        .map(each => each.outerHTML.slice(0, 80))"""
    assert seen.page.evaluate(wide, OURS) == []
    if seen.page.locator(OURS).count():
        violations = (
            Axe()
            .run(
                seen.page, context={"include": [[each] for each in OURS.split(", ") if seen.page.locator(each).count()]}
            )
            .response["violations"]
        )
        assert [(each["id"], each["nodes"][0]["target"], each["help"]) for each in violations] == []
    assert (seen.errors, seen.foreign) == ([], [])


def measured() -> dict[str, Any]:
    """What the gate stores of a comparison."""
    row = {"first": 0.4, "second": 0.45, "gain": 0.05, "low": 0.01, "high": 0.09}
    slope = {"slope": 1.02, "slope_low": 0.9, "slope_high": 1.1}
    holds = slope | {
        "intercept": 0.02,
        "intercept_low": -0.1,
        "intercept_high": 0.2,
        "ece": 0.004,
        "ece_by_chance": 0.006,
    }
    measures = {"average_precision": row, "log_loss": row, "brier": row}
    return {"against": 1, "sessions": 900, "buyers": 61, "measures": measures, "calibration": holds}


def furnish() -> Session:
    """A shop with long names, a session going on, orders, and two models."""
    now = timezone.now()
    long = "Wilhelmine-Adalbertina.of.Hohenzollern-Sigmaringen@example.com"
    owner = visitor("c" * 32, customer=long, known=True, score=0.414, band="top_1", last_seen=now, scored_at=now)
    session = walk(
        owner,
        "k" * 32,
        WAY,
        begin=now - timedelta(minutes=5),
        product=LONG_NAME,
        score=0.412,
        band="top_5",
        channel="paid search",
        device="mobile",
        country="DE",
    )
    Order.objects.create(number="o" * 60, visitor=owner, revenue=Decimal("1129.95"), currency="EUR", placed_at=now)
    for place in range(30):
        other = visitor(f"{place:032x}", score=place / 40, band="top_20" if place > 20 else "", last_seen=now)
        begin = now - timedelta(minutes=7 * place + 2)
        walk(other, f"{place:032d}", WAY[: 1 + place % 6], begin=begin, score=place / 45)
    merged = visitor("m" * 32, last_seen=now)
    Merge.objects.create(customer=long, visitor=owner, anonymous=merged, happened_at=now, sequence=1)
    for place in range(40):
        reason = f"DataError: value too long for type character varying({place % 7})"
        DeadLetter.objects.create(origin=ORIGINS[place % 2], reason=reason, line=UNREADABLE if place else LETTER)
    version(status=Status.CHAMPION, bundle="gone.zip")
    version(status=Status.REFUSED, verdict="Too good to be true: AUC .99. Look at order_total.", reasons=["auc_high"])
    version(status=Status.CHALLENGER, bundle="lost.zip", figures=stored(gate=measured(), layout=LONG_NAME))
    return session


@pytest.mark.parametrize("width", WIDTHS)
def test_the_desk_with_much_to_show(visit: Visits, width: int) -> None:
    seen = visit(width)
    session = furnish()
    enter(seen)
    for name in ("visitor", "session", "order", "modelversion", "merge", "deadletter"):
        seen.go(f"{LISTS}{name}/")
        look(seen, f"{name}-list")
    for letter in (DeadLetter.objects.first(), DeadLetter.objects.last()):
        assert letter is not None
        seen.go(f"{LISTS}deadletter/{letter.pk}/change/")
        look(seen, f"deadletter-{'fit' if bytes(letter.line) == LETTER else 'unreadable'}")
    seen.go(f"{LISTS}merge/{Merge.objects.get().pk}/change/")
    look(seen, "merge")
    seen.page.get_by_role("link", name="Take back").click()
    look(seen, "merge-undo")
    seen.go(f"{LISTS}session/?open=now")
    look(seen, "session-list-open")
    seen.go(f"{LISTS}session/")
    seen.page.locator(".desk-likeliest a").first.click()
    seen.go(f"{LISTS}session/{session.pk}/change/")
    expect(seen.page.get_by_role("heading", name="Will it buy?")).to_be_visible()
    expect(seen.page.get_by_role("img", name="Chance of a purchase along the session")).to_be_visible()
    look(seen, "session")
    seen.page.get_by_text("The same as a table").click()
    look(seen, "session-table")
    seen.page.get_by_role("link", name="The customer of this session").click()
    expect(seen.page.get_by_role("heading", name="Will the next visit buy?")).to_be_visible()
    look(seen, "customer")
    for model in ModelVersion.objects.all():
        seen.go(f"{LISTS}modelversion/{model.pk}/change/")
        look(seen, f"model-{model.status}")
        if model.status == Status.CHALLENGER:
            expect(seen.page.get_by_role("heading", name="What the gate measured")).to_be_visible()
            expect(
                seen.page.get_by_role("heading", name="Champion against challenger, on live traffic")
            ).to_be_visible()
            seen.page.get_by_role("link", name="Model card").click()
            expect(seen.page.get_by_role("heading", name="Where it is weak")).to_be_visible()
            expect(seen.page.get_by_role("img", name="What was said against what happened")).to_be_visible()
            look(seen, "card")
        seen.go(f"{LISTS}modelversion/{model.pk}/promote/")
        look(seen, f"promote-{model.status}")


@pytest.mark.parametrize("width", WIDTHS)
def test_what_a_model_goes_by(visit: Visits, width: int, champion: ModelVersion) -> None:
    seen = visit(width)
    enter(seen)
    seen.go(f"{LISTS}modelversion/{champion.pk}/change/")
    seen.page.get_by_role("link", name="What this model goes by").click()
    expect(seen.page.get_by_role("heading", name="What weighs most")).to_be_visible()
    look(seen, "reasons")
    seen.page.get_by_role("link", name="Value of the basket").click()
    expect(seen.page.get_by_role("img", name="Effect of cart_value by its value")).to_be_visible()
    look(seen, "reasons-of-one")
    seen.go(f"{LISTS}modelversion/{champion.pk}/offer/")
    look(seen, "offer-empty")
    for label, value in (("Margin of an order", "18.50"), ("Cost of the offer", "4.90"), ("Assumed uplift", "60")):
        seen.page.get_by_label(label).fill(value)
    seen.page.get_by_role("button", name="Work it out").click()
    expect(seen.page.get_by_role("img", name="What the offer earns by score")).to_be_visible()
    seen.page.get_by_role("button", name="Use the offer by expected profit").click()
    expect(seen.page.get_by_text("The offer is now for scores up to")).to_be_visible()
    seen.page.get_by_text("Rules so far").click()
    look(seen, "offer")
    session = walk(visitor("d" * 32), "o" * 32, WAY, begin=timezone.now() - timedelta(minutes=3))
    seen.go(f"{LISTS}session/{session.pk}/change/")
    seen.page.get_by_role("link", name="A second opinion on these reasons").click()
    expect(seen.page.get_by_role("heading", name="LIME")).to_be_visible()
    look(seen, "opinions")


@pytest.mark.parametrize("width", WIDTHS)
def test_the_desk_with_nothing(visit: Visits, width: int) -> None:
    seen = visit(width)
    enter(seen)
    for name in ("visitor", "session", "order", "modelversion", "merge", "deadletter"):
        seen.go(f"{LISTS}{name}/")
        expect(seen.page.locator(".desk-nothing")).to_contain_text(", because")
        look(seen, f"{name}-list-empty")
    empty = walk(visitor("nobody"), names=())
    seen.go(f"{LISTS}session/{empty.pk}/change/")
    look(seen, "session-empty")


@pytest.mark.parametrize("width", [360, 1440])
def test_the_desk_is_whole_in_the_dark(visit: Visits, width: int) -> None:
    seen = visit(width, dark=True)
    session = furnish()
    enter(seen)
    for name, path in (("session-list", "session/"), ("session", f"session/{session.pk}/change/")):
        seen.go(LISTS + path)
        look(seen, f"dark-{name}")


def test_the_desk_needs_no_scripts(visit: Visits) -> None:
    seen = visit(768, scripts=False)
    session = furnish()
    enter(seen)
    seen.go(f"{LISTS}session/?q={session.key}")
    seen.page.locator(".field-who a").click()
    expect(seen.page.get_by_role("heading", name="What happened")).to_be_visible()
    assert (seen.errors, seen.foreign) == ([], [])


@pytest.mark.parametrize("width", WIDTHS)
def test_a_key_is_made_shown_once_and_revoked(visit: Visits, width: int) -> None:
    seen = visit(width)
    enter(seen)
    seen.go("/admin/purchase_intent/apikey/add/")
    seen.page.get_by_role("button", name="Make the key").click()
    look(seen, "key-faults")
    seen.page.get_by_label("Name").fill("webshop backend")
    seen.page.get_by_label("send events").check()
    seen.page.get_by_role("button", name="Make the key").click()
    expect(seen.page.locator("code").first).to_contain_text("pi_")
    look(seen, "key-made")
    seen.page.get_by_role("link", name="All keys").click()
    look(seen, "keys")
    seen.page.get_by_role("link", name="webshop backend").click()
    look(seen, "key")
    seen.page.get_by_role("button", name="Revoke").click()
    expect(seen.page.locator(".desk-verdict")).to_have_text("Revoked: it is refused.")
