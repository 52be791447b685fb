# The segments that a visit belonged to when it was first shown an arm; not known of the exposures that are there.

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("purchase_intent", "0024_uplift_per_arm"),
    ]

    operations = [
        migrations.AddField(
            model_name="exposure",
            name="segments",
            field=models.TextField(
                blank=True, help_text="Keys of their rows, each between commas.", null=True, verbose_name="segments"
            ),
        ),
    ]
