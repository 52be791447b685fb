"""Segments at the desk: what each is worth, who is in it, and the editor of its conditions."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, Subquery
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.text import capfirst

from purchase_intent.admin.lists import Desk
from purchase_intent.admin.saying import listed, money, timed
from purchase_intent.admin.segment_form import Editor
from purchase_intent.admin.segment_words import counted, figures_table, headline, precise, shared, traits
from purchase_intent.exceptions import SegmentRefused
from purchase_intent.models import Segment, SegmentMembership, SegmentReport, SegmentVersion
from purchase_intent.segments.editing import change_segment, make_segment, mark_of, switch
from purchase_intent.segments.preview import Preview, preview
from purchase_intent.segments.rules import Rule
from purchase_intent.tasks import fill_now

__all__ = ["SegmentAdmin"]

MOST: Final = 10
"""Members, and looks back, on a segment's page."""
_WORDS: Final = ("title", "about", "action")


@admin.register(Segment)
class SegmentAdmin(Desk):
    list_display = ("titled", "size", "converts", "order_value", "brings", "does")
    page_template = "admin/purchase_intent/segment.html"
    nothing = "No segments yet, because none was made: run manage.py intent_segments --install for the built-in ones."

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Who may add segments makes them."""
        return request.user.has_perm("purchase_intent.add_segment")

    def has_change_permission(self, request: HttpRequest, obj: Segment | None = None) -> bool:
        """Who may change segments edits them, and switches them on and off."""
        return request.user.has_perm("purchase_intent.change_segment")

    def get_urls(self) -> list[URLPattern]:
        """The admin's own, the editor, and what the switch posts to."""
        wrap = self.admin_site.admin_view
        return [
            path("<int:key>/edit/", wrap(self.edit_view), name="purchase_intent_segment_edit"),
            path("<int:key>/switch/", wrap(self.switch_view), name="purchase_intent_segment_switch"),
            *super().get_urls(),
        ]

    def complete(self, rows: list[Any]) -> None:
        """Each segment's latest report: one query a page."""
        newest = SegmentReport.objects.filter(segment=OuterRef("pk")).order_by("-moment").values("pk")[:1]
        found = Segment.objects.filter(pk__in=[row.pk for row in rows]).order_by().values(latest=Subquery(newest))
        reports = {each.segment_id: each for each in SegmentReport.objects.filter(pk__in=found)}
        for row in rows:
            row.report = reports.get(row.pk)

    @admin.display(description="segment")
    def titled(self, segment: Segment) -> str:
        return segment.title if segment.is_active else f"{segment.title} (off)"

    @admin.display(description="shoppers")
    def size(self, segment: Segment) -> str:
        return counted(_report(segment))

    @admin.display(description="visits that bought, 90 days (95%)", empty_value="-")
    def converts(self, segment: Segment) -> str | None:
        return _said(_report(segment), "conversion")

    @admin.display(description="average order", empty_value="-")
    def order_value(self, segment: Segment) -> str | None:
        report = _report(segment)
        found = None if report is None else report.figures.get("order_value")
        return None if found is None else money(found["value"])

    @admin.display(description="of the revenue", empty_value="-")
    def brings(self, segment: Segment) -> str | None:
        report = _report(segment)
        found = None if report is None else report.figures.get("revenue_share")
        return None if found is None else precise(found["value"])

    @admin.display(description="what to do")
    def does(self, segment: Segment) -> str:
        return segment.action[:120]

    def page(self, request: HttpRequest, row: Segment) -> dict[str, Any]:
        """What it is worth, whom it means, who is in it, and how it came to be."""
        reports = list(SegmentReport.objects.filter(segment=row).select_related("version").order_by("-moment")[:MOST])
        latest, now = (reports[0] if reports else None), timezone.now()
        measured = latest.figures if latest is not None else {}
        members = SegmentMembership.objects.filter(segment=row).select_related("visitor").defer("visitor__past")
        return {
            "subtitle": row.title,
            "headline": headline(latest) if row.is_active else "Switched off",
            "report": latest,
            "looked_at": f"{latest.looked_at:,}" if latest is not None else "",
            "measured": timed(latest.moment, now) if latest is not None else "",
            "is_stale": latest is not None and latest.version_id != row.current_id,
            "figures": figures_table(measured) if measured else None,
            "traits": traits(measured) if measured else None,
            "rule": _rule_words(row.current),
            "entered": [_entered(each, now) for each in members.order_by("-entered_at", "-pk")[:MOST]],
            "sizes": [(timed(each.moment, now), each.version.number, f"{each.size:,}") for each in reports],
            "versions": [_version(each, now) for each in row.versions.all()[: 2 * MOST]],
            "may_edit": self.has_change_permission(request, row),
            "targeting": _targeting(row),
            "name": row.key.replace("-", "_"),
        }

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The editor of a segment that is to be made."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        return self._edit(request, None)

    def edit_view(self, request: HttpRequest, key: int) -> HttpResponse:
        """The editor of a segment; `?version=` puts an earlier version's conditions in it."""
        segment = self._found(request, key)
        return self._edit(request, segment)

    def switch_view(self, request: HttpRequest, key: int) -> HttpResponse:
        """Switch a segment on or off (POST)."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        segment = self._found(request, key)
        on = not segment.is_active
        if switch(segment, on=on, now=timezone.now()):
            self.log_change(request, segment, f"Switched {'on' if on else 'off'}.")
        if on:
            fill_now(segment.key)
        said = f"{segment.title} is switched {'on' if on else 'off'}."
        self.message_user(request, said, messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:purchase_intent_segment_change", args=[key]))

    def _found(self, request: HttpRequest, key: int) -> Segment:
        if not self.has_change_permission(request):
            raise PermissionDenied
        segment = Segment.objects.select_related("current").filter(pk=key).first()
        if segment is None:
            raise Http404(f"There is no segment {key}.")
        return segment

    def _edit(self, request: HttpRequest, segment: Segment | None) -> HttpResponse:
        tried: Preview | None = None
        if request.method == "POST":
            editor = Editor(request.POST, segment=segment, is_final="_save" in request.POST)
            if "_more" in request.POST:
                editor.add_rows()
            elif editor.is_valid() and editor.rule is not None:
                if "_save" in request.POST:
                    try:
                        return self._saved(request, segment, editor, editor.rule)
                    except SegmentRefused as refused:
                        editor.faults.append(f"{refused.message[:1].upper()}{refused.message[1:]}.")
                else:
                    tried = preview(editor.rule, timezone.now())
        else:
            editor = Editor(segment=segment, rule=_shown_rule(request, segment))
        context = {
            "subtitle": segment.title if segment is not None else "A new segment",
            "editor": editor,
            "segment": segment,
            "seen": _seen(request, segment),
            "targeting": _targeting(segment),
            "preview": _preview_words(tried) if tried is not None else None,
        }
        return self.drawn(request, "admin/purchase_intent/segment_edit.html", segment, context)

    def _saved(self, request: HttpRequest, segment: Segment | None, editor: Editor, rule: Rule) -> HttpResponse:
        words, who, now = editor.words.cleaned_data, str(request.user.get_username()), timezone.now()
        if segment is None:
            given = {name: words[name] for name in ("key", *_WORDS)}
            segment = make_segment(rule, who=who, now=now, **given)
            self.log_addition(request, segment, f"Made with the conditions: {rule}.")
            fill_now(segment.key)
            said = f"{segment.title} is made; its members are told now."
        else:
            given = {name: words[name] for name in _WORDS}
            is_new = change_segment(segment, rule, who=who, now=now, seen=request.POST.get("seen", ""), **given)
            self.log_change(request, segment, f"Conditions: {rule}." if is_new else "Title, meaning or action.")
            if is_new and segment.is_active:
                fill_now(segment.key)
            said = (
                "Saved as a new version; its members are told anew."
                if is_new
                else "Saved; the conditions are as before."
            )
        self.message_user(request, said, messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:purchase_intent_segment_change", args=[segment.pk]))


def _seen(request: HttpRequest, segment: Segment | None) -> str:
    """The mark of what the page tells of: a preview keeps the one it began with, a refusal has told of the newest."""
    if segment is None:
        return ""
    sent = "" if "_save" in request.POST else request.POST.get("seen", "")
    return sent or mark_of(Segment.objects.get(pk=segment.pk))


def _targeting(segment: Segment | None) -> str:
    """The running experiments that are for a segment, by title."""
    running = [] if segment is None else segment.experiments.running().order_by("pk").values_list("title", flat=True)
    return ", ".join(f"“{title}”" for title in running)


def _report(segment: Segment) -> SegmentReport | None:
    found: SegmentReport | None = getattr(segment, "report", None)
    return found


def _said(report: SegmentReport | None, name: str) -> str | None:
    found = None if report is None else report.figures.get(name)
    return None if found is None else shared(found)


def _shown_rule(request: HttpRequest, segment: Segment | None) -> Rule | None:
    """The conditions to begin with: those of the version asked for, else the current ones; none that cannot be read."""
    if segment is None:
        return None
    asked = request.GET.get("version", "")
    version = segment.versions.filter(number=int(asked)).first() if asked.isdecimal() else None
    chosen = version or segment.current
    try:
        return Rule.from_json(chosen.rule) if chosen is not None else None
    except SegmentRefused:
        return None


def _rule_words(version: SegmentVersion | None) -> dict[str, Any]:
    if version is None:
        return {"fault": "It has no conditions yet."}
    try:
        rule = Rule.from_json(version.rule)
    except SegmentRefused as refused:
        return {"fault": f"It is left out, because {refused.message}."}
    return {"match": rule.match, "conditions": [capfirst(str(each)) for each in rule.conditions]}


def _version(version: SegmentVersion, now: Any) -> tuple[int, str, str, str]:
    words = _rule_words(version)
    joined = f" {'and' if words.get('match') == 'all' else 'or'} ".join(words.get("conditions", ()))
    return version.number, timed(version.made_at, now), version.who, joined or str(words.get("fault", ""))


def _entered(membership: SegmentMembership, now: Any) -> dict[str, Any]:
    return {
        "pk": membership.visitor_id,
        "name": listed(membership.visitor),
        "entered": timed(membership.entered_at, now),
        "left": timed(membership.left_at, now) if membership.left_at is not None else "",
        "why": membership.get_why_display(),
    }


def _preview_words(found: Preview) -> dict[str, Any]:
    whose = "they" if found.is_whole else "those tried"
    return {
        "size": _size_words(found),
        "table": figures_table(found.figures, whose=whose) if found.members else None,
        "traits": traits(found.figures) if found.members else None,
        "examples": [(each.pk, listed(each)) for each in found.examples],
    }


def _size_words(found: Preview) -> str:
    if not found.tried:
        return "Nobody to try it on yet, because no shopper was seen in the last 90 days."
    if found.is_whole:
        return f"{found.members:,} of {found.tried:,} shoppers of the last 90 days belong to it."
    return (
        f"{found.members:,} of {found.tried:,} shoppers drawn by chance belong to it: likely between {found.low:,} and "
        f"{found.high:,} of all {found.everybody:,} of the last 90 days."
    )
