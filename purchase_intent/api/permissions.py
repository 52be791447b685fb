"""Who may ask."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

from django.utils.translation import gettext as _
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from purchase_intent.models import ApiKey, Scope

__all__ = ["MayKeepSegments", "MayPredict", "MaySeeCustomers", "MaySeeSessions", "StaffMay"]


class _MaySee(BasePermission):
    """Staff whom the admin grants a permission; and servers whose key has a scope."""

    needs: ClassVar[str]
    scope: ClassVar[Scope] = Scope.SCORES

    @property
    def message(self) -> str:
        """What is missing, and who can mend it."""
        remedy = _(
            "Only staff with the permission %(permission)s may ask, or a server whose key has the scope %(scope)s: "
            "let an administrator grant it."
        )
        return remedy % {"permission": self.needs, "scope": self.scope.value}

    def has_permission(self, request: Request, view: APIView) -> bool:  # noqa: ARG002 - the signature is the framework's
        """Whether the key has the scope, or the user is active staff with the permission."""
        if isinstance(request.auth, ApiKey):
            return request.auth.may(self.scope)
        user = request.user
        return bool(
            user.is_authenticated and user.is_active and getattr(user, "is_staff", False) and user.has_perm(self.needs)
        )


class MaySeeSessions(_MaySee):
    """Who sees sessions: the same permission rules the admin's pages."""

    needs = "purchase_intent.view_session"


class MaySeeCustomers(_MaySee):
    """Who sees customers."""

    needs = "purchase_intent.view_visitor"


class MayPredict(_MaySee):
    """Who has events scored that they bring along."""

    needs = "purchase_intent.view_session"
    scope = Scope.PREDICT


class StaffMay(BasePermission):
    """Staff with the admin's own permission on what the view `keeps`: to view, add, change or delete it.

    A view's `needs` says by method what else is enough, one of several verbs.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Whether the user is active staff with a permission that the method needs."""
        user, verbs = request.user, _verbs(request.method or "", view)
        needed = [f"purchase_intent.{verb}_{getattr(view, 'keeps')}" for verb in verbs]  # noqa: B009 (no view's to mypy)
        remedy = _("Only staff with the permission %(permission)s may ask: let an administrator grant it.")
        self.message = remedy % {"permission": _(" or ").join(needed)}
        if not (user.is_authenticated and user.is_active and getattr(user, "is_staff", False)):
            return False
        return any(user.has_perm(each) for each in needed)


class MayKeepSegments(StaffMay):
    """Who sees sessions reads segments, a server with a key too; the admin's permissions rule who makes them."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Whether the method is allowed to who asks."""
        if request.method not in SAFE_METHODS:
            return super().has_permission(request, view)
        reader = MaySeeSessions()
        self.message = reader.message
        return reader.has_permission(request, view)


def _verbs(method: str, view: APIView) -> tuple[str, ...]:
    if method in SAFE_METHODS:
        return ("view",)
    needs: Mapping[str, tuple[str, ...]] = getattr(view, "needs", {})
    return needs.get(method) or (_VERBS.get(method, "change"),)


_VERBS: Final = {"POST": "add", "DELETE": "delete"}
