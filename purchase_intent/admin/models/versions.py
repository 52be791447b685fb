"""Model versions at the desk: what each learnt from, how it fared, and which one serves; promote and roll back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.text import capfirst

from purchase_intent.admin.models.cards import CardPages
from purchase_intent.admin.models.contests import duel_of, duel_table, trail
from purchase_intent.admin.models.offers import OfferPages
from purchase_intent.admin.models.portrait import reasons_page
from purchase_intent.admin.saying import clock, timed
from purchase_intent.exceptions import IntentError
from purchase_intent.insights.figures import main_figure, tables
from purchase_intent.insights.gate import gate_tables
from purchase_intent.insights.made_of import correction_words
from purchase_intent.models import ChangeKind, Horizon, ModelChange, ModelVersion, Status
from purchase_intent.scoring.bundles import load_bundle
from purchase_intent.training import promotion
from purchase_intent.training.eligibility import shortfalls
from purchase_intent.training.promotion import former_champion, said

__all__ = ["ModelVersionAdmin"]


def _promote(version: ModelVersion, who: str) -> ModelChange:
    return promotion.promote(version, who=who)


def _roll_back(version: ModelVersion, who: str) -> ModelChange:
    return promotion.promote(version, who=who, kind=ChangeKind.ROLLED_BACK)


def _challenge(version: ModelVersion, who: str) -> ModelChange:
    return promotion.challenge(version, who=who)


def _archive(version: ModelVersion, who: str) -> ModelChange:
    return promotion.archive(version, who=who)


ACTS: Final[Mapping[str, Callable[[ModelVersion, str], ModelChange]]] = {
    "promote": _promote,
    "challenge": _challenge,
    "archive": _archive,
}
"""What can be done with a version, by the last part of the page's address."""


@admin.register(ModelVersion)
class ModelVersionAdmin(CardPages, OfferPages):
    list_display = ("name", "status", "verdict_words", "auc", "precision", "learnt_from", "made", "horizon")
    list_filter = ("horizon", "status")
    page_template = "admin/purchase_intent/model.html"
    nothing = "No models yet, because none was trained: run manage.py intent_train. Until then, rules answer."

    def has_change_permission(self, request: HttpRequest, obj: ModelVersion | None = None) -> bool:
        """Nothing is edited, but who may change a model may promote it."""
        return request.user.has_perm("purchase_intent.change_modelversion")

    def overview(self, request: HttpRequest) -> dict[str, Any]:
        """Where to read how the champion fares; where there is no model, what the shop's history lacks to learn one."""
        found = {} if ModelVersion.objects.exists() else {"nothing": nothing_yet()}
        if not request.user.has_perm("purchase_intent.view_watchreport"):
            return found
        watch = reverse("admin:purchase_intent_watchreport_changelist")
        return found | {"lead_url": watch, "lead": "How the champion fares"}

    def get_urls(self) -> list[URLPattern]:
        """The admin's own, a page to confirm each act on, and those on reasons, on offers, and of the card."""
        wrap = self.admin_site.admin_view
        acts = [
            path(f"<int:key>/{name}/", wrap(self.act_view), {"name": name}, name=f"purchase_intent_modelversion_{name}")
            for name in ACTS
        ]
        page = path("<int:key>/reasons/", wrap(self.reasons_view), name="purchase_intent_modelversion_reasons")
        offer = path("<int:key>/offer/", wrap(self.offer_view), name="purchase_intent_modelversion_offer")
        card = path("<int:key>/card/", wrap(self.card_view), name="purchase_intent_modelversion_card")
        kept = path("<int:key>/card/file/", wrap(self.card_file_view), name="purchase_intent_modelversion_card_file")
        return [*acts, page, offer, card, kept, *super().get_urls()]

    @admin.display(description="model")
    def name(self, version: ModelVersion) -> str:
        return f"Model {version.pk}"

    @admin.display(description="trained")
    def made(self, version: ModelVersion) -> str:
        return timed(version.created_at, timezone.now())

    @admin.display(description="learnt from")
    def learnt_from(self, version: ModelVersion) -> str:
        return f"{version.sessions:,} {version.cases}, {version.buyers:,} buying"

    @admin.display(description="AUC", empty_value="-")
    def auc(self, version: ModelVersion) -> str | None:
        return main_figure(version, "auc")

    @admin.display(description="average precision", empty_value="-")
    def precision(self, version: ModelVersion) -> str | None:
        return main_figure(version, "average_precision")

    @admin.display(description="verdict", empty_value="-")
    def verdict_words(self, version: ModelVersion) -> str | None:
        return version.verdict[:120] or None

    def page(self, request: HttpRequest, row: ModelVersion) -> dict[str, Any]:
        """What the model is worth, what speaks against it, and what can be done."""
        before = former_champion(row) if row.status == Status.CHAMPION else None
        fault = _bundle_fault(row)
        contest = duel_of(row)
        return {
            "subtitle": f"Model {row.pk}, for purchases in {row.get_horizon_display()}",
            "headline": f"{_standing(row, is_sound=not fault)}.",
            "verdict_text": row.verdict or "The checks said nothing.",
            "reasons": row.reasons if isinstance(row.reasons, list) else [],
            "fault": fault,
            "correction": correction_words(row),
            "facts": _facts(row),
            "tables": tables(row),
            "gate_tables": gate_tables(row),
            "contest": contest,
            "contest_table": duel_table(contest) if contest is not None else None,
            "trail": trail(row.horizon),
            "may_act": self.has_change_permission(request, row),
            "may_promote": row.is_usable and row.status != Status.CHAMPION,
            "may_challenge": row.is_usable and row.status not in (Status.CHAMPION, Status.CHALLENGER),
            "may_archive": row.status in (Status.CANDIDATE, Status.CHALLENGER),
            "before": before,
        }

    def act_view(self, request: HttpRequest, key: int, name: str) -> HttpResponse:
        """Ask first (GET), then promote a version, have it challenge, or archive it (POST)."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        version = ModelVersion.objects.filter(pk=key).first()
        if version is None:
            raise Http404(f"There is no model {key}.")
        of_horizon = ModelVersion.objects.of(version.horizon)
        champion, challenger = of_horizon.champions().first(), of_horizon.challengers().first()
        is_back = name == "promote" and champion is not None and former_champion(champion) == version
        if request.method == "POST":
            self._act(request, version, name, is_back=is_back)
            return HttpResponseRedirect(reverse("admin:purchase_intent_modelversion_change", args=[key]))
        context = {
            "subtitle": f"Model {key}",
            "act": name,
            "champion": champion,
            "challenger": challenger,
            "is_back": is_back,
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

    def _act(self, request: HttpRequest, version: ModelVersion, name: str, *, is_back: bool) -> None:
        who = str(request.user.get_username())
        try:
            change = (_roll_back if is_back else ACTS[name])(version, who)
        except IntentError as refused:
            self.message_user(request, refused.message, messages.ERROR)
            return
        self.log_change(request, version, said(change))
        self.message_user(request, said(change), messages.SUCCESS)


def nothing_yet() -> str:
    """Why there is no model yet: what is still lacking, or that nobody has trained one."""
    short = shortfalls(Horizon.SESSION, now=timezone.now())
    if not short:
        return (
            "No models yet, though there is enough to learn from: run manage.py intent_train. Until then, rules answer."
        )
    lacks = "; ".join(map(str, short))
    return f"No models yet, because there is too little to learn from: {lacks}. Until then, rules answer."


def _standing(version: ModelVersion, *, is_sound: bool) -> str:
    if version.status == Status.CHAMPION:
        what = f"for purchases in {version.get_horizon_display()}"
        return f"Serves: answers {what}" if is_sound else f"Should answer {what}, but cannot"
    if version.status == Status.REFUSED:
        return "Refused: it cannot serve"
    if version.status == Status.CHALLENGER:
        return "Does not serve: the challenger, scored beside the champion"
    standing = f"Does not serve: {version.get_status_display()}"
    return f"{standing}, registered against the checks" if version.forced else standing


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
        (capfirst(version.cases), f"{version.sessions:,}, of which {version.buyers:,} bought"),
        ("Seed", str(version.seed)),
        ("Bundle", version.bundle or "none"),
        ("SHA-256", version.bundle_sha256 or "-"),
    ]
