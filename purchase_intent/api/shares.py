"""Exclusion groups and holdouts over the API: who shares out visitors with whom, and whom no experiment takes in."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from django.db import router, transaction
from django.utils import timezone
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from purchase_intent.api import share_bodies as bodies
from purchase_intent.api.staff import ADDED, CHANGED, REMOVED, StaffEndpoint, note_in_admin, refusals
from purchase_intent.api.views import documented
from purchase_intent.experiments.ranges import taken_ranges
from purchase_intent.experiments.sharing import make_group, make_holdout, refuse_share, remove_share, rename_group
from purchase_intent.models import ExclusionGroup, Holdout

__all__ = ["GroupView", "GroupsView", "HoldoutPreviewView", "HoldoutView", "HoldoutsView"]


class _Groups(StaffEndpoint):
    keeps = "exclusiongroup"
    serializer_class = bodies.ExclusionGroupSerializer

    def named(self) -> ExclusionGroup:
        """The group of the key in the path. NotFound where there is none."""
        found: ExclusionGroup | None = ExclusionGroup.objects.filter(key=self.kwargs["key"]).first()
        if found is None:
            raise NotFound(bodies.NO_GROUP, code="group_not_found")
        return found


class GroupsView(_Groups):
    """Every exclusion group."""

    @documented(bodies.LIST_GROUPS)
    def get(self, request: Request) -> Response:  # noqa: ARG002 - the signature is the framework's
        """List the exclusion groups by key, with who has which range of each and what is free."""
        return Response(_with_ranges(list(ExclusionGroup.objects.all())))

    @documented(bodies.MAKE_GROUP)
    def post(self, request: Request) -> Response:
        """Make an exclusion group: experiments on ranges of it that do not overlap never share a visitor."""
        sent = self.sent(bodies.NewGroupSerializer)
        with refusals():
            made = make_group(sent["key"], title=sent["title"])
        note_in_admin(request, made, ADDED, "Made over the API.")
        return Response(_with_ranges([made])[0], status=HTTPStatus.CREATED)


class GroupView(_Groups):
    """One exclusion group."""

    @documented(bodies.READ_GROUP)
    def get(self, request: Request, key: str) -> Response:  # noqa: ARG002 - the signature is the framework's
        """Read an exclusion group: who has which range of it, and what is free."""
        return Response(_with_ranges([self.named()])[0])

    @documented(bodies.RENAME_GROUP)
    def patch(self, request: Request, key: str) -> Response:  # noqa: ARG002 - the signature is the framework's
        """Give an exclusion group another title. Its key stays for good."""
        group, sent = self.named(), self.sent(bodies.TitleSerializer)
        with refusals():
            rename_group(group, sent["title"])
        note_in_admin(request, group, CHANGED, "Another title, over the API.")
        return Response(_with_ranges([group])[0])

    @documented(bodies.REMOVE_GROUP)
    def delete(self, request: Request, key: str) -> Response:  # noqa: ARG002 - the signature is the framework's
        """Take an exclusion group away that no experiment has ever named."""
        return _removed(request, self.named())


class _Holdouts(StaffEndpoint):
    keeps = "holdout"
    serializer_class = bodies.HoldoutSerializer  # type: ignore[assignment]  # the others answer of sessions

    def named(self) -> Holdout:
        """The holdout of the key in the path. NotFound where there is none."""
        found: Holdout | None = Holdout.objects.filter(key=self.kwargs["key"]).first()
        if found is None:
            raise NotFound(bodies.NO_HOLDOUT, code="holdout_not_found")
        return found


class HoldoutsView(_Holdouts):
    """Every holdout."""

    @documented(bodies.LIST_HOLDOUTS)
    def get(self, request: Request) -> Response:  # noqa: ARG002 - the signature is the framework's
        """List the holdouts by key, with the experiments that name each."""
        rows = Holdout.objects.prefetch_related("experiments")
        return Response(bodies.HoldoutSerializer(rows, many=True).data)

    @documented(bodies.MAKE_HOLDOUT)
    def post(self, request: Request) -> Response:
        """Make a holdout: a share of all visitors whom no experiment that names it ever takes in."""
        sent = self.sent(bodies.NewHoldoutSerializer)
        with refusals():
            made = make_holdout(sent["key"], share=sent["share"])
        note_in_admin(request, made, ADDED, "Made over the API.")
        return Response(bodies.HoldoutSerializer(made).data, status=HTTPStatus.CREATED)


class HoldoutView(_Holdouts):
    """One holdout. Key and share stay for good."""

    @documented(bodies.READ_HOLDOUT)
    def get(self, request: Request, key: str) -> Response:  # noqa: ARG002 - the signature is the framework's
        """Read a holdout: how many it holds out, and of which experiments."""
        return Response(bodies.HoldoutSerializer(self.named()).data)

    @documented(bodies.REMOVE_HOLDOUT)
    def delete(self, request: Request, key: str) -> Response:  # noqa: ARG002 - the signature is the framework's
        """Take a holdout away that no experiment has ever named."""
        return _removed(request, self.named())


class HoldoutPreviewView(_Holdouts):
    """A holdout before it is made."""

    @documented(bodies.PREVIEW_HOLDOUT)
    def post(self, request: Request) -> Response:  # noqa: ARG002 - the signature is the framework's
        """Say how many shoppers a share would hold out; nothing is saved."""
        from purchase_intent.segments.people import recent  # reads of many are nothing that every page should load

        share = self.sent(bodies.ShareSerializer)["share"]
        with refusals():
            refuse_share(share)
        shoppers = recent(timezone.now()).count()
        facts = {"share": share, "shoppers": shoppers, "held_out": round(share * shoppers)}
        return Response(bodies.HeldOutSerializer(facts).data)


def _with_ranges(groups: Sequence[ExclusionGroup]) -> list[Any]:
    taken = taken_ranges(groups)
    return list(bodies.ExclusionGroupSerializer([(group, taken[group.pk]) for group in groups], many=True).data)


def _removed(request: Request, row: ExclusionGroup | Holdout) -> Response:
    """Take it away, which the admin's history keeps; both or neither."""
    with refusals(), transaction.atomic(using=router.db_for_write(type(row), instance=row)):
        note_in_admin(request, row, REMOVED, "Taken away over the API.")
        remove_share(row)
    return Response(status=HTTPStatus.NO_CONTENT)
