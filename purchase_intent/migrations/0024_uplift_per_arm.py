# Of each treatment of an experiment one model of uplift answers; one that could not be learnt has no learner.

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("purchase_intent", "0023_uplift_versions"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="upliftversion",
            name="intent_one_uplift_per_experiment",
        ),
        migrations.AlterField(
            model_name="upliftversion",
            name="learner",
            field=models.CharField(blank=True, default="", max_length=16, verbose_name="learner"),
        ),
        migrations.AddConstraint(
            model_name="upliftversion",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "serving")),
                fields=("experiment", "treatment"),
                name="intent_one_uplift_per_arm",
            ),
        ),
    ]
