"""Who may ask."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

__all__ = ["MaySeeSessions"]


class MaySeeSessions(BasePermission):
    """Staff whom the admin lets see sessions: the same permission rules both."""

    message = _("Only staff with the permission purchase_intent.view_session may ask: let an administrator grant it.")

    def has_permission(self, request: Request, view: APIView) -> bool:  # noqa: ARG002 - the signature is the framework's
        """Whether the user is active staff with `purchase_intent.view_session`."""
        user = request.user
        return bool(
            user.is_authenticated
            and user.is_active
            and getattr(user, "is_staff", False)
            and user.has_perm("purchase_intent.view_session")
        )
