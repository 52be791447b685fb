"""The list, page by page: by a cursor, so that sessions that come meanwhile shift nothing."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError as InvalidValue
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request

__all__ = ["MemberPages", "SessionPages", "VisitorPages"]

_NO_CURSOR = _("Not a cursor of this list. Take it from next or previous of a page, or leave it out.")


class SessionPages(CursorPagination):
    """The latest sessions first, 50 a page unless the request says otherwise."""

    ordering = ("-last_at", "-id")
    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200

    def decode_cursor(self, request: Request) -> Any:
        """Read the cursor; one that is none is a fault of the request, not a page that is missing."""
        try:
            return super().decode_cursor(request)
        except NotFound as error:
            raise ValidationError({"cursor": _NO_CURSOR}) from error

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> Any:
        """One page; a cursor whose place in the list is no moment is refused as well."""
        try:
            return super().paginate_queryset(queryset, request, view)
        except (InvalidValue, ValueError) as error:
            raise ValidationError({"cursor": _NO_CURSOR}) from error


class VisitorPages(SessionPages):
    """Who was seen last first, in pages of the same size."""

    ordering = ("-last_seen", "-id")


class MemberPages(SessionPages):
    """Who entered last first, in pages of the same size."""

    ordering = ("-entered_at", "-id")
