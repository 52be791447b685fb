"""Model health at the desk: the latest report of the watch, verdict first, those before it, and the training runs."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from purchase_intent.admin.lists import Desk
from purchase_intent.admin.models.reports import told
from purchase_intent.admin.saying import clock, timed
from purchase_intent.models import Horizon, ModelVersion, Recalibration, TrainingRun, WatchReport, Why
from purchase_intent.tasks import train_now

__all__ = ["WatchReportAdmin"]

MOST_RUNS: Final = 20
_ABOUT: Final = {"session": "Sessions", "week": "Customers, within 7 days"}


@admin.register(WatchReport)
class WatchReportAdmin(Desk):
    """The list is the page of model health; each row of it is the report of one day."""

    list_display = ("reported", "verdict", "quality_said", "first_said")
    list_per_page = 14
    page_template = "admin/purchase_intent/report.html"
    change_list_template = "admin/purchase_intent/health.html"
    nothing = (
        "No report yet, because the watch has not run: it does every night with Celery beat, or run manage.py "
        "intent_watch."
    )

    def get_urls(self) -> list[URLPattern]:
        """The admin's own, and what the two buttons post to."""
        wrap = self.admin_site.admin_view
        return [
            path("train/", wrap(self.train_view), name="purchase_intent_watchreport_train"),
            path("undo/<int:key>/", wrap(self.undo_view), name="purchase_intent_watchreport_undo"),
            *super().get_urls(),
        ]

    @admin.display(description="day")
    def reported(self, report: WatchReport) -> str:
        return f"{report.day:%a %d %b %Y}"

    @admin.display(description="verdict")
    def verdict(self, report: WatchReport) -> str:
        return str(report.get_health_display())

    @admin.display(description="events", empty_value="-")
    def quality_said(self, report: WatchReport) -> str | None:
        return None if report.quality is None else f"{report.quality:.0f}%"

    @admin.display(description="what it said")
    def first_said(self, report: WatchReport) -> str:
        return str(report.said[0])[:120] if report.said else "-"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[WatchReport], search_term: str
    ) -> tuple[QuerySet[WatchReport], bool]:
        """The reports of one horizon; Django keeps those of another where the address names it."""
        return queryset.filter(horizon=_horizon(request)), False

    def overview(self, request: HttpRequest) -> dict[str, Any]:
        """The latest report in full, the training runs, and what can be done."""
        horizon = _horizon(request)
        latest = WatchReport.objects.of(horizon).select_related("model").first()
        now = timezone.now()
        runs = TrainingRun.objects.select_related("version")[:MOST_RUNS]
        return {
            "title": "Model health",
            "is_narrowed": False,
            "horizon": horizon,
            "horizons": _horizons(horizon),
            "report": told(latest, now) if latest is not None else None,
            "runs": [_run_row(run, now) for run in runs],
            "correction": _correction(horizon),
            "may_act": may_act(request),
            "is_training": TrainingRun.objects.under_way().exists(),
        }

    def page(self, request: HttpRequest, row: WatchReport) -> dict[str, Any]:
        """The report of one day."""
        return {
            "subtitle": f"{row.day:%A, %d %B %Y}: {_ABOUT[row.horizon].lower()}",
            "report": told(row, timezone.now()),
        }

    def train_view(self, request: HttpRequest) -> HttpResponse:
        """Have a training begun (POST): it goes on beside the page."""
        back = self._checked(request)
        if isinstance(back, HttpResponseNotAllowed):
            return back
        if TrainingRun.objects.under_way().exists():
            self.message_user(request, "A training is under way already: wait for its end.", messages.WARNING)
            return back
        who = request.user.get_username()
        horizon = _horizon(request)
        reason = f"Asked for by {who} at the desk."
        run = TrainingRun.objects.create(why=Why.REQUEST, horizon=horizon, reason=reason)
        train_now(run.pk, horizon=horizon)
        self.message_user(request, "A training was asked for. Its report appears below when it ends.", messages.SUCCESS)
        return back

    def undo_view(self, request: HttpRequest, key: int) -> HttpResponse:
        """Take a correction of the scores out of force (POST)."""
        back = self._checked(request)
        if isinstance(back, HttpResponseNotAllowed):
            return back
        correction = Recalibration.objects.filter(pk=key).first()
        if correction is not None and correction.undo(timezone.now()):
            said = f"Correction {key} is undone: model {correction.model_id} answers as it was trained, within seconds."
            self.message_user(request, said, messages.SUCCESS)
        else:
            self.message_user(request, f"Correction {key} is not in force any more.", messages.WARNING)
        return back

    def _checked(self, request: HttpRequest) -> HttpResponse:
        if not may_act(request):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        return HttpResponseRedirect(_address(_horizon(request)))


def may_act(request: HttpRequest) -> bool:
    """Who may change a model may have one trained, and may undo a correction."""
    return request.user.has_perm("purchase_intent.change_modelversion")


def _horizon(request: HttpRequest) -> str:
    """The horizon that the address, or a form, names; that of sessions where it names none."""
    named = request.POST.get("horizon") or request.GET.get("horizon")
    return named if named in Horizon.values else Horizon.SESSION.value


def _address(horizon: str) -> str:
    page = reverse("admin:purchase_intent_watchreport_changelist")
    return page if horizon == Horizon.SESSION else f"{page}?horizon={horizon}"


def _horizons(shown: str) -> list[dict[str, Any]]:
    """Where to read of the other horizons; nothing where no model was ever trained for one."""
    trained = set(ModelVersion.objects.order_by().values_list("horizon", flat=True).distinct())
    if not trained - {Horizon.SESSION}:
        return []
    return [{"name": name, "url": _address(each), "is_shown": each == shown} for each, name in _ABOUT.items()]


def _correction(horizon: str) -> dict[str, Any] | None:
    found = Recalibration.objects.in_force().filter(model__status="champion", model__horizon=horizon).first()
    if found is None:
        return None
    loss = found.figures if isinstance(found.figures, dict) else {}
    return {
        "key": found.pk,
        "model": found.model_id,
        "since": clock(found.begun_at),
        "times": f"{2.718281828459045**found.intercept:.2f}",
        "slope": "" if found.slope == 1.0 else f"{found.slope:.2f}",
        "sessions": f"{found.sessions:,} {'customers' if horizon == Horizon.WEEK else 'sessions'}",
        "buyers": f"{found.buyers:,}",
        "before": loss.get("log_loss_before"),
        "after": loss.get("log_loss_slope" if found.slope != 1.0 else "log_loss_shift"),
    }


def _run_row(run: TrainingRun, now: Any) -> dict[str, Any]:
    took = (run.ended_at - run.started_at).total_seconds() if run.ended_at and run.started_at else None
    return {
        "asked": timed(run.asked_at, now),
        "why": run.get_why_display(),
        "reason": run.reason,
        "state": run.get_state_display(),
        "took": "" if took is None else f"{took // 60:.0f}:{took % 60:02.0f}",
        "said": run.said,
        "version": run.version,
    }
