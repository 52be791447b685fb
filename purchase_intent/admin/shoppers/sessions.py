"""Sessions at the desk: who is about to buy, and one session with its verdict, its reasons and its timeline."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import F, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils import timezone

from purchase_intent.admin import filters
from purchase_intent.admin.charts import NARROW, score_chart
from purchase_intent.admin.lists import Desk
from purchase_intent.admin.saying import ago, band_words, listed, money, named, per_cent, short, timed
from purchase_intent.admin.searching import HELP, sessions_named
from purchase_intent.admin.shoppers.along import facts_of, rows_of
from purchase_intent.admin.shoppers.opinion import opinions_page
from purchase_intent.admin.shoppers.verdicts import verdict_of
from purchase_intent.exceptions import IntentError
from purchase_intent.features.state import State
from purchase_intent.models import Session
from purchase_intent.scoring.timeline import Timeline, timeline

__all__ = ["SessionAdmin"]

LIKELIEST: Final = 5
"""Sessions named above the list."""


@admin.register(Session)
class SessionAdmin(Desk):
    list_display = (
        "who",
        "chance",
        "band_in_words",
        "stage",
        "ending",
        "active",
        "event_count",
        "came_by",
        "device_used",
    )
    list_filter = (
        filters.OpenNow,
        filters.BandOfSession,
        filters.StageOfSession,
        filters.OutcomeOfSession,
        filters.LabelOfSession,
    )
    list_select_related = ("visitor",)
    search_fields = ("key",)  # get_search_results looks for more
    search_help_text = HELP
    page_template = "admin/purchase_intent/session.html"
    nothing = (
        "No sessions yet, because no event has been recorded. Add the tracking middleware and a Shop adapter that "
        "answers consent, or load a log with intent_import."
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Session]:
        """Without what a page alone needs."""
        return super().get_queryset(request).select_related("visitor").defer("past", "visitor__past")

    def get_ordering(self, request: HttpRequest) -> tuple[Any, ...]:
        """The latest first; the likeliest first among the few that are going on."""
        if request.GET.get("open") == "now":
            return (F("score").desc(nulls_last=True), "-last_at", "-pk")
        return ("-last_at", "-pk")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Session], search_term: str
    ) -> tuple[QuerySet[Session], bool]:
        """Whole keys only: a part of one would read the whole table."""
        term = search_term.strip()
        return (queryset.filter(pk__in=sessions_named(term)) if term else queryset), False

    def overview(self, request: HttpRequest) -> dict[str, Any]:
        """Who is about to buy, now."""
        now = timezone.now()
        sessions = Session.objects.select_related("visitor").defer("state", "past", "visitor__past")
        return {
            "likeliest_title": "Open now, likeliest to buy",
            "likeliest": [
                {
                    "url": f"{session.pk}/change/",
                    "name": listed(session.visitor),
                    "chance": per_cent(session.score or 0),
                    "note": f"{session.get_stage_display()}, last event {ago(session.last_at, now)}",
                }
                for session in filters.likeliest_open(sessions, LIKELIEST)
            ],
            "likeliest_nothing": "No shopper is in the shop with a score; staff and bots are left out.",
        }

    @admin.display(description="customer")
    def who(self, session: Session) -> str:
        return listed(session.visitor)

    @admin.display(description="score", empty_value="not scored")
    def chance(self, session: Session) -> str | None:
        return None if session.score is None else per_cent(session.score)

    @admin.display(description="band", empty_value="-")
    def band_in_words(self, session: Session) -> str | None:
        return None if session.score is None else band_words(session.band)

    @admin.display(description="outcome")
    def ending(self, session: Session) -> str:
        return session.get_outcome_display()

    @admin.display(description="last activity")
    def active(self, session: Session) -> str:
        return timed(session.last_at, timezone.now())

    @admin.display(description="events")
    def event_count(self, session: Session) -> int:
        return session.read_state().events

    @admin.display(description="channel", empty_value="-")
    def came_by(self, session: Session) -> str | None:
        return short(session.channel) if session.channel else None

    @admin.display(description="device", empty_value="-")
    def device_used(self, session: Session) -> str | None:
        return short(session.device) if session.device else None

    def get_urls(self) -> list[URLPattern]:
        """The admin's own, and a second opinion on a session's score."""
        view = self.admin_site.admin_view(self.opinions_view)
        return [path("<int:key>/opinions/", view, name="purchase_intent_session_opinions"), *super().get_urls()]

    def opinions_view(self, request: HttpRequest, key: int) -> HttpResponse:
        """The score explained by TreeSHAP and by LIME; asked for, since it takes a second."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        session = Session.objects.select_related("visitor").filter(pk=key).first()
        if session is None:
            raise Http404(f"There is no session {key}.")
        now = timezone.now()
        context = {
            "subtitle": f"{named(session.visitor)}, {ago(session.last_at, now)}",
            **opinions_page(session, now=now),
        }
        return self.drawn(request, "admin/purchase_intent/opinions.html", session, context)

    def page(self, request: HttpRequest, row: Session) -> dict[str, Any]:
        """The verdict first, then the score along the session, its events, and the facts."""
        now = timezone.now()
        along, fault = _along(row)
        return {
            "subtitle": f"{named(row.visitor)}, {ago(row.last_at, now)}",
            "verdict": verdict_of(row, now=now),
            "fault": fault,
            "chart": score_chart(along.moments, row.started_at),
            "narrow_chart": score_chart(along.moments, row.started_at, NARROW),
            "rows": rows_of(along.moments, row.started_at),
            "more": along.more,
            "total": along.more + len(along.moments),
            "cart": _cart(row.read_state()),
            "facts": facts_of(row, now),
            "visitor": row.visitor,
        }


def _cart(state: State) -> str:
    if not state.cart_units:
        return "nothing"
    return f"{money(state.cart_value)}, {state.cart_units} {'piece' if state.cart_units == 1 else 'pieces'}"


def _along(session: Session) -> tuple[Timeline, str]:
    try:
        return timeline(session), ""
    except IntentError as error:
        return Timeline(()), error.message
