import django.db.models.deletion
from django.db import migrations, models

from purchase_intent.models.operations import LeaveRoom


class Migration(migrations.Migration):
    dependencies = [
        ("purchase_intent", "0015_dead_letters"),
    ]

    operations = [
        migrations.AlterField(
            model_name="score",
            name="model",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="scores",
                to="purchase_intent.modelversion",
                verbose_name="model version",
            ),
        ),
        migrations.AlterField(
            model_name="score",
            name="session",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="scores",
                to="purchase_intent.session",
                verbose_name="session",
            ),
        ),
        migrations.AlterField(
            model_name="score",
            name="visitor",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="scores",
                to="purchase_intent.visitor",
                verbose_name="visitor",
            ),
        ),
        migrations.AlterField(
            model_name="session",
            name="model",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
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
                condition=models.Q(("came_true", None), ("visitor__isnull", False)),
                fields=["model", "moment", "id"],
                name="intent_score_awaited",
            ),
        ),
        LeaveRoom("session", 50, before=70),
    ]
