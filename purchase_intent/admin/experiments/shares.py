"""Exclusion groups and holdouts at the desk: who shares out visitors with whom, and whom no experiment takes in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from purchase_intent.admin.experiments.fields import KeyField, ShareField, share_words
from purchase_intent.admin.lists import Desk
from purchase_intent.exceptions import ExperimentRefused
from purchase_intent.experiments.ranges import Taken, free_ranges, spelled, taken_ranges
from purchase_intent.experiments.sharing import make_group, make_holdout
from purchase_intent.models import ExclusionGroup, Experiment, Holdout

__all__ = ["ExclusionGroupAdmin", "HoldoutAdmin"]


class _NamedForm(forms.Form):
    """What both have: a key that nothing else of the kind has."""

    model: ClassVar[type[ExclusionGroup | Holdout]]

    def made(self) -> ExclusionGroup | Holdout:
        """Put it on record. ExperimentRefused where it is not fit, or somebody was faster."""
        raise NotImplementedError

    def clean_key(self) -> str:
        """A key that is not taken."""
        key: str = self.cleaned_data["key"]
        if self.model.objects.filter(key=key).exists():
            raise forms.ValidationError("Another one has this key: take another.")
        return key


class _GroupForm(_NamedForm):
    model = ExclusionGroup
    title = forms.CharField(max_length=100, label="Title", help_text="As the desk shows it, such as “Checkout tests”.")
    key = KeyField(help_text="Such as checkout. It is the salt of the draw, and stays for good.")

    def made(self) -> ExclusionGroup:
        """A group."""
        return make_group(self.cleaned_data["key"], title=self.cleaned_data["title"])


class _TitleForm(forms.Form):
    title = forms.CharField(max_length=100, label="Title")


class _HoldoutForm(_NamedForm):
    model = Holdout
    key = KeyField(help_text="Such as never-tested. It is the salt of the draw, and stays for good.")
    share = ShareField(
        least_open=True,
        most_open=True,
        label="Share of all visitors, %",
        help_text="Such as 5: these visitors are shown the shop as it was. It stays for good.",
    )

    def made(self) -> Holdout:
        """A holdout."""
        return make_holdout(self.cleaned_data["key"], share=self.cleaned_data["share"])


class _SharesAdmin(Desk):
    """A list, a page, a form to make one; one that no experiment names can be deleted."""

    page_template = "admin/purchase_intent/experiments/share.html"
    form_of: ClassVar[type[_NamedForm]]
    lead: ClassVar[str]
    """What such a thing is for, above the form that makes one."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Who may add them makes them."""
        return request.user.has_perm(f"purchase_intent.add_{self.opts.model_name}")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who may change them gives them another title."""
        return request.user.has_perm(f"purchase_intent.change_{self.opts.model_name}")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who may delete them, as long as no experiment has ever named it: its draw would be another."""
        allowed = request.user.has_perm(f"purchase_intent.delete_{self.opts.model_name}")
        return allowed and obj is not None and not obj.experiments.exists()

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Ask for it (GET), make it (POST)."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = self.form_of(request.POST or None)
        made = self._made(form) if form.is_valid() else None
        if made is None:
            context = {"subtitle": f"A new {self.opts.verbose_name}", "form": form, "lead": self.lead}
            return self.drawn(request, "admin/purchase_intent/experiments/share_add.html", None, context)
        self.log_addition(request, made, [{"added": {}}])
        self.message_user(request, f"{made} is made: experiments can name it now.", messages.SUCCESS)
        return HttpResponseRedirect(reverse(f"admin:purchase_intent_{self.opts.model_name}_change", args=[made.pk]))

    def _made(self, form: _NamedForm) -> ExclusionGroup | Holdout | None:
        """What the form describes; None where it was refused, which is told beside the field."""
        try:
            return form.made()
        except ExperimentRefused as refused:
            form.add_error(refused.field, f"{refused.remedy[:1].upper()}{refused.remedy[1:]}.")
            return None

    def page(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """Which experiments name it."""
        experiments = list(Experiment.objects.filter(**{self.field: row}).order_by("-created_at", "-pk")[:100])
        return {
            "subtitle": getattr(row, "title", "") or row.key,
            "experiments": [(each, each.get_state_display(), self.part(each)) for each in experiments],
            "may_delete": self.has_delete_permission(request, row),
            "delete_url": reverse(f"admin:purchase_intent_{self.opts.model_name}_delete", args=[row.pk]),
        }

    field: ClassVar[str]
    """An experiment's field that names one."""

    def part(self, experiment: Experiment) -> str:
        """What an experiment has of it, in words."""
        raise NotImplementedError


@admin.register(ExclusionGroup)
class ExclusionGroupAdmin(_SharesAdmin):
    list_display = ("called", "key", "running", "free")
    form_of = _GroupForm
    field = "group"
    lead = (
        "Experiments of one group never share a visitor: each has a range of its own. Make a group where two "
        "experiments would disturb each other, such as two about the checkout."
    )
    nothing = (
        "No exclusion groups yet, because none was made: make one where two experiments would disturb each other, "
        "such as two about the checkout."
    )

    def complete(self, rows: list[Any]) -> None:
        """Each group's ranges: one query a page."""
        found = taken_ranges(rows)
        for row in rows:
            row.taken = found[row.pk]

    @admin.display(description="exclusion group")
    def called(self, group: ExclusionGroup) -> str:
        return group.title or group.key

    @admin.display(description="running experiments", empty_value="none")
    def running(self, group: ExclusionGroup) -> str | None:
        named = [f"{each.experiment.title} ({spelled(each.start, each.end)})" for each in _taken(group) if each.is_held]
        return ", ".join(named) or None

    @admin.display(description="free")
    def free(self, group: ExclusionGroup) -> str:
        return free_words(_taken(group))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Its page (GET); another title (POST)."""
        group = self.get_object(request, object_id)
        if request.method == "POST" and group is not None:
            if not self.has_change_permission(request, group):
                raise PermissionDenied
            form = _TitleForm(request.POST)
            if not form.is_valid():
                context = self.page(request, group) | {"form": form}
                return self.drawn(request, self.page_template, group, context)
            group.title = form.cleaned_data["title"]
            group.save(update_fields=("title",))
            self.log_change(request, group, [{"changed": {"fields": ["title"]}}])
            self.message_user(request, "The title is changed.", messages.SUCCESS)
            return HttpResponseRedirect(request.path)
        return super().change_view(request, object_id, form_url, extra_context)

    def page(self, request: HttpRequest, row: ExclusionGroup) -> dict[str, Any]:
        """Who has which range of it, and what is free."""
        taken = taken_ranges([row])[row.pk]
        free = free_words(taken)
        may_change = self.has_change_permission(request, row)
        return {
            **super().page(request, row),
            "headline": f"Free: {free}" if free != "nothing" else "Nothing is free",
            "about": "Experiments of this group never share a visitor. A draft keeps nobody out until it is started.",
            "lane": [_bar(each) for each in taken],
            "form": _TitleForm(initial={"title": row.title}) if may_change else None,
            "part_head": "range",
        }

    def part(self, experiment: Experiment) -> str:
        """Its range."""
        return spelled(experiment.group_start or 0.0, experiment.group_end or 0.0)


@admin.register(Holdout)
class HoldoutAdmin(_SharesAdmin):
    list_display = ("key", "part_of_all", "named_by")
    form_of = _HoldoutForm
    field = "holdout"
    lead = (
        "A holdout is a share of all visitors whom no experiment that names it ever takes in, nor shows what it "
        "shipped. After a year of experiments they show what all of them together have brought."
    )
    nothing = (
        "No holdouts yet, because none was made: make one to see, after a year, what all experiments together have "
        "brought."
    )

    def complete(self, rows: list[Any]) -> None:
        """How many experiments name each: one query a page."""
        named: dict[int, int] = {}
        for key in Experiment.objects.filter(holdout__in=rows).values_list("holdout_id", flat=True):
            named[key] = named.get(key, 0) + 1
        for row in rows:
            row.named = named.get(row.pk, 0)

    @admin.display(description="of all visitors")
    def part_of_all(self, holdout: Holdout) -> str:
        return share_words(holdout.share)

    @admin.display(description="experiments that name it")
    def named_by(self, holdout: Holdout) -> str:
        return str(getattr(holdout, "named", 0))

    def page(self, request: HttpRequest, row: Holdout) -> dict[str, Any]:
        """How many it holds out, and of what."""
        return {
            **super().page(request, row),
            "headline": f"{share_words(row.share)} of all visitors are held out",
            "about": (
                "No experiment that names it ever takes these visitors in, and what it ships is not shown to them. Key "
                "and share stay for good."
            ),
            "part_head": "traffic",
        }

    def part(self, experiment: Experiment) -> str:
        """The traffic that it takes of the others."""
        return share_words(experiment.traffic)


def free_words(taken: Sequence[Taken]) -> str:
    """The free ranges of a group: "0% to 25%, 75% to 100%"."""
    return ", ".join(spelled(*each) for each in free_ranges(taken)) or "nothing"


def _taken(group: ExclusionGroup) -> list[Taken]:
    found: list[Taken] = getattr(group, "taken", [])
    return found


def _bar(taken: Taken) -> dict[str, Any]:
    words = f"{taken.experiment.title}: {spelled(taken.start, taken.end)}"
    return {
        "x": round(taken.start * 100, 3),
        "width": round((taken.end - taken.start) * 100, 3),
        "is_held": taken.is_held,
        "title": words if taken.is_held else f"{words}, a draft",
    }
