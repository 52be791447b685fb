import django.db.models.deletion
from django.db import migrations, models

from purchase_intent.models.operations import LeaveRoom


class Migration(migrations.Migration):
    dependencies = [
        ("purchase_intent", "0008_page_functions"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="score",
            name="intent_score_waiting",
        ),
        migrations.AlterField(
            model_name="session",
            name="model",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="purchase_intent.modelversion",
                verbose_name="model version",
            ),
        ),
        migrations.AddIndex(
            model_name="score",
            index=models.Index(
                condition=models.Q(("came_true", None), ("session__isnull", False)),
                fields=["moment", "id"],
                name="intent_score_waiting",
            ),
        ),
        LeaveRoom("session", 70),
    ]
