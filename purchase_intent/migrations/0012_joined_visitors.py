from typing import Any

from django.db import migrations, models
from django.db.models import Exists, OuterRef

SIZE = 320
"""Bytes of a packed past when this was written."""


def note_joined(apps: Any, schema_editor: Any) -> None:
    """Those whose past is blank, with no session left to tell it anything: a login took both."""
    alias = schema_editor.connection.alias
    news = apps.get_model("purchase_intent", "Session").objects.using(alias).filter(visitor=OuterRef("pk"))
    visitors = apps.get_model("purchase_intent", "Visitor").objects.using(alias)
    visitors.filter(~Exists(news.filter(has_news=True)), past=bytes(SIZE)).update(joined=True)


class Migration(migrations.Migration):
    dependencies = [
        ("purchase_intent", "0011_customer_models"),
    ]

    operations = [
        migrations.AddField(
            model_name="visitor",
            name="joined",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="Nothing is left of it: what it did has gone over to another visitor at a login.",
                verbose_name="joined",
            ),
        ),
        migrations.RunPython(note_joined, migrations.RunPython.noop, elidable=True),
    ]
