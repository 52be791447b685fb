"""A shopper's walk through the shop of django-oscar, and what is on record after it: printed as JSON.

Run as `python -m tests.hosts.oscar.walk`, a process of its own with the shop's settings. The tables of oscar itself are
made without its two hundred migrations; those of `purchase_intent` by its own.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from typing import Any

import django
from django.conf import settings

SHOPPER = {"HTTP_USER_AGENT": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}
SHOP = "http://testserver"
ADDRESS = {
    "first_name": "Ada", "last_name": "King", "line1": "1 St James's Square", "line4": "London",
    "postcode": "SW1Y 4JH", "country": "GB",
}  # fmt: skip


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.hosts.oscar.settings"
    ours = ("purchase_intent",)
    django.setup()
    from django.apps import apps
    from django.core.management import call_command
    from django.test.utils import setup_test_environment

    labels = [app.label for app in apps.get_app_configs() if app.label not in ours]
    settings.MIGRATION_MODULES = dict.fromkeys(labels)
    call_command("check", fail_level="WARNING", stdout=sys.stderr)
    call_command("migrate", run_syncdb=True, verbosity=0)
    setup_test_environment()
    shopper = Shopper(*stocked())
    shopper.look()
    before = answered()
    shopper.buy()
    json.dump({"before": before, **recorded(shopper)}, sys.stdout, default=str)


def stocked() -> tuple[Any, Any]:
    """Two products on the shelves: a book and a lamp."""
    from oscar.apps.catalogue.categories import create_from_breadcrumbs
    from oscar.core.loading import get_model
    from oscar.test.factories import create_product

    get_model("address", "Country").objects.create(
        iso_3166_1_a2="GB", name="United Kingdom", printable_name="United Kingdom", is_shipping_country=True
    )
    category = create_from_breadcrumbs("Books > Fiction")
    book, lamp = (create_product(title=title, price=price, num_in_stock=9) for title, price in WARES)
    book.categories.add(category)
    return book, lamp


ACCOUNT = {"email": "ada@shop.example", "password1": "engine-of-1843", "password2": "engine-of-1843"}
WARES = (("A book", "12.50"), ("A lamp", "40.00"))


class Shopper:
    """One browser: it sends a Referer, and keeps cookies."""

    def __init__(self, book: Any, lamp: Any) -> None:
        from django.test import Client

        self.book, self.lamp = book, lamp
        self.browser = Client(headers={"User-Agent": SHOPPER["HTTP_USER_AGENT"]})
        self.here = ""

    def go(self, path: str, **form: Any) -> str:
        """Follow a link, or send a form, and every redirect; where it ends."""
        came_from = {"referer": SHOP + self.here} if self.here else {}
        sent = self.browser.post if form else self.browser.get
        answer = sent(path, form or None, follow=True, headers=came_from)
        assert answer.status_code == 200, (path, answer.status_code)
        self.here = answer.redirect_chain[-1][0] if answer.redirect_chain else path
        return self.here

    def look(self) -> None:
        self.go("/catalogue/")
        self.browser.cookies["consent"] = "yes"
        self.go("/catalogue/")
        self.go("/catalogue/category/books/fiction_2/")
        self.go(self.book.get_absolute_url())
        self.go(f"/basket/add/{self.book.pk}/", quantity="2")
        self.go("/search/?q=lamp")
        self.go(self.lamp.get_absolute_url())
        self.go(f"/basket/add/{self.lamp.pk}/", quantity="1")
        self.go("/basket/")
        self.go("/basket/", **dict(self.basket_form()))
        self.go("/checkout/")
        self.go("/checkout/", username="ada@shop.example", options="anonymous")

    def buy(self) -> None:
        self.go("/checkout/shipping-address/", **ADDRESS)
        self.go("/checkout/preview/", action="")
        thanks = self.go("/checkout/preview/", action="place_order")
        assert thanks == "/checkout/thank-you/", thanks
        self.go("/checkout/thank-you/")
        self.go("/accounts/register/", **ACCOUNT)

    def basket_form(self) -> Iterator[tuple[str, str]]:
        """One of the two books after all, and no lamp."""
        from oscar.core.loading import get_model

        lines = list(get_model("basket", "Line").objects.order_by("pk"))
        yield from (("form-TOTAL_FORMS", str(len(lines))), ("form-INITIAL_FORMS", str(len(lines))))
        for place, line in enumerate(lines):
            yield f"form-{place}-id", str(line.pk)
            yield f"form-{place}-quantity", "1"
            if line.product_id == self.lamp.pk:
                yield f"form-{place}-DELETE", "on"


def answered() -> list[Any]:
    """The score of the one session that there is."""
    from purchase_intent.models import Session
    from purchase_intent.shortcuts import score

    found = score(Session.objects.get())
    return [found.standing.name, found.probability, found.band]


def recorded(shopper: Shopper) -> dict[str, Any]:
    """What is in the database of the shop after the walk."""
    from oscar.core.loading import get_model

    from purchase_intent.events import EventName, Page
    from purchase_intent.models import Event, Order, Session

    names = {str(shopper.book.pk): "book", str(shopper.lamp.pk): "lamp"}
    rows = list(Event.objects.order_by("occurred_at", "sequence"))
    return {
        "events": [
            [EventName(row.name).label, Page(row.page).label, names.get(row.product, ""), row.quantity] for row in rows
        ],
        "facts": sorted({(names[row.product], row.category, row.price) for row in rows if row.product}),
        "listed": [row.category for row in rows if row.name == EventName.PAGE_VIEW and row.category],
        "searched": [row.search for row in rows if row.name == EventName.SEARCH],
        "orders": list(Order.objects.values_list("number", "revenue", "currency", "session")),
        "sold": list(get_model("order", "Order").objects.values_list("number", "total_incl_tax")),
        "sessions": list(Session.objects.values_list("pk", "visitor__customer")),
        "after": answered(),
    }


if __name__ == "__main__":
    main()
