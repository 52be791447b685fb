"""API keys at the desk: made here and shown once, with what they may do and when they were last used; revoked here."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from purchase_intent.admin.lists import Desk
from purchase_intent.admin.saying import clock, timed
from purchase_intent.models import ApiKey, Scope

__all__ = ["ApiKeyAdmin"]


class _Wanted(forms.Form):
    name = forms.CharField(max_length=100, help_text="Which server will have it, such as “webshop backend”.")
    scopes = forms.MultipleChoiceField(
        choices=[(scope.value, scope.label) for scope in Scope],
        widget=forms.CheckboxSelectMultiple,
        help_text="No more than it needs.",
    )
    site = forms.CharField(
        max_length=64, required=False, help_text="Where one database holds several sites: which it speaks for."
    )


@admin.register(ApiKey)
class ApiKeyAdmin(Desk):
    list_display = ("label", "shown", "may_do", "site", "used", "state")
    page_template = "admin/purchase_intent/key.html"
    nothing = "No keys yet, because none was made: a server needs one to send events. Browsers need none."

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Who may add keys makes them."""
        return request.user.has_perm("purchase_intent.add_apikey")

    def has_change_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        """Who may change keys revokes them."""
        return request.user.has_perm("purchase_intent.change_apikey")

    def get_urls(self) -> list[URLPattern]:
        """The admin's own, and what the button posts to."""
        revoke = self.admin_site.admin_view(self.revoke_view)
        return [path("<int:key>/revoke/", revoke, name="purchase_intent_apikey_revoke"), *super().get_urls()]

    @admin.display(description="name")
    def label(self, key: ApiKey) -> str:
        return key.name

    @admin.display(description="begins with")
    def shown(self, key: ApiKey) -> str:
        return f"pi_{key.prefix}_"

    @admin.display(description="may")
    def may_do(self, key: ApiKey) -> str:
        return scopes_of(key)

    @admin.display(description="last used")
    def used(self, key: ApiKey) -> str:
        return timed(key.last_used_at, timezone.now()) if key.last_used_at else "never"

    @admin.display(description="state")
    def state(self, key: ApiKey) -> str:
        return "revoked" if key.revoked_at else "in force"

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Ask what the key is for (GET); make it, and show it this once (POST)."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = _Wanted(request.POST or None)
        if not form.is_valid():
            return self.drawn(request, "admin/purchase_intent/key_add.html", None, {"subtitle": "New", "form": form})
        key, text = ApiKey.objects.make(**form.cleaned_data, made_by=request.user.get_username())
        self.log_addition(request, key, [{"added": {}}])
        context = {"subtitle": key.name, "text": text, "may": scopes_of(key)}
        response = self.drawn(request, "admin/purchase_intent/key_made.html", key, context)
        response.headers["Cache-Control"] = "no-store"
        return response

    def revoke_view(self, request: HttpRequest, key: int) -> HttpResponse:
        """Have a key refused from now on (POST)."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        row = self.get_object(request, str(key))
        if row is None or not self.has_change_permission(request, row):
            raise PermissionDenied
        if row.revoked_at is None:
            row.revoke(timezone.now())
            self.log_change(request, row, "Revoked.")
        self.message_user(request, f"{row.name} is revoked: it is refused from now on.", messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:purchase_intent_apikey_change", args=[row.pk]))

    def page(self, request: HttpRequest, row: ApiKey) -> dict[str, Any]:
        """What one key may do, and who made it."""
        return {
            "subtitle": row.name,
            "headline": "Revoked: it is refused." if row.revoked_at else f"In force: it may {scopes_of(row)}.",
            "may_revoke": row.revoked_at is None and self.has_change_permission(request, row),
            "facts": [
                ("Begins with", self.shown(row)),
                ("May", scopes_of(row)),
                ("Site", row.site or "the only one"),
                ("Made", clock(row.made_at)),
                ("By", row.made_by or "not known"),
                ("Last used", clock(row.last_used_at) if row.last_used_at else "never"),
                ("Revoked", clock(row.revoked_at) if row.revoked_at else "no"),
            ],
        }


def scopes_of(key: ApiKey) -> str:
    """What a key may do, in words."""
    words = {scope.value: str(scope.label) for scope in Scope}
    return "; ".join(words.get(scope, scope) for scope in key.scopes) or "nothing"
