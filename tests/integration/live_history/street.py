"""Shoppers of a simulated plan in the running shop, one after another in the plan's own time.

Beyond the plan some do what it does not know of: two tabs open pages at one moment, and events arrive late.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from itertools import count

from django.urls import reverse
from django.utils.text import slugify

from demo_shop.simulator import Plan
from demo_shop.walking import Crowd, Shopper, Visit, visits
from purchase_intent.conf import config
from purchase_intent.events import Event, EventName, Page
from purchase_intent.models import Session
from purchase_intent.scoring.closing import close_sessions
from purchase_intent.scoring.freezing import freeze_days_due
from purchase_intent.tracking.recorder import Journey, Sender
from tests.integration.live_history.clock import Clock

__all__ = ["Street", "busy_visits"]

_TWO_TABS = 0.04  # of steps
_BACK_IN_TWO_TABS = 0.5  # of returns
_LATE = 0.03  # of steps
_MOST_LATE = 3 * 3_600_000


def busy_visits(plan: Plan, count: int) -> list[Visit]:
    """So many visits of a plan in order of their beginnings, a third by visitors who log in, buy or come back."""
    found = [visit for visit in visits(plan, count * 8) if not visit.bot]
    logs_in = {visit.visitor for visit in found if visit.known or _does(visit, EventName.LOGIN)}
    returns = {visit.visitor for visit in found if visit.number}
    buys = {visit.visitor for visit in found if _does(visit, EventName.PURCHASE)}
    wanted = [_elsewhere(each) if each.number % 2 else each for each in found if each.visitor in logs_in]
    wanted += [each for each in found if each.visitor in buys - logs_in]
    wanted += [each for each in found if each.visitor in returns - buys - logs_in]
    plain = [each for each in found if each.visitor not in logs_in | buys | returns]
    return sorted(wanted[: count // 3] + plain[: count - count // 3], key=lambda visit: visit.start)


def _elsewhere(visit: Visit) -> Visit:
    """The visit on another device, and signed in there."""
    return replace(visit, device="desktop" if visit.device == "mobile" else "mobile", known=True, signs_out=True)


def _does(visit: Visit, kind: EventName) -> bool:
    return any(step.kind is kind for step in visit.steps)


@dataclass
class Street:
    """Walks visits in the plan's time; each night the sessions that ended are closed and the day is frozen."""

    crowd: Crowd
    clock: Clock
    chance: random.Random
    two_tabs: int = 0
    late: int = 0
    days: list[date] = field(default_factory=list)

    def walk(self, found: Sequence[Visit]) -> None:
        """Walk all visits, each step at its time, whoever it is of."""
        order = count()
        waiting: list[tuple[int, int, Shopper, Iterator[int]]] = []
        for visit in found:
            shopper = Shopper(visit, self.crowd)
            steps = shopper.walk()
            heapq.heappush(waiting, (next(steps), next(order), shopper, steps))
        with ThreadPoolExecutor(2) as pool:
            while waiting:
                at, number, shopper, steps = heapq.heappop(waiting)
                self._wait_until(at)
                if at == shopper.visit.start and shopper.visit.number and self.chance.random() < _BACK_IN_TWO_TABS:
                    self._open_two_tabs(shopper, pool)
                following = next(steps, None)
                self._besides(shopper, pool)
                if following is not None:
                    heapq.heappush(waiting, (following, number, shopper, steps))

    def _wait_until(self, at: int) -> None:
        self.clock.wait_until(at)
        now = self.clock()
        if not self.days or now.astimezone(config().time_zone).date() > self.days[-1]:
            close_sessions(now)
            freeze_days_due(now)
            self.days.append(now.astimezone(config().time_zone).date())

    def _besides(self, shopper: Shopper, pool: ThreadPoolExecutor) -> None:
        draw = self.chance.random()
        if draw < _TWO_TABS:
            self._open_two_tabs(shopper, pool)
        elif draw < _TWO_TABS + _LATE:
            self._come_late()

    def _open_two_tabs(self, shopper: Shopper, pool: ThreadPoolExecutor) -> None:
        """Open two products from the page shown, both at once."""
        here = shopper.trip.browser
        came = here.root + here.answer.path
        paths = [
            reverse("product", args=[slugify(product.name)[:80]])
            for product in self.chance.sample(self.crowd.catalogue.products, 2)
        ]
        answers = [pool.submit(here.tab().get, path, referer=came) for path in paths]
        assert [each.result().status for each in answers] == [200, 200]
        self.two_tabs += 1

    def _come_late(self) -> None:
        """Something of the same day becomes known only now: in the session, or before it had begun."""
        session = Session.objects.select_related("visitor").order_by("-last_at", "-pk").first()
        assert session is not None
        now = self.clock()
        zone = config().time_zone
        midnight = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
        earliest = max(midnight, now - timedelta(milliseconds=_MOST_LATE))
        at = now - (now - earliest) * self.chance.random() ** 6
        product = self.chance.choice(self.crowd.catalogue.products)
        event = Event(
            event_id=f"late-{self.late}",
            name=self.chance.choice((EventName.VIEW, EventName.INTERACTION, EventName.WISHLIST)),
            occurred_at=at,
            visitor=session.visitor.cookie,
            page=Page.PRODUCT,
            product=str(product.product_id),
            category=product.category_code,
            brand=product.brand,
            price=product.price,
        )
        sender = Sender(visitor=session.visitor.cookie, session=session.key, customer=session.visitor.customer)
        assert Journey(sender).record([event]).added == 1
        self.late += 1
