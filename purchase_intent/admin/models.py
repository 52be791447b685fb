"""Model versions at the desk: what each learnt from, how it fared, and which one serves; promote and roll back."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from purchase_intent.admin.figures import main_figure, tables
from purchase_intent.admin.lists import Desk
from purchase_intent.admin.portrait import reasons_page
from purchase_intent.admin.saying import clock, timed
from purchase_intent.exceptions import IntentError
from purchase_intent.models import ModelVersion, Status
from purchase_intent.scoring.bundles import load_bundle

__all__ = ["ModelVersionAdmin", "former_champion"]


@admin.register(ModelVersion)
class ModelVersionAdmin(Desk):
    list_display = ("name", "status", "said", "auc", "precision", "learnt_from", "made", "horizon")
    list_filter = ("horizon", "status")
    page_template = "admin/purchase_intent/model.html"
    nothing = "No models yet, because none was trained: run manage.py intent_train. Until then, rules answer."

    def has_change_permission(self, request: HttpRequest, obj: ModelVersion | None = None) -> bool:
        """Nothing is edited, but who may change a model may promote it."""
        return request.user.has_perm("purchase_intent.change_modelversion")

    def overview(self, request: HttpRequest) -> dict[str, Any]:
        """Where to read how the champion fares."""
        if not request.user.has_perm("purchase_intent.view_watchreport"):
            return {}
        return {"lead_url": reverse("admin:purchase_intent_watchreport_changelist"), "lead": "How the champion fares"}

    def get_urls(self) -> list[URLPattern]:
        """The admin's own, a page to confirm a promotion on, and one on what a model goes by."""
        view = self.admin_site.admin_view(self.promote_view)
        reasons = self.admin_site.admin_view(self.reasons_view)
        return [
            path("<int:key>/promote/", view, name="purchase_intent_modelversion_promote"),
            path("<int:key>/reasons/", reasons, name="purchase_intent_modelversion_reasons"),
            *super().get_urls(),
        ]

    @admin.display(description="model")
    def name(self, version: ModelVersion) -> str:
        return f"Model {version.pk}"

    @admin.display(description="trained")
    def made(self, version: ModelVersion) -> str:
        return timed(version.created_at, timezone.now())

    @admin.display(description="learnt from")
    def learnt_from(self, version: ModelVersion) -> str:
        return f"{version.sessions:,} sessions, {version.buyers:,} buying"

    @admin.display(description="AUC", empty_value="-")
    def auc(self, version: ModelVersion) -> str | None:
        return main_figure(version, "auc")

    @admin.display(description="average precision", empty_value="-")
    def precision(self, version: ModelVersion) -> str | None:
        return main_figure(version, "average_precision")

    @admin.display(description="verdict", empty_value="-")
    def said(self, version: ModelVersion) -> str | None:
        return version.verdict[:120] or None

    def page(self, request: HttpRequest, row: ModelVersion) -> dict[str, Any]:
        """What the model is worth, what speaks against it, and what can be done."""
        before = former_champion(row) if row.status == Status.CHAMPION else None
        fault = _bundle_fault(row)
        return {
            "subtitle": f"Model {row.pk}, for purchases in {row.get_horizon_display()}",
            "headline": f"{_standing(row, is_sound=not fault)}.",
            "verdict_text": row.verdict or "The checks said nothing.",
            "reasons": row.reasons if isinstance(row.reasons, list) else [],
            "fault": fault,
            "facts": _facts(row),
            "tables": tables(row),
            "may_act": self.has_change_permission(request, row),
            "may_promote": row.is_usable and row.status != Status.CHAMPION,
            "before": before,
        }

    def promote_view(self, request: HttpRequest, key: int) -> HttpResponse:
        """Ask first (GET), then make a version the champion of its horizon (POST)."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        version = ModelVersion.objects.filter(pk=key).first()
        if version is None:
            raise Http404(f"There is no model {key}.")
        champion = ModelVersion.objects.of(version.horizon).champions().first()
        if request.method == "POST":
            self._promote(request, version, champion)
            return HttpResponseRedirect(reverse("admin:purchase_intent_modelversion_change", args=[key]))
        context = {
            "subtitle": f"Model {key}",
            "champion": champion,
            "is_back": champion is not None and former_champion(champion) == version,
            "fault": "" if version.is_usable else "This model was refused or has no bundle: it cannot serve.",
        }
        return self.drawn(request, "admin/purchase_intent/promote.html", version, context)

    def reasons_view(self, request: HttpRequest, key: int) -> HttpResponse:
        """What a model goes by; `?feature=` chooses the one that is shown by its values."""
        version = ModelVersion.objects.filter(pk=key).first()
        if not self.has_view_permission(request, version):
            raise PermissionDenied
        if version is None:
            raise Http404(f"There is no model {key}.")
        context = {"subtitle": f"What model {key} goes by", **reasons_page(version, request.GET.get("feature", ""))}
        return self.drawn(request, "admin/purchase_intent/portrait.html", version, context)

    def _promote(self, request: HttpRequest, version: ModelVersion, before: ModelVersion | None) -> None:
        try:
            load_bundle(version)
            version.promote()
        except IntentError as refused:
            self.message_user(request, refused.message, messages.ERROR)
            return
        instead = f", in place of model {before.pk}" if before is not None and before != version else ""
        said = f"Model {version.pk} now answers for purchases in {version.get_horizon_display()}{instead}."
        self.log_change(request, version, said)
        self.message_user(request, said, messages.SUCCESS)


def former_champion(champion: ModelVersion) -> ModelVersion | None:
    """The version that served a horizon before its champion, and could again; None where there is none."""
    served = ModelVersion.objects.of(champion.horizon).usable().filter(promoted_at__isnull=False)
    return served.exclude(pk=champion.pk).order_by("-promoted_at", "-pk").first()


def _standing(version: ModelVersion, *, is_sound: bool) -> str:
    if version.status == Status.CHAMPION:
        what = f"for purchases in {version.get_horizon_display()}"
        return f"Serves: answers {what}" if is_sound else f"Should answer {what}, but cannot"
    if version.status == Status.REFUSED:
        return "Refused: it cannot serve"
    said = f"Does not serve: {version.get_status_display()}"
    return f"{said}, registered against the checks" if version.forced else said


def _bundle_fault(version: ModelVersion) -> str:
    if not version.is_usable:
        return ""
    try:
        load_bundle(version)
    except IntentError as refused:
        return f"{refused.message}."
    return ""


def _facts(version: ModelVersion) -> list[tuple[str, str]]:
    return [
        ("Horizon", str(version.get_horizon_display())),
        ("Status", str(version.get_status_display())),
        ("Trained", clock(version.created_at)),
        ("Promoted", clock(version.promoted_at) if version.promoted_at else "never"),
        ("On events from", clock(version.trained_from)),
        ("Until", clock(version.trained_until)),
        ("Events", f"{version.events:,}"),
        ("Sessions", f"{version.sessions:,}, of which {version.buyers:,} bought"),
        ("Seed", str(version.seed)),
        ("Bundle", version.bundle or "none"),
        ("SHA-256", version.bundle_sha256 or "-"),
    ]
