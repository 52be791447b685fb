"""Who may ask."""

from __future__ import annotations

from typing import ClassVar

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from purchase_intent.models import ApiKey, Scope

__all__ = ["MayPredict", "MayRunExperiments", "MaySeeCustomers", "MaySeeSessions"]


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


class MayRunExperiments(BasePermission):
    """Staff: with one permission of the admin's to read, with another to decide."""

    message = gettext_lazy(
        "Only staff may ask: with purchase_intent.view_experiment to read, and purchase_intent.change_experiment to "
        "decide."
    )

    def has_permission(self, request: Request, view: APIView) -> bool:  # noqa: ARG002 - the signature is the framework's
        """Whether the user is active staff with the permission that the method needs."""
        user, needs = request.user, "view" if request.method in SAFE_METHODS else "change"
        if not (user.is_authenticated and user.is_active and getattr(user, "is_staff", False)):
            return False
        return user.has_perm(f"purchase_intent.{needs}_experiment")
