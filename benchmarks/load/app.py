"""Django for Granian's workers, under `benchmarks.load.settings`."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

__all__ = ["application"]

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.load.settings")
application = get_wsgi_application()
if os.environ.get("LOAD_CACHE") == "0":
    from purchase_intent.scoring import remembered
    from purchase_intent.tracking.sinks import answering

    remembered.MOST = 0  # type: ignore[misc]
    answering.champion = lambda _horizon="session": None  # type: ignore[attr-defined,assignment]
