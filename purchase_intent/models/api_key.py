"""Keys by which servers speak to the API: only a hash of each is kept."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Collection
from datetime import datetime, timedelta
from hmac import compare_digest
from typing import Final, Self

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

__all__ = ["BELIEVED_FOR", "ApiKey", "ApiKeyQuerySet", "Scope", "forget_keys"]

_MARK: Final = "pi"
USED_EVERY: Final = timedelta(minutes=1)
"""A key in steady use is written no more often than this."""
BELIEVED_FOR: Final = 5.0
"""Seconds for which a process believes what it has read of a key: that long one revoked in another process goes on."""
_MOST: Final = 1_000
"""Keys that a process remembers; then it begins anew."""

clock = time.monotonic
"""Seconds; tests replace it."""
_read: Final[dict[str, tuple[float, ApiKey]]] = {}
"""By the digest of a key's text: when it was read, and the row."""


class Scope(models.TextChoices):
    """What a key may do."""

    EVENTS = "events", _("send events")
    ORDERS = "orders", _("send orders, money, and who a customer is")
    PREDICT = "predict", _("ask for the score of events it brings along")
    SCORES = "scores", _("read scores of sessions and customers, and why")


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    """Keys, in the words the rest of the app asks for them."""

    def in_force(self) -> Self:
        """Leave out those that are revoked."""
        return self.filter(revoked_at=None)

    def make(self, *, name: str, scopes: Collection[str], site: str = "", made_by: str = "") -> tuple[ApiKey, str]:
        """A new key, and its text, which cannot be had again: 160 random bits, so that a plain hash is enough."""
        prefix, secret = secrets.token_hex(4), secrets.token_hex(20)
        text = f"{_MARK}_{prefix}_{secret}"
        row = self.create(
            name=name, scopes=sorted(scopes), site=site, made_by=made_by, prefix=prefix, digest=_digest(text)
        )
        return row, text

    def of_text(self, text: str) -> ApiKey | None:
        """The key in force that a text is; None for any other text."""
        parts = text.split("_")
        if len(parts) != 3 or parts[0] != _MARK or not parts[1].isalnum() or len(parts[1]) > 16:
            return None
        row = self.in_force().filter(prefix=parts[1]).first()
        return row if row is not None and compare_digest(row.digest, _digest(text)) else None

    def known(self, text: str) -> ApiKey | None:
        """The same, as this process has read it within the last `BELIEVED_FOR` seconds: no query for a key in use."""
        digest, now = _digest(text), clock()
        read_at, row = _read.get(digest, (0.0, None))
        if row is not None and now - read_at < BELIEVED_FOR:
            return row
        found = self.of_text(text)
        if found is None:
            _read.pop(digest, None)
            return None
        if len(_read) >= _MOST:
            _read.clear()
        _read[digest] = now, found
        return found


class ApiKey(models.Model):
    """One key of one server. It is shown once, when it is made."""

    name = models.CharField(_("name"), max_length=100, help_text=_("Which server has it, such as “webshop backend”."))
    prefix = models.CharField(_("prefix"), max_length=16, unique=True, help_text=_("The part of it that is shown."))
    digest = models.CharField(_("digest"), max_length=64, editable=False, help_text=_("SHA-256 of the whole key."))
    scopes = models.JSONField(_("scopes"), default=list, help_text=_("What it may do."))
    site = models.CharField(
        _("site"), max_length=64, blank=True, default="", help_text=_("Which of several sites it speaks for.")
    )
    made_at = models.DateTimeField(_("made at"), default=timezone.now)
    made_by = models.CharField(_("made by"), max_length=150, blank=True, default="")
    last_used_at = models.DateTimeField(_("last used at"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")
        ordering = ("-made_at", "-pk")
        constraints = (models.CheckConstraint(condition=~Q(digest=""), name="intent_key_has_digest"),)

    def __str__(self) -> str:
        return f"{self.name} ({_MARK}_{self.prefix}_…)"

    def may(self, scope: Scope) -> bool:
        """Whether the key has a scope."""
        return scope.value in self.scopes

    def note_use(self, now: datetime) -> None:
        """Remember that it was used."""
        if self.last_used_at is None or now - self.last_used_at >= USED_EVERY:
            ApiKey.objects.filter(pk=self.pk).update(last_used_at=now)
            self.last_used_at = now

    def revoke(self, now: datetime) -> None:
        """Have it refused from now on; revoked once, it stays so."""
        ApiKey.objects.filter(pk=self.pk).in_force().update(revoked_at=now)
        forget_keys()
        self.refresh_from_db(fields=["revoked_at"])


def forget_keys() -> None:
    """Read every key anew."""
    _read.clear()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
