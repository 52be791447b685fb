"""The demo shop's Celery: `celery --app demo_shop worker` and `celery --app demo_shop beat`."""

from __future__ import annotations

import os

from celery import Celery

__all__ = ["app"]

# Before anything loads a learner: with threads of its own one hangs in a worker's child.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "demo_shop.settings")

app = Celery("demo_shop")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
