"""The ledger of merges at the desk: which login gave whose past to which customer; each can be taken back."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from purchase_intent.admin.lists import Desk
from purchase_intent.admin.saying import clock, listed, named, short, timed
from purchase_intent.admin.searching import HELP, visitors_named
from purchase_intent.exceptions import MergeRefused
from purchase_intent.models import Merge
from purchase_intent.tracking.unjoining import undo

__all__ = ["MergeAdmin"]


class _State(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> tuple[tuple[str, str], ...]:
        """What can be chosen."""
        return (("force", "in force"), ("undone", "taken back"))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep what was chosen."""
        if self.value() == "force":
            return queryset.filter(undone_at=None)
        return queryset.exclude(undone_at=None) if self.value() == "undone" else queryset


@admin.register(Merge)
class MergeAdmin(Desk):
    list_display = ("who", "was", "happened", "state")
    list_filter = (_State,)
    search_fields = ("customer",)  # get_search_results looks for more
    search_help_text = HELP
    page_template = "admin/purchase_intent/merge.html"
    nothing = "No merges yet, because nobody who was recorded without a name has logged in since."

    def has_change_permission(self, request: HttpRequest, obj: Merge | None = None) -> bool:
        """Nothing is edited, but who may change merges takes them back."""
        return request.user.has_perm("purchase_intent.change_merge")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Merge]:
        """With both visitors, without their packed pasts."""
        found = super().get_queryset(request).select_related("visitor", "anonymous")
        return found.defer("visitor__past", "anonymous__past")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Merge], search_term: str
    ) -> tuple[QuerySet[Merge], bool]:
        """Those of the people whom a whole key names."""
        term = search_term.strip()
        people = visitors_named(term) if term else set()
        return (queryset.filter(Q(visitor__in=people) | Q(anonymous__in=people)) if term else queryset), False

    def get_urls(self) -> list[URLPattern]:
        """The admin's own, and the page that asks before a merge is taken back."""
        wrap = self.admin_site.admin_view
        return [path("<int:key>/undo/", wrap(self.undo_view), name="purchase_intent_merge_undo"), *super().get_urls()]

    @admin.display(description="customer")
    def who(self, merge: Merge) -> str:
        return short(f"Customer {merge.customer}")

    @admin.display(description="was")
    def was(self, merge: Merge) -> str:
        return listed(merge.anonymous) if merge.anonymous is not None else "a first visitor, who became them"

    @admin.display(description="logged in")
    def happened(self, merge: Merge) -> str:
        return timed(merge.happened_at, timezone.now())

    @admin.display(description="state")
    def state(self, merge: Merge) -> str:
        return "taken back" if merge.undone_at else "in force"

    def page(self, request: HttpRequest, row: Merge) -> dict[str, Any]:
        """One login: what it joined, when, and whether that stands."""
        undone = "no" if row.undone_at is None else f"{clock(row.undone_at)}, by {row.undone_by or 'nobody named'}"
        return {
            "subtitle": f"Customer {row.customer}",
            "headline": _headline(row),
            "may_undo": row.undone_at is None and self.has_change_permission(request, row),
            "was": named(row.anonymous) if row.anonymous is not None else "",
            "facts": [
                ("Number", str(row.pk)),
                ("Customer", row.customer),
                ("Logged in", clock(row.happened_at)),
                ("Site", row.site or "the only one"),
                ("Taken back", undone),
            ],
        }

    def undo_view(self, request: HttpRequest, key: int) -> HttpResponse:
        """Ask first (GET), then take a merge back (POST)."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        row = self.get_queryset(request).filter(pk=key).first()
        if row is None:
            raise Http404(f"There is no merge {key}.")
        if request.method == "POST":
            self._undo(request, row)
            return HttpResponseRedirect(reverse("admin:purchase_intent_merge_change", args=[key]))
        context = {"subtitle": f"Customer {row.customer}", "is_undone": row.undone_at is not None}
        return self.drawn(request, "admin/purchase_intent/merge_undo.html", row, context)

    def _undo(self, request: HttpRequest, row: Merge) -> None:
        try:
            merge = undo(row.pk, now=timezone.now(), who=request.user.get_username())
        except MergeRefused as refused:
            self.message_user(request, refused.message, messages.ERROR)
            return
        said = f"Taken back: what came before the login is visitor {merge.anonymous_id} again."
        self.log_change(request, merge, said)
        self.message_user(request, said, messages.SUCCESS)


def _headline(merge: Merge) -> str:
    if merge.undone_at is not None:
        return "Taken back: what came before this login is no part of the customer."
    if merge.anonymous is None:
        return "This login gave an anonymous visitor the customer's name, with all they had done before."
    return "This login added an anonymous visitor's past to the customer's."
