from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("purchase_intent", "0004_live_sessions"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="visitor",
            index=models.Index(
                condition=models.Q(("known", True)), fields=["-last_seen", "-id"], name="intent_visitor_known"
            ),
        ),
        migrations.AddIndex(
            model_name="visitor",
            index=models.Index(
                condition=models.Q(("bot", ""), _negated=True),
                fields=["-last_seen", "-id"],
                name="intent_visitor_labelled",
            ),
        ),
    ]
