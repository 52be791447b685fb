"""Experiments at the desk: the list, the page of one, and the ways to its editor, its acts and its looks."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html

from purchase_intent.admin.experiments.acts import ACTS, act
from purchase_intent.admin.experiments.editing import edit
from purchase_intent.admin.experiments.fields import share_words
from purchase_intent.admin.experiments.listing import LatestVerdict, StateOfExperiment, complete, lift_of, verdict_of
from purchase_intent.admin.experiments.page import page_of
from purchase_intent.admin.experiments.record import look_page
from purchase_intent.admin.experiments.words import share_of_arms
from purchase_intent.admin.lists import Desk
from purchase_intent.admin.saying import short
from purchase_intent.models import Experiment, ExperimentLook, LookKind

__all__ = ["ExperimentAdmin"]


@admin.register(Experiment)
class ExperimentAdmin(Desk):
    list_display = ("titled", "stands", "verdict", "lift", "exposed", "runs", "shares")
    list_filter = (StateOfExperiment, LatestVerdict)
    page_template = "admin/purchase_intent/experiments/experiment.html"
    nothing = "No experiments yet, because none was made."

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Who may add experiments makes drafts."""
        return request.user.has_perm("purchase_intent.add_experiment")

    def has_change_permission(self, request: HttpRequest, obj: Experiment | None = None) -> bool:
        """Who may change experiments edits, starts, ramps and stops them."""
        return request.user.has_perm("purchase_intent.change_experiment")

    def get_urls(self) -> list[URLPattern]:
        """The admin's own, the editor, the acts, and the records of looks."""
        wrap = self.admin_site.admin_view
        name = "purchase_intent_experiment"
        return [
            path("<int:key>/edit/", wrap(self.edit_view), name=f"{name}_edit"),
            *(path(f"<int:key>/{each}/", wrap(self.act_view), {"name": each}, name=f"{name}_{each}") for each in ACTS),
            path("<int:key>/looks/<int:look>/", wrap(self.look_view), name=f"{name}_look_record"),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Experiment]:
        """Experiments with the key of their latest daily look."""
        looks = ExperimentLook.objects.filter(experiment=OuterRef("pk"), kind=LookKind.DAILY).order_by("-day", "-pk")
        found: QuerySet[Experiment] = super().get_queryset(request).select_related("segment", "group", "holdout")
        return found.annotate(latest_look=Subquery(looks.values("pk")[:1]))

    def overview(self, request: HttpRequest) -> dict[str, Any]:
        """Where the list is empty, the way to the first experiment."""
        if not self.has_add_permission(request):
            return {}
        link = reverse("admin:purchase_intent_experiment_add")
        return {
            "nothing": format_html(
                "No experiments yet, because none was made. An experiment shows visitors one of several arms, by "
                'chance, and tells which sells better. <a href="{}">Make the first one</a>: nobody sees it before you '
                "start it.",
                link,
            )
        }

    def complete(self, rows: list[Any]) -> None:
        """Each experiment's arms and latest look: three queries a page at most."""
        complete(rows)

    @admin.display(description="experiment")
    def titled(self, experiment: Experiment) -> str:
        return short(experiment.title)

    @admin.display(description="state")
    def stands(self, experiment: Experiment) -> str:
        return str(experiment.get_state_display())

    @admin.display(description="verdict", empty_value="-")
    def verdict(self, experiment: Experiment) -> str | None:
        return verdict_of(experiment)

    @admin.display(description="change of the primary metric", empty_value="-")
    def lift(self, experiment: Experiment) -> str | None:
        return lift_of(experiment)

    @admin.display(description="visitors")
    def exposed(self, experiment: Experiment) -> str:
        return f"{getattr(experiment, 'shown_to', 0):,}"

    @admin.display(description="days", empty_value="-")
    def runs(self, experiment: Experiment) -> str | None:
        if experiment.started_at is None:
            return None
        return f"{((experiment.stopped_at or timezone.now()) - experiment.started_at).days:,}"

    @admin.display(description="traffic and arms")
    def shares(self, experiment: Experiment) -> str:
        return f"{share_words(experiment.traffic)}: {share_of_arms(experiment.arms.all())}"

    def page(self, request: HttpRequest, row: Experiment) -> dict[str, Any]:
        """What is known of it, and what can be done."""
        return page_of(
            row, may_edit=self.has_change_permission(request, row), shop_url=str(self.admin_site.site_url or "/")
        )

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The editor of one that is to be made."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        return edit(self, request, None)

    def edit_view(self, request: HttpRequest, key: int) -> HttpResponse:
        """The editor of one that is there."""
        return edit(self, request, self._found(request, key))

    def act_view(self, request: HttpRequest, key: int, name: str) -> HttpResponse:
        """Ask whether it is to be started, ramped, stopped or looked at (GET), and do so (POST)."""
        return act(self, request, self._found(request, key), name)

    def look_view(self, request: HttpRequest, key: int, look: int) -> HttpResponse:
        """The record of one look, replayed."""
        found = ExperimentLook.objects.select_related("experiment").filter(pk=look, experiment=key).first()
        if not self.has_view_permission(request):
            raise PermissionDenied
        if found is None:
            raise Http404(f"There is no look {look} at experiment {key}.")
        return self.drawn(
            request, "admin/purchase_intent/experiments/look.html", found.experiment, look_page(found, timezone.now())
        )

    def _found(self, request: HttpRequest, key: int) -> Experiment:
        if not self.has_change_permission(request):
            raise PermissionDenied
        found: Experiment | None = self.get_queryset(request).filter(pk=key).first()
        if found is None:
            raise Http404(f"There is no experiment {key}.")
        return found
