"""Learn who buys because of the treatment of an experiment, and register the model."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from purchase_intent.management.endings import clear_ending
from purchase_intent.management.progress import Steps
from purchase_intent.models import Experiment, UpliftStatus


class Command(BaseCommand):
    """`intent_uplift KEY [--margin N] [--cost N] [--contact N] [--seed N] [--force] [--card]`."""

    help = "Learn who buys because of the treatment of an experiment with two arms, and say how well that is known."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("key", help="the experiment's key; it has begun, or is stopped")
        parser.add_argument("--margin", type=float, help="what an order earns before the treatment, in your currency")
        parser.add_argument("--cost", type=float, help="what the treatment gives away with an order; with --margin")
        parser.add_argument("--contact", type=float, help="what it costs to show it to a visitor; with --margin")
        parser.add_argument("--seed", type=int, default=0, help="the same seed and events give the same model")
        parser.add_argument("--force", action="store_true", help="let it serve even where it is no better than chance")
        parser.add_argument("--card", action="store_true", help="only print the card of the model that serves")

    def handle(self, *args: Any, **options: Any) -> None:
        from purchase_intent.experiments.uplift.words import card_lines

        steps = Steps(self.stdout)
        with clear_ending(steps):
            Experiment.objects.exists()  # a database without tables is found out before the work
            version = self._serving(options["key"]) if options["card"] else self._learnt(options, steps)
        lines = list(card_lines(version))
        for line in lines:
            self.stdout.write(f"  {line}")
        if version.status == UpliftStatus.REFUSED:
            raise CommandError(version.verdict)
        self.stdout.write(self.style.SUCCESS(f"Uplift model {version.pk}: {version.verdict}"))

    def _learnt(self, options: dict[str, Any], steps: Steps) -> Any:
        from purchase_intent.experiments.uplift.training import learn

        return learn(
            options["key"],
            seed=options["seed"],
            money=self._money(options),
            force=options["force"],
            now=timezone.now(),
            progress=steps,
        )

    def _money(self, options: dict[str, Any]) -> Any:
        from purchase_intent.learning.uplift import Money

        if options["margin"] is None:
            if options["cost"] is not None or options["contact"] is not None:
                raise CommandError("--cost and --contact go with --margin: give what an order earns.")
            return None
        return Money(margin=options["margin"], cost=options["cost"] or 0.0, contact=options["contact"] or 0.0)

    def _serving(self, key: str) -> Any:
        version = Experiment.objects.filter(key=key).first()
        found = version and version.uplift_versions.serving().first()
        if not found:
            raise CommandError(f"No uplift model serves {key}: learn one with intent_uplift {key}.")
        return found
