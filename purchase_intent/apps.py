"""The Django app: its label, its keys, and the checks it brings."""

from __future__ import annotations

from django.apps import AppConfig
from django.core import checks
from django.utils.translation import gettext_lazy as _

__all__ = ["PurchaseIntentConfig"]


class PurchaseIntentConfig(AppConfig):
    """Purchase intent as a reusable app: nothing but checks happens at start-up."""

    name = "purchase_intent"
    verbose_name = _("Purchase intent")
    # A host's own default must not put migrations into site-packages.
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the system checks."""
        from purchase_intent.checks import check_environment, check_settings, check_storage

        for check in (check_settings, check_environment, check_storage):
            checks.register(check, "purchase_intent")
