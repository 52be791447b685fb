"""Dead letters at the desk: what could not be recorded and why, as it came; tried again once the cause is mended."""

from __future__ import annotations

import json
from typing import Any, Final

from django.contrib import admin, messages
from django.contrib.admin.models import DELETION, LogEntry
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from purchase_intent.admin.lists import CAP, Desk
from purchase_intent.admin.saying import PAGES, WORDS, clock, short, timed
from purchase_intent.events import EventName, Page
from purchase_intent.exceptions import EntryRefused
from purchase_intent.models import DeadLetter, Origin
from purchase_intent.tracking.sinks.arriving import Arrived, replay
from purchase_intent.tracking.sinks.entry import Entry, loads

__all__ = ["DeadLetterAdmin"]

MOST: Final = 500
"""Letters that one press of the button tries again, the oldest first: a page must answer. The command takes all."""
MOST_REASONS: Final = 5
MOST_EVENTS: Final = 100
LONGEST: Final = 20_000
"""Characters of a line that its page shows."""


@admin.register(DeadLetter)
class DeadLetterAdmin(Desk):
    list_display = ("why", "origin", "arrived")
    list_filter = ("origin",)
    page_template = "admin/purchase_intent/dead_letter.html"
    change_list_template = "admin/purchase_intent/dead_letters.html"
    nothing = "No dead letters, because everything that was accepted could be recorded."

    def has_change_permission(self, request: HttpRequest, obj: DeadLetter | None = None) -> bool:
        """Nothing is edited, but who may change dead letters has them tried again."""
        return request.user.has_perm("purchase_intent.change_deadletter")

    def get_queryset(self, request: HttpRequest) -> QuerySet[DeadLetter]:
        """Without the lines, which only a page reads."""
        return super().get_queryset(request).defer("line")

    def get_urls(self) -> list[URLPattern]:
        """The admin's own, and what the two buttons post to."""
        wrap = self.admin_site.admin_view
        return [
            path("replay/", wrap(self.replay_view), name="purchase_intent_deadletter_replay"),
            path("<int:key>/replay/", wrap(self.replay_view), name="purchase_intent_deadletter_replay_one"),
            *super().get_urls(),
        ]

    @admin.display(description="reason")
    def why(self, letter: DeadLetter) -> str:
        return letter.reason[:120] or "not known"

    @admin.display(description="buried")
    def arrived(self, letter: DeadLetter) -> str:
        return timed(letter.moment, timezone.now())

    def overview(self, request: HttpRequest) -> dict[str, Any]:
        """How many there are, of which origin, for which reasons; and the button, where somebody may press it."""
        chosen = _chosen(request)
        latest = chosen.order_by("-moment", "-pk")[:CAP]
        counted = DeadLetter.objects.filter(pk__in=latest.values("pk")).order_by()
        origins = {each["origin"]: each["number"] for each in counted.values("origin").annotate(number=Count("pk"))}
        total = sum(origins.values())
        reasons = counted.values("reason").annotate(number=Count("pk")).order_by("-number", "reason")[:MOST_REASONS]
        return {
            "total": total,
            "counts": [
                f"{number:,}{' or more' if total == CAP else ''} {_of(origin)}"
                for origin, number in sorted(origins.items())
            ],
            "reasons": [(f"{each['number']:,}", each["reason"]) for each in reasons] if total else [],
            "tried": min(total, MOST),
            "origin": request.GET.get("origin__exact", ""),
            "may_replay": bool(total) and self.has_change_permission(request),
        }

    def page(self, request: HttpRequest, row: DeadLetter) -> dict[str, Any]:
        """What one line says, as far as anybody can read it."""
        line = bytes(row.line)
        entry = _entry(line)
        return {
            "subtitle": f"Dead letter {row.pk}",
            "headline": row.reason,
            "table": None if entry is None else _table(entry),
            "cut": entry is not None and len(entry.events) > MOST_EVENTS,
            "text": _readable(line)[:LONGEST],
            "is_cut": len(_readable(line)) > LONGEST,
            "may_replay": self.has_change_permission(request, row),
            "facts": [
                ("Buried", clock(row.moment)),
                ("Came by", row.get_origin_display()),
                ("Size", f"{len(line):,} bytes"),
                *([] if entry is None else _facts(entry)),
            ],
        }

    def replay_view(self, request: HttpRequest, key: int | None = None) -> HttpResponse:
        """Try one letter again, or the oldest of those that are listed (POST)."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_change_permission(request):
            raise PermissionDenied
        letters = _chosen(request) if key is None else DeadLetter.objects.filter(pk=key)
        tried = list(letters.order_by("pk")[:MOST])
        if key is not None and not tried:
            raise Http404(f"There is no dead letter {key}.")
        done, recorded = Arrived(), []
        for letter in tried:
            found = replay(letter)
            done += found
            if not found.dead:
                recorded.append(letter)
        self._keep(request, recorded)
        self.message_user(request, _said(done, recorded), messages.WARNING if done.dead else messages.SUCCESS)
        if key is not None and not recorded:
            return HttpResponseRedirect(reverse("admin:purchase_intent_deadletter_change", args=[key]))
        return HttpResponseRedirect(_list_of(_origin(request)))

    def _keep(self, request: HttpRequest, recorded: list[DeadLetter]) -> None:
        """Have the admin's history know who had them recorded."""
        who = request.user.pk
        if recorded and who is not None:
            LogEntry.objects.log_actions(who, recorded, DELETION, change_message="Tried again, and recorded.")


def _origin(request: HttpRequest) -> str:
    given = request.POST.get("origin", "") if request.method == "POST" else request.GET.get("origin__exact", "")
    return given if given in Origin.values else ""


def _chosen(request: HttpRequest) -> QuerySet[DeadLetter]:
    """Those of the origin that the list is narrowed to."""
    origin = _origin(request)
    return DeadLetter.objects.filter(origin=origin) if origin else DeadLetter.objects.all()


def _list_of(origin: str) -> str:
    address = reverse("admin:purchase_intent_deadletter_changelist")
    return f"{address}?origin__exact={origin}" if origin and DeadLetter.objects.filter(origin=origin) else address


def _of(origin: str) -> str:
    return f"from the {Origin(origin).label}" if origin in Origin.values else f"from {origin}"


def _said(done: Arrived, recorded: list[DeadLetter]) -> str:
    words = f"{len(recorded):,} recorded, with {done.events:,} event{'' if done.events == 1 else 's'}"
    words += f", and {done.known:,} that were there already" if done.known else ""
    return f"{words}. {done.dead:,} still cannot be." if done.dead else f"{words}."


def _entry(line: bytes) -> Entry | None:
    """The line as what it ought to be; None where it cannot be read, which its reason says."""
    try:
        return loads(line)
    except EntryRefused:
        return None


def _readable(line: bytes) -> str:
    """The line with its fields one below the other; as it stands where it is no JSON."""
    text = line.decode("utf-8", "backslashreplace")
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text


def _facts(entry: Entry) -> list[tuple[str, str]]:
    sender = entry.sender
    named = [("Visitor", sender.visitor), ("Session", sender.session), ("Customer", sender.customer)]
    told = [(name, str(short(value))) for name, value in named if value]
    return [*told, ("Received", clock(entry.received))]


def _table(entry: Entry) -> dict[str, Any]:
    return {
        "caption": f"{len(entry.events):,} event{'' if len(entry.events) == 1 else 's'}",
        "heads": ("When", "What", "On which page", "Product", "Price", "Order", "Revenue"),
        "rows": [
            (
                clock(event.occurred_at),
                WORDS.get(EventName(event.name), event.name.label),
                PAGES[event.page if event.page is not None else Page.OTHER],
                short(event.product or ""),
                "" if event.price is None else f"{event.price:,.2f}",
                short(event.order or ""),
                "" if event.revenue is None else f"{event.revenue:,.2f}",
            )
            for event in entry.events[:MOST_EVENTS]
        ],
    }
