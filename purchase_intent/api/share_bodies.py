"""What the API takes and says of exclusion groups and holdouts: shapes, answers, examples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from rest_framework import serializers

from purchase_intent.api.describing import described, only_staff, refused
from purchase_intent.api.examples import bad, missing, unreadable
from purchase_intent.api.serializers import Body
from purchase_intent.experiments.ranges import Taken, free_ranges
from purchase_intent.models import ExclusionGroup, Holdout
from purchase_intent.models.segment import LONGEST_KEY

__all__ = [
    "NO_GROUP",
    "NO_HOLDOUT",
    "ExclusionGroupSerializer",
    "HeldOutSerializer",
    "HoldoutSerializer",
    "NewGroupSerializer",
    "NewHoldoutSerializer",
    "ShareSerializer",
    "TitleSerializer",
]

NO_GROUP: Final = "No exclusion group has this key: take one from the list of groups."
NO_HOLDOUT: Final = "No holdout has this key: take one from the list of holdouts."


class TitleSerializer(Body):
    """A group's title."""

    title = serializers.CharField(max_length=100, help_text="As the desk shows it.")


class NewGroupSerializer(TitleSerializer):
    """A group that is to be made."""

    key = serializers.CharField(max_length=LONGEST_KEY, help_text="For good: it is the salt of the draw.")


class RangeSerializer(serializers.Serializer[Any]):
    """A part of a group, from 0 to 1."""

    start = serializers.FloatField()
    end = serializers.FloatField()


class TakenSerializer(RangeSerializer):
    """A part that an experiment has, or a draft is meant for."""

    experiment = serializers.CharField(source="experiment.key")
    running = serializers.BooleanField(source="is_held", help_text="A draft keeps nobody out until it is started.")


class ExclusionGroupSerializer(serializers.Serializer[Any]):
    """An exclusion group: experiments on ranges of it that do not overlap never share a visitor."""

    key = serializers.CharField(help_text="For good: it is the salt of the draw.")
    title = serializers.CharField(help_text="As the desk shows it.")
    taken = TakenSerializer(many=True, help_text="By running experiments and drafts, from the left.")
    free = RangeSerializer(many=True, help_text="What no running experiment has, from the left.")

    def to_representation(self, instance: tuple[ExclusionGroup, Sequence[Taken]]) -> dict[str, Any]:
        """The group with its ranges."""
        group, taken = instance
        free = [{"start": start, "end": end} for start, end in free_ranges(taken)]
        facts = {"key": group.key, "title": group.title, "taken": taken, "free": free}
        return super().to_representation(facts)


class ShareSerializer(Body):
    """How much a holdout would hold out."""

    share = serializers.FloatField(help_text="Of all visitors, above 0 and below 1; it stays for good.")


class NewHoldoutSerializer(ShareSerializer):
    """A holdout that is to be made."""

    key = serializers.CharField(max_length=LONGEST_KEY, help_text="For good: it is the salt of the draw.")


class HoldoutSerializer(serializers.ModelSerializer[Holdout]):
    """A share of all visitors whom no experiment that names it ever takes in."""

    experiments = serializers.SerializerMethodField(help_text="Keys of those that name it.")

    class Meta:
        model = Holdout
        fields = ("key", "share", "experiments")

    def get_experiments(self, holdout: Holdout) -> list[str]:
        """Who names it."""
        return sorted(each.key for each in holdout.experiments.all())


class HeldOutSerializer(serializers.Serializer[Any]):
    """How many a share is."""

    share = serializers.FloatField()
    shoppers = serializers.IntegerField(help_text="Of the last 90 days, bots and staff left out.")
    held_out = serializers.IntegerField(help_text="Of them, as many as the share says.")


_GROUP: Final = {
    "key": "checkout",
    "title": "Checkout tests",
    "taken": [{"start": 0.0, "end": 0.5, "experiment": "free-shipping-bar", "running": True}],
    "free": [{"start": 0.5, "end": 1.0}],
}
_HOLDOUT: Final = {"key": "never-tested", "share": 0.05, "experiments": ["free-shipping-bar"]}
_KEY: Final = bad("key", "“Checkout!” is no key: use small letters, digits and hyphens, 64 at most")
_SHARE: Final = bad("share", "give a share above 0 and below 1, such as 0.05, not 1")
_SENDING: Final = unreadable()
_OF_GROUP: Final = missing("group_not_found", NO_GROUP)
_OF_HOLDOUT: Final = missing("holdout_not_found", NO_HOLDOUT)
_NAMED: Final = refused("key: an experiment names checkout: it stays as long as that is on record")

LIST_GROUPS: Final = described(
    "list_groups", ExclusionGroupSerializer(many=True), _GROUP, only_staff("view_exclusiongroup")
)
MAKE_GROUP: Final = described(
    "create_group",
    ExclusionGroupSerializer,
    _GROUP | {"taken": [], "free": [{"start": 0.0, "end": 1.0}]},
    {
        **_KEY,
        **only_staff("add_exclusiongroup"),
        **_SENDING,
        **refused("key: another exclusion group is called checkout: its key is taken for good"),
    },
    status=201,
    request=NewGroupSerializer,
    example={"key": "checkout", "title": "Checkout tests"},
)
READ_GROUP: Final = described(
    "read_group", ExclusionGroupSerializer, _GROUP, {**only_staff("view_exclusiongroup"), **_OF_GROUP}
)
RENAME_GROUP: Final = described(
    "rename_group",
    ExclusionGroupSerializer,
    _GROUP,
    {
        **bad("title", "This field may not be blank."),
        **only_staff("change_exclusiongroup"),
        **_OF_GROUP,
        **_SENDING,
    },
    request=TitleSerializer,
    example={"title": "Checkout tests"},
)
REMOVE_GROUP: Final = described(
    "remove_group", None, None, {**only_staff("delete_exclusiongroup"), **_OF_GROUP, **_NAMED}, status=204
)
LIST_HOLDOUTS: Final = described("list_holdouts", HoldoutSerializer(many=True), _HOLDOUT, only_staff("view_holdout"))
MAKE_HOLDOUT: Final = described(
    "create_holdout",
    HoldoutSerializer,
    _HOLDOUT | {"experiments": []},
    {
        **_SHARE,
        **only_staff("add_holdout"),
        **_SENDING,
        **refused("key: another holdout is called never-tested: its key is taken for good"),
    },
    status=201,
    request=NewHoldoutSerializer,
    example={"key": "never-tested", "share": 0.05},
)
READ_HOLDOUT: Final = described(
    "read_holdout", HoldoutSerializer, _HOLDOUT, {**only_staff("view_holdout"), **_OF_HOLDOUT}
)
REMOVE_HOLDOUT: Final = described(
    "remove_holdout", None, None, {**only_staff("delete_holdout"), **_OF_HOLDOUT, **_NAMED}, status=204
)
PREVIEW_HOLDOUT: Final = described(
    "preview_holdout",
    HeldOutSerializer,
    {"share": 0.05, "shoppers": 41_200, "held_out": 2_060},
    {**_SHARE, **only_staff("add_holdout"), **_SENDING},
    request=ShareSerializer,
    example={"share": 0.05},
)
