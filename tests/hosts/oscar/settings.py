"""A shop of django-oscar as its own guide makes one, and what docs/oscar.md adds to it."""

from __future__ import annotations

from pathlib import Path

from django.conf.global_settings import STORAGES
from oscar import INSTALLED_APPS as OSCAR_APPS
from oscar.defaults import *  # noqa: F403 (oscar's guide has it so)

BASE_DIR = Path(__file__).resolve().parent
SECRET_KEY = "a shop for tests"
ALLOWED_HOSTS = ["shop.example", "testserver"]
USE_TZ = True
TIME_ZONE = "Europe/London"
SITE_ID = 1
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
ROOT_URLCONF = "tests.hosts.oscar.urls"
STATIC_URL = "static/"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
HAYSTACK_CONNECTIONS = {"default": {"ENGINE": "haystack.backends.simple_backend.SimpleEngine"}}
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
AUTHENTICATION_BACKENDS = [
    "oscar.apps.customer.auth_backends.EmailBackend",
    "django.contrib.auth.backends.ModelBackend",
]
OSCAR_THUMBNAILER = "tests.hosts.oscar.pictures.NoPictures"
OSCAR_ALLOW_ANON_CHECKOUT = True
INSTALLED_APPS = [*OSCAR_APPS]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.contrib.flatpages.middleware.FlatpageFallbackMiddleware",
    "oscar.apps.basket.middleware.BasketMiddleware",
]
CONTEXT_PROCESSORS = [
    "django.template.context_processors.request",
    "django.contrib.auth.context_processors.auth",
    "django.contrib.messages.context_processors.messages",
    "oscar.apps.search.context_processors.search_form",
    "oscar.apps.checkout.context_processors.checkout",
    "oscar.apps.communication.notifications.context_processors.notifications",
    "oscar.core.context_processors.metadata",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": CONTEXT_PROCESSORS},
    }
]

# What docs/oscar.md adds:
INSTALLED_APPS += ["purchase_intent", "purchase_intent.contrib.oscar"]
MIDDLEWARE += [
    "purchase_intent.middleware.TrackingMiddleware",
    "purchase_intent.contrib.oscar.middleware.OscarMiddleware",
]
BUNDLES = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": BASE_DIR / "bundles"}}
STORAGES = {**STORAGES, "purchase_intent": BUNDLES}
PURCHASE_INTENT = {"TIME_ZONE": "Europe/London", "SHOP": "tests.hosts.oscar.shop_intent.MyShop"}
