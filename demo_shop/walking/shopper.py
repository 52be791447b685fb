"""A simulated visit, turned into what a browser asks the shop for."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.text import slugify

from demo_shop.simulator import Catalogue, build_catalogue
from demo_shop.views.information import TOPICS
from demo_shop.walking import accounts, buying
from demo_shop.walking.browser import Browser
from demo_shop.walking.moved import Moved
from demo_shop.walking.people import AGENTS, BOT_AGENT, arrival, person
from demo_shop.walking.tally import Tally
from demo_shop.walking.trip import Accounts, Device, Trip
from demo_shop.walking.visits import Step, Visit
from purchase_intent.events.names import EventName, Page

__all__ = ["Crowd", "Device", "Shopper"]

_BEFORE_SIGNING_OUT = 3_000
_A_CHECKOUT_STEP = 20_000


@dataclass
class Crowd:
    """What all shoppers of a walk share: the shop's address, the catalogue, devices, accounts and the figures."""

    root: str
    seed: int = 1
    catalogue: Catalogue = field(default_factory=build_catalogue)
    tally: Tally = field(default_factory=Tally)
    accounts: Accounts = field(default_factory=Accounts)
    devices: dict[tuple[int, str], Device] = field(default_factory=dict)

    def device(self, visit: Visit) -> Device:
        """The visitor's own device, with the cookies of earlier visits."""
        agent = BOT_AGENT if visit.bot else AGENTS[visit.device]
        fresh = Device(Browser(self.root, agent, self.tally))
        return self.devices.setdefault((visit.visitor, visit.device), fresh)


class Shopper:
    """Walks one visit. `trip` holds the browser; the visit's own chances depend on nothing but the seed."""

    def __init__(self, visit: Visit, crowd: Crowd) -> None:
        self.visit = visit
        self.catalogue = crowd.catalogue
        self.tally = crowd.tally
        self.trip = Trip(
            device=crowd.device(visit),
            person=person(visit.visitor, visit.country, seed=crowd.seed),
            tally=crowd.tally,
            accounts=crowd.accounts,
            chance=random.Random(f"{crowd.seed}/{visit.visitor}/{visit.number}"),
            agrees=not visit.bot,
        )
        self.moved = Moved(visit, random.Random(f"{crowd.seed}/{visit.visitor}/{visit.number}/moved"))

    def walk(self) -> Iterator[int]:
        """Do the visit step by step: each is done after its time (milliseconds since 1970 UTC) was yielded."""
        first, *later = self.visit.steps
        yield first.at
        self._arrive(first)
        self._see(first)
        if self.visit.known and not self.trip.device.signed_in:
            yield first.at + (min(2_000, later[0].at - first.at) if later else 2_000)
            accounts.come_in(self.trip)
        for step in later:
            yield step.at
            if self.moved.passes_over(step):
                continue
            self._do(step)
            self._see(step)
            if self.moved.takes_too(step):
                self._do(replace(step, kind=EventName.CART, quantity=1))
                self._see(replace(step, kind=EventName.CART))
        if not self.visit.bot and self.moved.orders_after_all():
            yield from self._order()
        if self.visit.signs_out:
            yield self.visit.steps[-1].at + _BEFORE_SIGNING_OUT
            accounts.sign_out(self.trip)
        self.tally.count("sessions")

    def _see(self, step: Step) -> None:
        self.moved.see(self.trip.browser.answer.page, step)

    def _order(self) -> Iterator[int]:
        """Go through the checkout, which was not planned."""
        at = self.visit.steps[-1].at
        for act in (buying.go_to_checkout, buying.give_address, buying.choose_payment, buying.place_order):
            at += _A_CHECKOUT_STEP
            yield at
            act(self.trip)

    def _arrive(self, first: Step) -> None:
        """Come to the first page by the visit's channel."""
        came = arrival(self.visit.channel)
        path = self._address(first)
        if came.query:
            path += ("&" if "?" in path else "?") + came.query
        self.trip.look(path, referer=came.referer)

    def _address(self, step: Step) -> str:
        """The page that a step shows."""
        if step.product >= 0:
            return reverse("product", args=[slugify(self.catalogue.products[step.product].name)[:80]])
        if step.kind is EventName.SEARCH:
            return f"{reverse('search')}?{urlencode({'q': step.search})}"
        if step.page is Page.LISTING:
            return reverse("listing", args=self.catalogue.shelves[step.shelf])
        if step.page is Page.INFORMATION:
            return reverse("information", args=[self.trip.chance.choice(sorted(TOPICS))])
        return reverse(_NAMES[step.page])

    def _do(self, step: Step) -> None:
        """Take one step; those that no page of the shop answers (a gallery, a wish list) leave the browser as it is."""
        if step.kind in _ACTS:
            _ACTS[step.kind](self.trip)
        elif step.kind in _LOOKS:
            self.trip.look(self._address(step))
        elif step.kind is EventName.CART:
            buying.add(self.trip, self._address(step), step.quantity)
        elif step.kind is EventName.REMOVE_FROM_CART:
            buying.take_out(self.trip, self.catalogue.products[step.product].product_id)
        elif step.kind is EventName.CHECKOUT:
            (buying.choose_payment if step.page is Page.REVIEW else buying.go_to_checkout)(self.trip)


_NAMES = MappingProxyType({Page.HOME: "home", Page.BASKET: "basket", Page.ACCOUNT: "account"})

_LOOKS = frozenset({EventName.PAGE_VIEW, EventName.VIEW, EventName.SEARCH})

_ACTS: MappingProxyType[EventName, Callable[[Trip], None]] = MappingProxyType(
    {
        EventName.VIEW_CART: buying.look_into_basket,
        EventName.PAYMENT_INFO: buying.give_address,
        EventName.PURCHASE: buying.place_order,
        EventName.SIGN_UP: accounts.register,
        EventName.LOGIN: accounts.come_in,
    }
)
