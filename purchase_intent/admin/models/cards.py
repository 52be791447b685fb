"""The card of a version at the desk: as a page, and as a file of its own."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone

from purchase_intent.admin.lists import Desk
from purchase_intent.insights.card import card_of
from purchase_intent.insights.filed import file_name, filed
from purchase_intent.models import ModelVersion

__all__ = ["CardPages"]


class CardPages(Desk):
    """The pages of a version that hold its card."""

    def card_view(self, request: HttpRequest, key: int) -> HttpResponse:
        """The card within the admin's frame."""
        version = self._seen(request, key)
        context = {"subtitle": f"Card of model {key}", "card": card_of(version, now=timezone.now())}
        return self.drawn(request, "admin/purchase_intent/card.html", version, context)

    def card_file_view(self, request: HttpRequest, key: int) -> HttpResponse:
        """The card as a file to keep: one page, with all that it needs in it."""
        version = self._seen(request, key)
        page = HttpResponse(filed(card_of(version, now=timezone.now())), content_type="text/html; charset=utf-8")
        page["Content-Disposition"] = f'attachment; filename="{file_name(version)}"'
        return page

    def _seen(self, request: HttpRequest, key: int) -> ModelVersion:
        version = ModelVersion.objects.filter(pk=key).first()
        if not self.has_view_permission(request, version):
            raise PermissionDenied
        if version is None:
            raise Http404(f"There is no model {key}.")
        return version
