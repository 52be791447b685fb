"""Look after the champion: drift, quality of the events, live performance, and a training where one is due."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from purchase_intent.management.endings import clear_ending
from purchase_intent.management.progress import Steps
from purchase_intent.models import Horizon


class Command(BaseCommand):
    """`intent_watch [--day DAY] [--horizon H] [--again] [--no-training]`."""

    help = "Report on the day that is over: drift, events, live performance; and train where the report says so."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--day", type=date.fromisoformat, help="the day to report on, as 2026-04-06; yesterday")
        parser.add_argument(
            "--horizon",
            choices=Horizon.values,
            help="sessions, or customers; both if left out, once a model serves them",
        )
        parser.add_argument("--again", action="store_true", help="make the report anew where there is one")
        parser.add_argument("--no-training", action="store_true", help="leave a training that is due on record only")

    def handle(self, *args: Any, **options: Any) -> None:
        from purchase_intent.watch.watching import day_over, horizons_watched, watch

        steps, now = Steps(self.stdout), timezone.now()
        if options["day"] is not None and options["day"] > day_over(now):
            raise CommandError(f"--day: {options['day']} is not over yet; give an earlier day")
        for horizon in [options["horizon"]] if options["horizon"] else horizons_watched():
            with clear_ending(steps):
                report = watch(now, horizon=horizon, day=options["day"], again=options["again"], progress=steps)
            self.stdout.write(f"{report.day}, {report.get_horizon_display()}: {report.get_health_display()}.")
            for sentence in report.said:
                self.stdout.write(f"- {sentence}")
            if report.run is not None and report.made_at == now and not options["no_training"]:
                self._train(report.horizon, report.run.pk)

    def _train(self, horizon: str, run: int) -> None:
        from purchase_intent.training.alone import train_in_fresh_process

        steps = Steps(self.stdout)
        with clear_ending(steps):
            steps("training, in a process of its own")
            self.stdout.write(self.style.SUCCESS(train_in_fresh_process(horizon, run=run)))
