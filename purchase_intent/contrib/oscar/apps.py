"""The adapter as a Django app: it brings the checks of what a shop of django-oscar needs."""

from __future__ import annotations

from django.apps import AppConfig
from django.core import checks
from django.utils.translation import gettext_lazy as _

__all__ = ["OscarIntentConfig"]


class OscarIntentConfig(AppConfig):
    """Has no models. The signals are connected by `OscarShop.connect`."""

    name = "purchase_intent.contrib.oscar"
    label = "purchase_intent_oscar"
    verbose_name = _("Purchase intent for django-oscar")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the checks."""
        from purchase_intent.contrib.oscar.checks import check_listed, check_oscar

        checks.register(check_oscar, "purchase_intent")
        checks.register(check_listed, "purchase_intent")
