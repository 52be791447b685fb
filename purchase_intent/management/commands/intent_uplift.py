"""Learn who buys because of a treatment of an experiment, and register the model."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from purchase_intent.exceptions import ExperimentRefused, IntentError
from purchase_intent.management.endings import clear_ending
from purchase_intent.management.held import held
from purchase_intent.management.progress import Steps
from purchase_intent.models import Experiment, UpliftStatus, UpliftVersion


class Command(BaseCommand):
    """`intent_uplift KEY [--arm ARM] [--margin N] [--cost N] [--contact N] [--seed N] [--force] [--scheduled]`.

    `intent_uplift KEY --card` prints what is known; `intent_uplift --due` learns of each experiment that is due.
    """

    help = "Learn who buys because of each treatment of an experiment, and say how well that is known."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("key", nargs="?", default="", help="the experiment's key; it has begun, or is stopped")
        parser.add_argument("--due", action="store_true", help="all that ask to be learnt each week and are due")
        parser.add_argument("--arm", default="", help="one treatment of several; all of them unless told")
        parser.add_argument("--margin", type=float, help="what an order earns before the treatment, in your currency")
        parser.add_argument("--cost", type=float, help="what the treatment gives away with an order; with --margin")
        parser.add_argument("--contact", type=float, help="what it costs to show it to a visitor; with --margin")
        parser.add_argument("--seed", type=int, default=0, help="the same seed and events give the same model")
        parser.add_argument("--force", action="store_true", help="let it serve even where it is no better than chance")
        parser.add_argument(
            "--scheduled",
            action="store_true",
            help="as each week: with the costs of the model that serves, not beside a training, a refusal is kept",
        )
        parser.add_argument("--card", action="store_true", help="only print the cards of the models that serve")

    def handle(self, *args: Any, **options: Any) -> None:
        steps = Steps(self.stdout)
        if bool(options["key"]) == options["due"]:
            raise CommandError("Name an experiment by its key, or give --due.")
        with clear_ending(steps):
            Experiment.objects.exists()  # a database without tables is found out before the work
            if options["due"]:
                self._learn_due(options, steps)
            elif options["card"]:
                self._show(options["key"], options)
            else:
                self._learn_all(options["key"], options, steps)

    def _learn_due(self, options: dict[str, Any], steps: Steps) -> None:
        """Learn of each that is due; what is refused is kept, and stops none of the others."""
        from purchase_intent.experiments.uplift.relearning import due_experiments, has_enough

        found = due_experiments(timezone.now())
        for each in found:
            if not has_enough(each, now=timezone.now()):
                self.stdout.write(f"{each.key}: too little to learn from yet.")
                continue
            try:
                self._learn_all(each.key, options | {"scheduled": True}, steps)
            except CommandError as refused:
                self.stdout.write(f"{each.key}: {refused}")
        self.stdout.write(self.style.SUCCESS(f"{len(found)} experiments were due."))

    def _learn_all(self, key: str, options: dict[str, Any], steps: Steps) -> None:
        """Learn of each treatment, and print its card; refusals are told once all are done."""
        refused: list[str] = []
        with held(options["scheduled"]):
            for arm in self._arms(key, options):
                try:
                    self._tell(self._learnt(key, arm, options, steps), refused)
                except IntentError as error:
                    refused.append(error.message)
        if refused:
            raise CommandError("; ".join(dict.fromkeys(refused)))

    def _tell(self, version: UpliftVersion, refused: list[str]) -> None:
        from purchase_intent.experiments.uplift.words import card_lines

        for line in card_lines(version):
            self.stdout.write(f"  {line}")
        if version.status == UpliftStatus.REFUSED:
            refused.append(version.verdict)
        else:
            self.stdout.write(self.style.SUCCESS(f"Uplift model {version.pk}: {version.verdict}"))

    def _show(self, key: str, options: dict[str, Any]) -> None:
        """The cards of the models that serve."""
        serving = UpliftVersion.objects.serving().filter(experiment__key=key, treatment__in=self._arms(key, options))
        found = list(serving.select_related("experiment").order_by("pk"))
        for version in found:
            self._tell(version, [])
        if not found:
            raise CommandError(f"No uplift model serves {key}: learn one with intent_uplift {key}.")

    def _arms(self, key: str, options: dict[str, Any]) -> tuple[str, ...]:
        """The treatments to learn of."""
        experiment = Experiment.objects.prefetch_related("arms").filter(key=key).first()
        if experiment is None:
            raise ExperimentRefused(field="key", reason="unknown", remedy=f"there is no experiment {key}: see the desk")
        arm, treatments = options["arm"], experiment.treatments
        if arm and arm not in treatments:
            remedy = f"“{arm}” is none of its treatments: {', '.join(treatments)}"
            raise ExperimentRefused(field="arm", reason="arm", remedy=remedy)
        return (arm,) if arm else treatments

    def _learnt(self, key: str, arm: str, options: dict[str, Any], steps: Steps) -> UpliftVersion:
        from purchase_intent.experiments.uplift.relearning import relearn
        from purchase_intent.experiments.uplift.training import learn

        how = {"seed": options["seed"], "force": options["force"], "now": timezone.now(), "progress": steps}
        if options["scheduled"]:
            return relearn(Experiment.objects.prefetch_related("arms").get(key=key), arm, **how)
        return learn(key, treatment=arm, money=self._money(options), **how)

    def _money(self, options: dict[str, Any]) -> Any:
        from purchase_intent.learning.uplift import Money

        if options["margin"] is None:
            if options["cost"] is not None or options["contact"] is not None:
                raise CommandError("--cost and --contact go with --margin: give what an order earns.")
            return None
        return Money(margin=options["margin"], cost=options["cost"] or 0.0, contact=options["contact"] or 0.0)
