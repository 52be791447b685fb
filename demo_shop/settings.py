"""Settings of the demo shop, for a try on one's own machine. They are no example for a public site."""

from __future__ import annotations

import os
from pathlib import Path

from demo_shop.database import database
from purchase_intent.tasks import BEAT_SCHEDULE

BASE_DIR = Path(__file__).resolve().parent.parent
VAR = Path(os.environ.get("DEMO_VAR") or BASE_DIR / "var").resolve()
"""All that running the project writes, out of version control."""
VAR.mkdir(parents=True, exist_ok=True)

SECRET_KEY = os.environ.get("SECRET_KEY", "demo-only-not-a-secret-0123456789-abcdefghijklmnopqrstuvwxyz")
DEBUG = os.environ.get("DEBUG", "0") == "1"
"""Off, so that a visitor meets the shop's own pages for what goes wrong."""
ALLOWED_HOSTS = os.environ.get("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]").split(",")

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "purchase_intent",
    "demo_shop",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "demo_shop.policy.PolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "purchase_intent.middleware.TrackingMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "demo_shop.context.shop",
            ]
        },
    }
]

ROOT_URLCONF = "demo_shop.urls"
STATIC_URL = "static/"
LOGIN_URL = "sign_in"
LOGIN_REDIRECT_URL = "account"
LOGOUT_REDIRECT_URL = "home"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

DATABASES = {"default": database(os.environ.get("DATABASE_URL", ""), sqlite=VAR / "demo.sqlite3")}

STORAGES = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": VAR / "media"},
    },
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    "purchase_intent": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": VAR / "bundles"},
    },
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework.authentication.SessionAuthentication",
        "rest_framework_simplejwt.authentication.JWTAuthentication",
    ],
}
"""How the shop's people sign in to the API: with the admin's session, or with a token from `api/token/`."""

USE_TZ = True
TIME_ZONE = "Europe/Berlin"
LANGUAGE_CODE = "en-us"

PURCHASE_INTENT: dict[str, object] = {
    "TIME_ZONE": TIME_ZONE,
    "SHOP": "demo_shop.intent.TidewellShop",
    # A file beside it is no help to a database that is a file itself.
    "STREAM": os.environ.get("STREAM_URL", ""),
    "SPOOL": str(VAR / "spool") if os.environ.get("DATABASE_URL") else "",
}

LOGGING = {"version": 1, "incremental": True, "loggers": {"django.server": {"level": "WARNING"}}}
"""Django's own server prints what went wrong; what went well would push the demo's links out of sight."""

REDIS_URL = os.environ.get("REDIS_URL", "")
"""Empty: no broker, tasks run in the process that sends them, and each process has a cache of its own."""
if REDIS_URL:
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}
    CELERY_BROKER_URL = CELERY_RESULT_BACKEND = REDIS_URL
    # Longer than any task that is acknowledged late: one still at work is not delivered to another worker.
    CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 4 * 3600}
    CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_ALWAYS_EAGER = not REDIS_URL
CELERY_TASK_EAGER_PROPAGATES = True
CELERY_TIMEZONE = TIME_ZONE
CELERY_BEAT_SCHEDULE = BEAT_SCHEDULE
CELERY_RESULT_EXPIRES = 24 * 3600
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
"""A child takes one task at a time: a long one holds up none that it has not begun."""
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR / "celerybeat-schedule")
