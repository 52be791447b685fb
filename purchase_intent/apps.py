"""The Django app: its label, its keys, and the checks it brings."""

from __future__ import annotations

from contextlib import suppress

from django.apps import AppConfig, apps
from django.core import checks
from django.utils.translation import gettext_lazy as _

__all__ = ["PurchaseIntentConfig"]


class PurchaseIntentConfig(AppConfig):
    """Purchase intent as a reusable app: at start-up it brings its checks and listens for logins and for the shop."""

    name = "purchase_intent"
    verbose_name = _("Purchase intent")
    # A host's own default must not put migrations into site-packages.
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the system checks and connect what is listened for."""
        from purchase_intent.checks import (
            check_environment,
            check_middleware,
            check_rates,
            check_settings,
            check_shop,
            check_spool,
            check_storage,
            check_stream,
        )

        usual = (
            check_settings,
            check_environment,
            check_storage,
            check_shop,
            check_middleware,
            check_rates,
            check_stream,
        )
        for check in usual:
            checks.register(check, "purchase_intent")
        checks.register(check_spool, "purchase_intent", deploy=True)
        self._listen()
        if apps.is_installed("django_prometheus"):
            from purchase_intent.tracking.sinks.watching import watch

            watch()

    def _listen(self) -> None:
        from django.contrib.auth.signals import user_logged_in, user_logged_out

        from purchase_intent.adapters import current_shop
        from purchase_intent.exceptions import ConfigurationError
        from purchase_intent.tracking.telling import logged_in, logged_out

        user_logged_in.connect(logged_in, dispatch_uid="purchase_intent.logged_in")
        user_logged_out.connect(logged_out, dispatch_uid="purchase_intent.logged_out")
        # A wrong SHOP is for the checks to report: without an app there would be no checks.
        with suppress(ConfigurationError):
            current_shop().connect()
