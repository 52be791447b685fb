"""Trained models on record: what each learnt from, how it fared, where its bundle lies, and which one serves."""

from __future__ import annotations

from functools import partial
from typing import Self

from django.db import connections, models, router, transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from purchase_intent.exceptions import ModelNotFound, TrainingRefused
from purchase_intent.signals import model_promoted

__all__ = ["Horizon", "ModelVersion", "ModelVersionQuerySet", "Status"]


class Horizon(models.TextChoices):
    """How far ahead a model looks: to the end of this session, or seven days."""

    SESSION = "session", _("this session")
    WEEK = "week", _("the next seven days")


class Status(models.TextChoices):
    """Where a model version stands. One champion a horizon serves; a challenger is watched beside it."""

    CANDIDATE = "candidate", _("candidate")
    CHALLENGER = "challenger", _("challenger")
    CHAMPION = "champion", _("champion")
    ARCHIVED = "archived", _("archived")
    REFUSED = "refused", _("refused")


class ModelVersionQuerySet(models.QuerySet["ModelVersion"]):
    """Model versions, in the words the rest of the app asks for them."""

    def of(self, horizon: str) -> Self:
        """Keep the versions of one horizon."""
        return self.filter(horizon=horizon)

    def champions(self) -> Self:
        """Keep the versions that serve: at most one a horizon."""
        return self.filter(status=Status.CHAMPION)

    def challengers(self) -> Self:
        """Keep the versions that are scored beside the champion: at most one a horizon."""
        return self.filter(status=Status.CHALLENGER)

    def usable(self) -> Self:
        """Keep the versions that have a bundle to score with: those that training refused have none."""
        return self.exclude(status=Status.REFUSED).exclude(bundle="")

    def champion(self, horizon: str) -> ModelVersion:
        """Return the version that serves a horizon.

        Raises:
            ModelNotFound: nothing was promoted yet.
        """
        found = self.of(horizon).champions().first()
        if found is None:
            raise ModelNotFound(
                f"No champion serves the {horizon} horizon: train a model with intent_train.", horizon=horizon
            )
        return found

    def latest_usable(self, horizon: str) -> ModelVersion:
        """Return the newest version of a horizon that can score, whatever its standing.

        Raises:
            ModelNotFound: there is none.
        """
        found = self.of(horizon).usable().order_by("-created_at", "-pk").first()
        if found is None:
            raise ModelNotFound(
                f"No model of the {horizon} horizon can score: train one with intent_train.", horizon=horizon
            )
        return found

    def challenger(self, horizon: str) -> ModelVersion:
        """Return the version that is watched beside the champion of a horizon.

        Raises:
            ModelNotFound: none is.
        """
        found = self.of(horizon).challengers().first()
        if found is None:
            raise ModelNotFound(
                f"No challenger stands beside the {horizon} champion: name one with intent_promote VERSION "
                "--challenger.",
                horizon=horizon,
            )
        return found

    def lock_all(self, horizon: str) -> None:
        """Let nobody else change who serves a horizon until the transaction ends.

        Where rows can be locked, every version of the horizon is, in one order; elsewhere they are written as they
        are, since SQLite lets only one transaction at a time begin to write.
        """
        if connections[self.db].features.has_select_for_update:
            list(self.of(horizon).order_by("pk").select_for_update().values_list("pk", flat=True))
        else:
            self.of(horizon).update(horizon=horizon)

    def called(self, name: str, *, horizon: str = Horizon.SESSION) -> ModelVersion:
        """Return the version of a number, of whichever horizon and even if it was refused, or what `named` finds.

        Raises:
            ModelNotFound: there is none.
        """
        if not _is_key(name):
            return self.named(name, horizon=horizon)
        found = self.filter(pk=int(name)).first()
        if found is None:
            raise ModelNotFound(f"There is no model {name}: the admin lists those there are.", name=name)
        return found

    def named(self, name: str, *, horizon: str = Horizon.SESSION) -> ModelVersion:
        """Return the version that an operator means by `champion`, `challenger`, `latest` or a number.

        Raises:
            ModelNotFound: no usable version of that horizon answers to the name.
        """
        if name == "champion":
            return self.champion(horizon)
        if name == "challenger":
            return self.challenger(horizon)
        if name == "latest":
            return self.latest_usable(horizon)
        found = self.of(horizon).usable().filter(pk=int(name)).first() if _is_key(name) else None
        if found is None:
            raise ModelNotFound(
                f"No usable model of the {horizon} horizon is called {name!r}: say champion, latest or the number "
                "of a version that was not refused.",
                name=name,
                horizon=horizon,
            )
        return found


def _is_key(name: str) -> bool:
    return name.isascii() and name.isdigit() and int(name) < 2**63


class ModelVersion(models.Model):
    """One training run on record. Its bundle is a file in the storage `config().storage` names."""

    horizon = models.CharField(_("horizon"), max_length=16, choices=Horizon, default=Horizon.SESSION)
    status = models.CharField(_("status"), max_length=16, choices=Status, default=Status.CANDIDATE)
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    promoted_at = models.DateTimeField(_("promoted at"), null=True, blank=True, editable=False)

    trained_from = models.DateTimeField(_("trained from"), help_text=_("The first event it learnt from."))
    trained_until = models.DateTimeField(_("trained until"), help_text=_("It learnt from nothing at or after this."))
    events = models.PositiveBigIntegerField(_("events"))
    sessions = models.PositiveBigIntegerField(_("sessions"))
    buyers = models.PositiveBigIntegerField(_("buying sessions"))
    seed = models.BigIntegerField(_("seed"), default=0)

    schema_hash = models.CharField(_("schema hash"), max_length=64, help_text=_("Of the features it was trained on."))
    bundle = models.CharField(_("bundle"), max_length=255, blank=True, help_text=_("Its name in the storage."))
    bundle_sha256 = models.CharField(_("SHA-256 of the bundle"), max_length=64, blank=True)

    figures = models.JSONField(_("figures"), default=dict, blank=True)
    verdict = models.TextField(_("verdict"), blank=True, help_text=_("What the checks said, in plain words."))
    reasons = models.JSONField(_("reasons"), default=list, blank=True, help_text=_("Codes behind the verdict."))
    forced = models.BooleanField(_("forced"), default=False, help_text=_("Registered against the checks."))

    objects = ModelVersionQuerySet.as_manager()

    class Meta:
        verbose_name = _("model version")
        verbose_name_plural = _("model versions")
        ordering = ("-created_at", "-pk")
        get_latest_by = ("created_at", "pk")
        indexes = (models.Index(fields=("horizon", "-created_at"), name="intent_model_newest"),)
        constraints = (
            models.UniqueConstraint(
                fields=("horizon",), condition=Q(status="champion"), name="intent_one_champion_per_horizon"
            ),
            models.UniqueConstraint(
                fields=("horizon",), condition=Q(status="challenger"), name="intent_one_challenger_per_horizon"
            ),
            models.CheckConstraint(
                condition=~Q(status__in=("champion", "challenger")) | ~Q(bundle=""),
                name="intent_serving_model_has_bundle",
            ),
            models.CheckConstraint(condition=Q(trained_from__lte=F("trained_until")), name="intent_trained_window"),
            models.CheckConstraint(condition=Q(buyers__lte=F("sessions")), name="intent_buyers_within_sessions"),
        )

    def __str__(self) -> str:
        return f"{self.get_horizon_display()} model {self.pk} ({self.get_status_display()})"

    @property
    def cases(self) -> str:
        """What it learns from and is judged on, in words."""
        return "customers at a night" if self.horizon == Horizon.WEEK else "sessions"

    @property
    def is_usable(self) -> bool:
        """Whether it may score: it has a bundle and training did not refuse it."""
        return bool(self.bundle) and self.status != Status.REFUSED

    def promote(self) -> None:
        """Make this the champion of its horizon and archive the one before, both or neither.

        Two promotions at once queue up and the later one stands; the unique constraint holds whatever happens.
        `model_promoted` is sent after the commit. Who asked for it is kept by `training.promotion`.

        Raises:
            TrainingRefused: the version was refused, or has no bundle.
        """
        alias = router.db_for_write(type(self), instance=self)
        with transaction.atomic(using=alias):
            self._take(Status.CHAMPION, alias)
            if self.status != Status.CHAMPION:
                self.status = Status.CHAMPION
                self.promoted_at = timezone.now()
                self.save(using=alias, update_fields=("status", "promoted_at"))
                tell = partial(model_promoted.send_robust, sender=type(self), version=self)
                transaction.on_commit(tell, using=alias)

    def challenge(self) -> None:
        """Have this version scored beside the champion, and archive the challenger before, both or neither.

        Raises:
            TrainingRefused: the version was refused, has no bundle, or is the champion.
        """
        alias = router.db_for_write(type(self), instance=self)
        with transaction.atomic(using=alias):
            self._take(Status.CHALLENGER, alias)
            if self.status == Status.CHAMPION:
                raise TrainingRefused(
                    f"Model {self.pk} serves: a challenger is a version that does not.", version=self.pk
                )
            self.status = Status.CHALLENGER
            self.save(using=alias, update_fields=("status",))

    def archive(self) -> None:
        """Put this version away; it can be promoted again.

        Raises:
            TrainingRefused: it is the champion, or training refused it.
        """
        alias = router.db_for_write(type(self), instance=self)
        with transaction.atomic(using=alias):
            self._take(None, alias)
            if self.status == Status.CHAMPION:
                raise TrainingRefused(
                    f"Model {self.pk} serves: promote another one first, then it is archived by itself.",
                    version=self.pk,
                )
            self.status = Status.ARCHIVED
            self.save(using=alias, update_fields=("status",))

    def _take(self, seat: Status | None, alias: str) -> None:
        """Lock the horizon, free a seat, and read what is stored of this version, which has to be usable."""
        rivals = ModelVersion.objects.using(alias)
        rivals.lock_all(self.horizon)
        if seat is not None:
            rivals.of(self.horizon).filter(status=seat).exclude(pk=self.pk).update(status=Status.ARCHIVED)
        self.refresh_from_db(using=alias)
        if not self.is_usable:
            raise TrainingRefused(
                f"Model {self.pk} cannot serve: it was refused or has no bundle. Train again, or register it "
                "with intent_train --force.",
                version=self.pk,
                status=self.status,
            )
