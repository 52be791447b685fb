"""The demo shop as a Django app."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from django.apps import AppConfig

__all__ = ["DemoShopConfig"]


class DemoShopConfig(AppConfig):
    """The storefront: its models, and the basket that follows a shopper through a login."""

    name = "demo_shop"
    verbose_name = "Shop"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Keep the basket when somebody signs in, and have tasks sent from a page go to this shop's broker."""
        from django.contrib.auth.signals import user_logged_in

        from demo_shop.acts import keep_basket

        user_logged_in.connect(keep_basket, dispatch_uid="demo_shop.keep_basket")
        if find_spec("celery"):
            import_module("demo_shop.celery")
