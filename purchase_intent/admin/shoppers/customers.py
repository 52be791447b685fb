"""Customers at the desk: who they are, how likely they are to buy, and what they are worth."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import admin
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils import timezone

from purchase_intent.admin import filters
from purchase_intent.admin.lists import Desk
from purchase_intent.admin.saying import ago, band_words, label_words, listed, money, named, per_cent, timed
from purchase_intent.admin.searching import HELP, visitors_named
from purchase_intent.admin.shoppers import worth
from purchase_intent.admin.shoppers.memberships import memberships_of
from purchase_intent.admin.shoppers.verdicts import verdict_of
from purchase_intent.models import Event, Horizon, ModelVersion, Order, Session, Visitor

__all__ = ["CustomerAdmin"]

MOST: Final = 20
"""Sessions and orders on a customer's page: the latest."""
LIKELIEST: Final = 5
"""Customers named above the list."""


@admin.register(Visitor)
class CustomerAdmin(Desk):
    list_display = ("who", "chance", "band_in_words", "active", "latest_stage", "latest_score", "visits", "known")
    list_filter = (
        filters.BandOfCustomer,
        filters.BestCustomers,
        filters.SegmentOfCustomer,
        filters.KnownOrNot,
        filters.Label,
        filters.LastSeen,
    )
    search_fields = ("cookie",)  # get_search_results looks for more
    search_help_text = HELP
    page_template = "admin/purchase_intent/customer.html"
    nothing = (
        "No customers yet, because nobody has been recorded. Add the tracking middleware and a Shop adapter that "
        "answers consent, or load a log with intent_import."
    )

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        """With what is expected of each customer, once a model says it, in place of what the name and page tell."""
        if not _is_expected(request):
            return tuple(map(str, self.list_display))
        return ("who", "chance", "band_in_words", "lost", "revenue", "active", "latest_stage", "visits")

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        """Without the order of what no model says."""
        return [each for each in self.list_filter if each is not filters.BestCustomers or _is_expected(request)]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Visitor]:
        """Without the packed past, which only a page reads."""
        return super().get_queryset(request).defer("past")

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """The latest first; by chance, churn or worth where a filter asks for it. Each order is an index's."""
        if (best := request.GET.get("by")) in filters.BestCustomers.columns:
            return (f"-{filters.BestCustomers.columns[best]}", "-pk")
        by_score = request.GET.get("band") in dict(filters.BandOfCustomer.choices_given)
        return ("-score", "-pk") if by_score else ("-last_seen", "-pk")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Visitor], search_term: str
    ) -> tuple[QuerySet[Visitor], bool]:
        """Whole keys only: a part of one would read the whole table.

        A visitor of whom a login has left nothing is no customer to list, but its key still leads to its page.
        """
        term = search_term.strip()
        return queryset.filter(pk__in=visitors_named(term)) if term else queryset.filter(joined=False), False

    def overview(self, request: HttpRequest) -> dict[str, Any]:
        """Who is likeliest to buy."""
        scored = Visitor.objects.defer("past").people().filter(score__isnull=False)
        return {
            "title": "Customers",
            "likeliest_title": "Likeliest to buy",
            "likeliest": [
                {
                    "url": f"{visitor.pk}/change/",
                    "name": listed(visitor),
                    "chance": per_cent(visitor.score or 0),
                    "note": _note(visitor),
                }
                for visitor in scored.order_by("-score", "-pk")[:LIKELIEST]
            ],
            "likeliest_nothing": "No customer is scored yet: scores come with the nightly task, once a model serves.",
        }

    def complete(self, rows: list[Any]) -> None:
        """Each customer's number of sessions and latest session: two queries a page."""
        own = Session.objects.filter(visitor=OuterRef("pk")).order_by("-last_at", "-pk")
        counts = own.order_by().values("visitor").annotate(number=Count("pk")).values("number")
        told = Visitor.objects.filter(pk__in=[row.pk for row in rows]).values_list(
            "pk", Subquery(own.values("pk")[:1]), Coalesce(Subquery(counts), 0)
        )
        facts = {pk: (latest, number) for pk, latest, number in told}
        keys = [latest for latest, _ in facts.values() if latest is not None]
        sessions = Session.objects.defer("state", "past").in_bulk(keys)
        for row in rows:
            latest, row.session_count = facts.get(row.pk, (None, 0))
            row.latest_session = sessions.get(latest)

    @admin.display(description="customer")
    def who(self, visitor: Visitor) -> str:
        return listed(visitor)

    @admin.display(description="chance to buy", empty_value="not scored yet")
    def chance(self, visitor: Visitor) -> str | None:
        return None if visitor.score is None else f"{per_cent(visitor.score)} {worth.when(visitor)}"

    @admin.display(description="band", empty_value="-")
    def band_in_words(self, visitor: Visitor) -> str | None:
        return None if visitor.score is None else band_words(visitor.band)

    @admin.display(description="away for 30 days", empty_value="-")
    def lost(self, visitor: Visitor) -> str | None:
        return None if visitor.churn is None else per_cent(visitor.churn)

    @admin.display(description="next 28 days", empty_value="-")
    def revenue(self, visitor: Visitor) -> str | None:
        return None if visitor.revenue_28d is None else money(visitor.revenue_28d)

    @admin.display(description="sessions")
    def visits(self, visitor: Visitor) -> int:
        return int(getattr(visitor, "session_count", 0))

    @admin.display(description="last activity")
    def active(self, visitor: Visitor) -> str:
        latest = _latest(visitor)
        return timed(latest.last_at if latest else visitor.last_seen, timezone.now())

    @admin.display(description="latest session", empty_value="none")
    def latest_stage(self, visitor: Visitor) -> str | None:
        latest = _latest(visitor)
        return latest.get_stage_display() if latest else None

    @admin.display(description="its score", empty_value="-")
    def latest_score(self, visitor: Visitor) -> str | None:
        latest = _latest(visitor)
        return per_cent(latest.score) if latest and latest.score is not None else None

    def page(self, request: HttpRequest, row: Visitor) -> dict[str, Any]:
        """A customer's score, latest verdict, sessions and orders."""
        now = timezone.now()
        sessions = list(row.sessions.order_by("-last_at", "-pk")[: MOST + 1])
        orders = Order.objects.filter(visitor=row).order_by("-placed_at", "-pk")
        latest_orders = list(orders[: MOST + 1])
        return {
            "subtitle": named(row),
            "headline": _headline(row),
            "question": worth.question(row),
            "worth": worth.worth_rows(row),
            "scored": ago(row.scored_at, now) if row.scored_at else "",
            "facts": _facts(row, now),
            **_successor(row),
            **memberships_of(row, now),
            "latest": sessions[0] if sessions else None,
            "verdict": verdict_of(sessions[0], now=now) if sessions else None,
            "sessions": [_session_row(session, now) for session in sessions[:MOST]],
            "more_sessions": len(sessions) > MOST,
            "orders": [
                {"number": order.number, "placed": timed(order.placed_at, now), "revenue": _revenue(order)}
                for order in latest_orders[:MOST]
            ],
            "more_orders": len(latest_orders) > MOST,
            "revenue": _revenues(latest_orders[:MOST]),
            "most": MOST,
        }


def _is_expected(request: HttpRequest) -> bool:
    """Whether a model for customers serves; asked once a request."""
    known: bool | None = getattr(request, "_intent_is_expected", None)
    if known is None:
        known = ModelVersion.objects.of(Horizon.WEEK).champions().exists()
        request._intent_is_expected = known  # type: ignore[attr-defined]  # noqa: SLF001
    return known


def _note(visitor: Visitor) -> str:
    seen = ago(visitor.last_seen, timezone.now())
    return f"{band_words(visitor.band)}, last seen {seen}; the chance is that of a purchase {worth.when(visitor)}"


def _latest(visitor: Visitor) -> Session | None:
    found: Session | None = getattr(visitor, "latest_session", None)
    return found


def _headline(visitor: Visitor) -> str:
    if visitor.score is None:
        return "Not scored yet"
    return f"{per_cent(visitor.score)} {worth.that(visitor)}: {band_words(visitor.band)}"


def _successor(visitor: Visitor) -> dict[str, Any]:
    """For whom counts what a visitor did that a login has joined to another."""
    if not visitor.joined:
        return {}
    events = (
        Event.objects.filter(visitor=visitor).exclude(session__visitor=visitor).order_by("-occurred_at", "-sequence")
    )
    latest = events.select_related("session__visitor").first()
    if latest is None:
        return {}
    return {"successor": latest.session.visitor, "successor_name": named(latest.session.visitor)}


def _facts(visitor: Visitor, now: Any) -> list[tuple[str, str]]:
    return [
        ("Customer key", visitor.customer or "none: not logged in so far"),
        ("Cookie id", visitor.cookie),
        ("Known", "yes, has logged in" if visitor.known else "no, anonymous"),
        ("Label", label_words(visitor) + (f" ({visitor.bot_reason})" if visitor.bot_reason else "")),
        ("First seen", timed(visitor.first_seen, now)),
        ("Last seen", timed(visitor.last_seen, now)),
        *([("Site", visitor.site)] if visitor.site else []),
    ]


def _session_row(session: Session, now: Any) -> dict[str, Any]:
    return {
        "pk": session.pk,
        "began": timed(session.started_at, now),
        "stage": session.get_stage_display(),
        "score": "not scored" if session.score is None else per_cent(session.score),
        "outcome": session.get_outcome_display(),
        "channel": session.channel or "-",
        "device": session.device or "-",
    }


def _revenue(order: Order) -> str:
    return money(order.revenue, order.currency or None)


def _revenues(orders: list[Order]) -> str:
    sums: dict[str, Any] = {}
    for order in orders:
        sums[order.currency] = sums.get(order.currency, 0) + order.revenue
    return " and ".join(money(total, currency or None) for currency, total in sums.items())
