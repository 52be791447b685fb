"""Segments: rules under a name, each edit a version, who belonged to which when, and what was measured of them."""

from __future__ import annotations

import re
from typing import Final, Self

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from purchase_intent.models.visitor import Visitor

__all__ = [
    "LONGEST_KEY",
    "Segment",
    "SegmentMembership",
    "SegmentMembershipQuerySet",
    "SegmentQuerySet",
    "SegmentReport",
    "SegmentVersion",
    "Why",
    "is_key",
]

LONGEST_KEY = 64
_KEY: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def is_key(text: str) -> bool:
    """Whether a text can be the key of a segment, an experiment, an arm, a group or a holdout."""
    return len(text) <= LONGEST_KEY and _KEY.fullmatch(text) is not None


class Why(models.TextChoices):
    """What ended a membership."""

    OPEN = "", _("still a member")
    RULE = "rule", _("no longer meets the conditions")
    EDIT = "edit", _("the conditions were changed")
    OFF = "off", _("the segment was switched off")
    AWAY = "away", _("not seen for 90 days, or labelled as a bot or staff")


class SegmentQuerySet(models.QuerySet["Segment"]):
    """Segments, in the words the rest of the app asks for them."""

    def active(self) -> Self:
        """Keep those that are switched on and have conditions."""
        return self.filter(is_active=True, current__isnull=False)


class Segment(models.Model):
    """A group of shoppers under a name. Its conditions are those of `current`, the latest of its versions."""

    key = models.SlugField(
        _("key"), max_length=LONGEST_KEY, unique=True, help_text=_("By which templates and the API name it; for good.")
    )
    title = models.CharField(_("title"), max_length=100)
    about = models.TextField(_("about"), blank=True, default="", help_text=_("Whom it means, in a sentence."))
    action = models.TextField(_("recommended action"), blank=True, default="")
    origin = models.CharField(
        _("origin"), max_length=LONGEST_KEY, blank=True, default="", help_text=_("Which built-in it began as.")
    )
    is_active = models.BooleanField(_("active"), default=True)
    current = models.ForeignKey(
        "SegmentVersion", models.RESTRICT, null=True, blank=True, related_name="+", verbose_name=_("current version")
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now)

    objects = SegmentQuerySet.as_manager()

    class Meta:
        verbose_name = _("segment")
        verbose_name_plural = _("segments")
        ordering = ("title", "pk")
        constraints = (
            models.CheckConstraint(condition=~Q(key=""), name="intent_segment_has_key"),
            models.UniqueConstraint(fields=("origin",), condition=~Q(origin=""), name="intent_one_segment_per_origin"),
        )

    def __str__(self) -> str:
        return self.title


class SegmentVersion(models.Model):
    """The conditions of a segment as somebody saved them; never changed. `rule` is a `segments.rules.Rule` as JSON."""

    segment = models.ForeignKey(Segment, models.CASCADE, related_name="versions", verbose_name=_("segment"))
    number = models.PositiveIntegerField(_("number"))
    rule = models.JSONField(_("rule"))
    made_at = models.DateTimeField(_("made at"), default=timezone.now)
    who = models.CharField(_("who"), max_length=200)

    class Meta:
        verbose_name = _("segment version")
        verbose_name_plural = _("segment versions")
        ordering = ("segment", "-number")
        constraints = (models.UniqueConstraint(fields=("segment", "number"), name="intent_segment_version_number"),)

    def __str__(self) -> str:
        return f"version {self.number}"


class SegmentMembershipQuerySet(models.QuerySet["SegmentMembership"]):
    """Memberships, in the words the rest of the app asks for them."""

    def open(self) -> Self:
        """Keep those that have not ended."""
        return self.filter(left_at=None)


class SegmentMembership(models.Model):
    """A visitor in a segment from one look at it to another, by the version it entered under."""

    segment = models.ForeignKey(
        Segment, models.CASCADE, related_name="memberships", db_index=False, verbose_name=_("segment")
    )
    version = models.ForeignKey(
        SegmentVersion, models.CASCADE, related_name="memberships", db_index=False, verbose_name=_("version")
    )
    visitor = models.ForeignKey(
        Visitor, models.CASCADE, related_name="memberships", db_index=False, verbose_name=_("customer")
    )
    entered_at = models.DateTimeField(_("entered at"))
    left_at = models.DateTimeField(_("left at"), null=True, blank=True)
    why = models.CharField(_("why it ended"), max_length=8, choices=Why, blank=True, default=Why.OPEN)

    objects = SegmentMembershipQuerySet.as_manager()

    class Meta:
        verbose_name = _("segment membership")
        verbose_name_plural = _("segment memberships")
        ordering = ("-entered_at", "-pk")
        indexes = (
            models.Index(fields=("visitor", "-entered_at"), name="intent_member_history"),
            models.Index(fields=("segment", "-entered_at", "-id"), name="intent_member_entered"),
            models.Index(fields=("left_at",), condition=Q(left_at__isnull=False), name="intent_member_left"),
        )
        constraints = (
            models.UniqueConstraint(
                fields=("segment", "visitor"), condition=Q(left_at=None), name="intent_one_open_membership"
            ),
            models.CheckConstraint(
                condition=Q(left_at=None, why="") | Q(left_at__gte=F("entered_at")) & ~Q(why=""),
                name="intent_member_ends_with_reason",
            ),
        )

    def __str__(self) -> str:
        return f"segment {self.segment_id}, visitor {self.visitor_id}"


class SegmentReport(models.Model):
    """What was measured of a segment when its members were last told; `figures` as `segments.figures` made them."""

    segment = models.ForeignKey(
        Segment, models.CASCADE, related_name="reports", db_index=False, verbose_name=_("segment")
    )
    version = models.ForeignKey(
        SegmentVersion, models.CASCADE, related_name="+", db_index=False, verbose_name=_("version")
    )
    moment = models.DateTimeField(_("moment"))
    size = models.PositiveIntegerField(_("members"))
    looked_at = models.PositiveIntegerField(_("shoppers looked at"))
    figures = models.JSONField(_("figures"), default=dict, blank=True)

    class Meta:
        verbose_name = _("segment report")
        verbose_name_plural = _("segment reports")
        ordering = ("-moment", "-pk")
        constraints = (
            models.UniqueConstraint(fields=("segment", "moment"), name="intent_one_segment_report_per_moment"),
            models.CheckConstraint(condition=Q(size__lte=F("looked_at")), name="intent_segment_size_in_range"),
        )

    def __str__(self) -> str:
        return f"{self.size} of {self.looked_at}"
