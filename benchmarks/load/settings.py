"""The settings of the servers that `bench_load.py` starts: the demo's, with one page of a shop and nothing beside it.

`LOAD_TRACKED`: whether the tracking middleware is listed. `LOAD_CACHE=0`: no answer of a model is remembered.
"""

from __future__ import annotations

import os

from demo_shop.settings import *  # noqa: F403

RATES = ("intent-events", "intent-server", "intent-predict", "intent-batch", "intent-decision", "intent-scores")
"""None of them holds: one sender asks here for all."""

ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "benchmarks.load.urls"
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
if os.environ.get("LOAD_TRACKED") == "1":
    MIDDLEWARE.append("purchase_intent.middleware.TrackingMiddleware")
DATABASES["default"] |= {"CONN_MAX_AGE": None}  # noqa: F405
PURCHASE_INTENT = {
    "TIME_ZONE": "Europe/Berlin",
    "SHOP": "benchmarks.page_of_a_shop.OpenShop",
    "STREAM": os.environ.get("STREAM_URL", ""),
}
REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"] = dict.fromkeys(RATES)  # type: ignore[assignment] # noqa: F405
