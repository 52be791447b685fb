"""Experiments: arms, metrics and limits as they were decided, and every change."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from purchase_intent.models.segment import LONGEST_KEY, Segment
from purchase_intent.models.standing import KeyedQuerySet, PartQuerySet, refuse_another_key, refuse_another_part

__all__ = [
    "ExclusionGroup",
    "Experiment",
    "ExperimentArm",
    "ExperimentChange",
    "ExperimentMetric",
    "ExperimentQuerySet",
    "ExperimentState",
    "Holdout",
    "MetricKind",
    "MetricRole",
]


class ExperimentState(models.TextChoices):
    """How far an experiment has come."""

    DRAFT = "draft", _("draft")
    RUNNING = "running", _("running")
    STOPPED = "stopped", _("stopped")


class MetricKind(models.TextChoices):
    """What is counted of an exposed visitor, after the exposure and within the window."""

    CONVERSION = "conversion", _("share that ordered")
    REVENUE = "revenue", _("revenue a visitor")
    ORDER_VALUE = "order_value", _("average order value")
    ADD_TO_CART = "add_to_cart", _("share that filled a basket")
    CART_ABANDONMENT = "cart_abandonment", _("share that left a basket behind")
    EVENT = "event", _("share that did something")


class MetricRole(models.TextChoices):
    """What a metric decides."""

    PRIMARY = "primary", _("primary")
    SECONDARY = "secondary", _("secondary")
    GUARDRAIL = "guardrail", _("guardrail")


class ExclusionGroup(models.Model):
    """Experiments of one group never share a visitor: each has a range of its own."""

    key = models.SlugField(_("key"), max_length=LONGEST_KEY, unique=True)
    title = models.CharField(_("title"), max_length=100, blank=True, default="")

    class Meta:
        verbose_name = _("exclusion group")
        verbose_name_plural = _("exclusion groups")
        ordering = ("key",)

    def __str__(self) -> str:
        return self.key


class Holdout(models.Model):
    """A share of all visitors whom no experiment that names it ever takes in; its share is for good."""

    key = models.SlugField(_("key"), max_length=LONGEST_KEY, unique=True)
    share = models.FloatField(_("share"))

    class Meta:
        verbose_name = _("holdout")
        verbose_name_plural = _("holdouts")
        ordering = ("key",)
        constraints = (models.CheckConstraint(condition=Q(share__gt=0, share__lt=1), name="intent_holdout_share"),)

    def __str__(self) -> str:
        return self.key


class ExperimentQuerySet(KeyedQuerySet["Experiment"]):
    """Experiments, in the words the rest of the app asks for them."""

    def running(self) -> Self:
        """Keep those that take visitors in."""
        return self.filter(state=ExperimentState.RUNNING)


class Experiment(models.Model):
    """One experiment. Its key is its salt: neither ever changes, nor do arms and weights once it has begun."""

    key = models.SlugField(_("key"), max_length=LONGEST_KEY, unique=True)
    title = models.CharField(_("title"), max_length=100)
    hypothesis = models.TextField(_("hypothesis"), blank=True, default="")
    state = models.CharField(_("state"), max_length=16, choices=ExperimentState, default=ExperimentState.DRAFT)
    traffic = models.FloatField(_("traffic share"), default=1.0)
    segment = models.ForeignKey(
        Segment, models.PROTECT, null=True, blank=True, related_name="experiments", verbose_name=_("target segment")
    )
    group = models.ForeignKey(
        ExclusionGroup, models.PROTECT, null=True, blank=True, related_name="experiments", verbose_name=_("group")
    )
    group_start = models.FloatField(_("range from"), null=True, blank=True)
    group_end = models.FloatField(_("range to"), null=True, blank=True)
    holdout = models.ForeignKey(
        Holdout, models.PROTECT, null=True, blank=True, related_name="experiments", verbose_name=_("holdout")
    )
    control = models.CharField(_("control arm"), max_length=LONGEST_KEY)
    shipped = models.CharField(
        _("shipped arm"), max_length=LONGEST_KEY, blank=True, default="", help_text=_("Shown to all once stopped.")
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now)
    started_at = models.DateTimeField(_("started at"), null=True, blank=True)
    stopped_at = models.DateTimeField(_("stopped at"), null=True, blank=True)
    design = models.JSONField(
        _("design"), default=dict, blank=True, help_text=_("How it is sized, watched and ended, as it was decided.")
    )
    plan = models.JSONField(
        _("plan"), default=dict, blank=True, help_text=_("What its start froze: size, looks, and the figures behind.")
    )

    objects = ExperimentQuerySet.as_manager()

    class Meta:
        verbose_name = _("experiment")
        verbose_name_plural = _("experiments")
        base_manager_name = "objects"
        ordering = ("-created_at", "-pk")
        constraints = (
            models.CheckConstraint(condition=~Q(key=""), name="intent_experiment_has_key"),
            models.CheckConstraint(condition=Q(traffic__gte=0, traffic__lte=1), name="intent_experiment_traffic"),
            models.CheckConstraint(
                condition=Q(group=None, group_start=None, group_end=None)
                | Q(group__isnull=False, group_start__gte=0, group_end__lte=1, group_start__lt=F("group_end")),
                name="intent_experiment_range",
            ),
            models.CheckConstraint(
                condition=Q(state="draft", started_at=None, stopped_at=None)
                | Q(state="running", started_at__isnull=False, stopped_at=None)
                | Q(state="stopped", started_at__isnull=False, stopped_at__gte=F("started_at")),
                name="intent_experiment_moments",
            ),
        )

    def __str__(self) -> str:
        return self.title

    def save(self, *args: Any, **kwargs: Any) -> None:
        """ExperimentRefused under another key than the stored one, and of a draft of what has begun."""
        refuse_another_key(self, kwargs.get("update_fields"))
        super().save(*args, **kwargs)

    @property
    def treatments(self) -> tuple[str, ...]:
        """The keys of its arms but for the control, in their order."""
        return tuple(arm.key for arm in self.arms.all() if arm.key != self.control)


class ExperimentArm(models.Model):
    """One arm with its share of those who are taken in."""

    experiment = models.ForeignKey(Experiment, models.CASCADE, related_name="arms", verbose_name=_("experiment"))
    key = models.SlugField(_("key"), max_length=LONGEST_KEY)
    title = models.CharField(_("title"), max_length=100, blank=True, default="")
    weight = models.FloatField(_("weight"))
    place = models.PositiveSmallIntegerField(_("place"))

    standing: ClassVar[tuple[str, ...]] = ("experiment_id", "key", "place", "weight")
    """What says who gets it, from the start of its experiment on."""
    objects = PartQuerySet["ExperimentArm"].as_manager()

    class Meta:
        verbose_name = _("arm")
        verbose_name_plural = _("arms")
        base_manager_name = "objects"
        ordering = ("experiment", "place")
        constraints = (
            models.UniqueConstraint(fields=("experiment", "key"), name="intent_arm_key"),
            models.UniqueConstraint(fields=("experiment", "place"), name="intent_arm_place"),
            models.CheckConstraint(condition=Q(weight__gte=0, weight__lte=1), name="intent_arm_weight"),
        )

    def __str__(self) -> str:
        return self.title or self.key

    def save(self, *args: Any, **kwargs: Any) -> None:
        """ExperimentRefused where the experiment has begun, of all but the title."""
        refuse_another_part(self, kwargs.get("update_fields"))
        super().save(*args, **kwargs)


class ExperimentMetric(models.Model):
    """What is measured of an experiment, after exposure and within a window."""

    experiment = models.ForeignKey(Experiment, models.CASCADE, related_name="metrics", verbose_name=_("experiment"))
    kind = models.CharField(_("kind"), max_length=20, choices=MetricKind)
    event = models.CharField(_("event"), max_length=32, blank=True, default="")
    role = models.CharField(_("role"), max_length=16, choices=MetricRole, default=MetricRole.SECONDARY)
    margin = models.FloatField(
        _("margin"), null=True, blank=True, help_text=_("Of a guardrail: the relative loss that is tolerated.")
    )
    window_days = models.PositiveSmallIntegerField(_("window in days"), default=7)

    standing: ClassVar[tuple[str, ...]] = ("experiment_id", "kind", "event", "role", "margin", "window_days")
    """What says how it is counted, and what it decides."""
    objects = PartQuerySet["ExperimentMetric"].as_manager()

    class Meta:
        verbose_name = _("metric")
        verbose_name_plural = _("metrics")
        base_manager_name = "objects"
        ordering = ("experiment", "pk")
        constraints = (
            models.UniqueConstraint(fields=("experiment", "kind", "event"), name="intent_metric_once"),
            models.UniqueConstraint(
                fields=("experiment",), condition=Q(role="primary"), name="intent_one_primary_metric"
            ),
            models.CheckConstraint(
                condition=~Q(role="guardrail") & Q(margin=None) | Q(role="guardrail", margin__gt=0, margin__lt=1),
                name="intent_guardrail_margin",
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.event}".rstrip()

    def save(self, *args: Any, **kwargs: Any) -> None:
        """ExperimentRefused where the experiment has begun."""
        refuse_another_part(self, kwargs.get("update_fields"))
        super().save(*args, **kwargs)


class ExperimentChange(models.Model):
    """What was done to an experiment, when and by whom; never changed."""

    experiment = models.ForeignKey(Experiment, models.CASCADE, related_name="changes", verbose_name=_("experiment"))
    at = models.DateTimeField(_("at"), default=timezone.now)
    who = models.CharField(_("who"), max_length=200)
    what = models.CharField(_("what"), max_length=32)
    facts = models.JSONField(_("facts"), default=dict, blank=True)

    class Meta:
        verbose_name = _("experiment change")
        verbose_name_plural = _("experiment changes")
        ordering = ("-at", "-pk")

    def __str__(self) -> str:
        return f"{self.what} by {self.who}"
