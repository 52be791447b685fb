# Experiments, arms and metrics are read and written by managers that refuse what must stand.

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("purchase_intent", "0025_segments_at_exposure"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="experiment",
            options={
                "base_manager_name": "objects",
                "ordering": ("-created_at", "-pk"),
                "verbose_name": "experiment",
                "verbose_name_plural": "experiments",
            },
        ),
        migrations.AlterModelOptions(
            name="experimentarm",
            options={
                "base_manager_name": "objects",
                "ordering": ("experiment", "place"),
                "verbose_name": "arm",
                "verbose_name_plural": "arms",
            },
        ),
        migrations.AlterModelOptions(
            name="experimentmetric",
            options={
                "base_manager_name": "objects",
                "ordering": ("experiment", "pk"),
                "verbose_name": "metric",
                "verbose_name_plural": "metrics",
            },
        ),
    ]
