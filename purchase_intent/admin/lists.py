"""What every list of the desk has: reading only, a bounded count, the page's extras in a fixed number of queries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.functional import cached_property
from django.utils.text import capfirst

__all__ = ["CAP", "AnyAdmin", "CappedPaginator", "Desk", "DeskList"]

CAP: Final = 10_000
"""The most rows a list counts and pages through: counting millions would read millions."""

Row = TypeVar("Row", bound=Model)

if TYPE_CHECKING:
    AnyAdmin = admin.ModelAdmin[Any]
    AnyPaginator = Paginator[Any]
else:
    AnyAdmin, AnyPaginator = admin.ModelAdmin, Paginator


class CappedPaginator(AnyPaginator):
    """Counts to CAP and stops; `is_capped` says that there are more."""

    object_list: QuerySet[Any]

    @cached_property
    def _found(self) -> int:
        return int(self.object_list[: CAP + 1].count())

    @cached_property
    def count(self) -> int:
        """How many rows there are, CAP at most."""
        return min(self._found, CAP)

    @property
    def is_capped(self) -> bool:
        """Whether there are more rows than are counted."""
        return self._found > CAP


class DeskList(ChangeList):
    """One page of a list, read at once, to which its admin adds what the rows need beyond their own columns."""

    model_admin: Desk

    def get_results(self, request: HttpRequest) -> None:
        """Read the page, and let the admin complete its rows."""
        super().get_results(request)
        self.result_list: Any = list(self.result_list)
        if not self.query and not self.has_active_filters:
            # Everything is shown: the search form has no number to give beside that below the list.
            self.full_result_count: Any = self.result_count
        self.model_admin.complete(self.result_list)


class Desk(AnyAdmin):
    """An admin to read in: a list, and a page of one row drawn by a template of its own."""

    actions = None
    list_per_page = 50
    list_max_show_all = 0
    paginator = CappedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    sortable_by = ()
    page_template: ClassVar[str]
    nothing: ClassVar[str]
    """Why the list may be empty, and what to do."""

    class Media:
        css: ClassVar[dict[str, Sequence[str]]] = {"all": ("purchase_intent/desk.css",)}

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Lists are read as one page."""
        return DeskList

    def complete(self, rows: list[Any]) -> None:
        """Add to the rows of one page what their columns show, in a fixed number of queries."""

    def overview(self, request: HttpRequest) -> dict[str, Any]:
        """What stands above the list."""
        return {}

    def page(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """What the page of one row shows."""
        raise NotImplementedError

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Rows come from the shop."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Rows go by their age, or when a person is erased."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What happened is not edited."""
        return False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list under its own name, with its overview and, where it is empty, the reason."""
        context = {
            "title": capfirst(str(self.opts.verbose_name_plural)),
            "nothing": self.nothing,
            "is_narrowed": any(key != "p" for key in request.GET),
            **(self.overview(request) if self.has_view_permission(request) else {}),
        }
        return super().changelist_view(request, context | (extra_context or {}))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The page of one row."""
        row = self.get_object(request, unquote(object_id))
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        if row is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined,no-any-return]
        return self.drawn(request, self.page_template, row, self.page(request, row))

    def drawn(self, request: HttpRequest, template: str, row: Any, context: dict[str, Any]) -> HttpResponse:
        """A page of the desk within the admin's frame."""
        frame = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": row,
            "media": self.media,
            "title": capfirst(str(self.opts.verbose_name)),
        }
        return TemplateResponse(request, template, frame | context)
