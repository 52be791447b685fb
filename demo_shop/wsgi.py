"""The demo shop for a WSGI server, such as the one of deploy/Dockerfile."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

__all__ = ["application"]

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "demo_shop.settings")

application = get_wsgi_application()
