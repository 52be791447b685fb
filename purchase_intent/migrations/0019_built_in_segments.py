"""The segments that come with the app, made once: from then on they are the shop's own to edit."""

from __future__ import annotations

from typing import Any

from django.db import migrations
from django.utils import timezone

from purchase_intent.segments.presets import install


def make(apps: Any, schema_editor: Any) -> None:  # noqa: ARG001 (the signature is Django's)
    segments, versions = (apps.get_model("purchase_intent", name) for name in ("Segment", "SegmentVersion"))
    install(now=timezone.now(), segments=segments, versions=versions)


class Migration(migrations.Migration):
    dependencies = [("purchase_intent", "0018_segments")]
    operations = [migrations.RunPython(make, migrations.RunPython.noop)]
