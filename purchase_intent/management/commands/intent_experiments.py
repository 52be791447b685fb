"""Look at experiments from the command line: list them, take the daily look or one in between, replay, and decide."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from purchase_intent.management.endings import clear_ending
from purchase_intent.management.progress import Steps
from purchase_intent.management.who import at_the_command_line
from purchase_intent.models import Experiment, ExperimentLook


class Command(BaseCommand):
    """`intent_experiments [list | daily | analyse KEY | verdict KEY | replay KEY | start, ramp, stop KEY]`."""

    help = "List experiments, look at them, replay their looks, and start, ramp or stop one."

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_subparsers(dest="what", metavar="WHAT")
        what.add_parser("list", help="every experiment with its latest verdict; the same without WHAT")
        what.add_parser("daily", help="the daily look at each, as the task analyse_experiments takes it")
        for name, words in _WORDS.items():
            each = what.add_parser(name, help=words)
            each.add_argument("key", metavar="KEY")
            if name == "ramp":
                each.add_argument("traffic", type=float, metavar="SHARE", help="of all visitors, 0 to 1")
            if name == "stop":
                each.add_argument(
                    "--ship", default="", metavar="ARM", help="shown to everybody; the control if left out"
                )
                each.add_argument("--why", default="", help="for the record")

    def handle(self, *args: Any, **options: Any) -> None:
        doings: dict[str, Callable[[Any], None]] = {
            "analyse": self._analyse,
            "verdict": self._verdict,
            "replay": self._replay,
            "start": self._start,
            "ramp": self._ramp,
            "stop": self._stop,
        }
        with clear_ending(Steps(self.stdout)):
            if options["what"] in (None, "list"):
                self._list()
            elif options["what"] == "daily":
                self._daily()
            else:
                doings[options["what"]](options)

    def _list(self) -> None:
        found = Experiment.objects.prefetch_related("arms")
        for each in found:
            look = each.looks.daily().last()
            said = _said(look) if look is not None else "no look yet"
            self.stdout.write(f"{each.key:32} {each.get_state_display():9} {each.traffic:>6.0%}  {said}")
        if not found:
            self.stdout.write("No experiments.")

    def _daily(self) -> None:
        from purchase_intent.experiments.looking import analyse_all

        for key, verdict in analyse_all(timezone.now()).items():
            self.stdout.write(f"{key:32} {verdict}")

    def _analyse(self, options: Any) -> None:
        from purchase_intent.experiments.looking import look_now

        who = at_the_command_line("intent_experiments")
        self._say(look_now(_named(options["key"]), who=who, now=timezone.now()))
        self.stdout.write(
            "This look is on record. It was not planned: what it says holds all the same, but asks for more."
        )

    def _verdict(self, options: Any) -> None:
        look = _latest(_named(options["key"]))
        self._say(look)

    def _replay(self, options: Any) -> None:
        from purchase_intent.experiments.looking import broken_looks, replay_look

        experiment = _named(options["key"])
        if broken := broken_looks(experiment):
            days = ", ".join(str(look.day) for look in broken)
            raise CommandError(f"The record of {experiment.key} is broken at {days}: a look was changed or taken out.")
        count = 0
        for look in experiment.looks.order_by("pk").iterator():
            replay_look(look)
            count += 1
        self.stdout.write(self.style.SUCCESS(f"{count} looks of {experiment.key} replayed, each to the same verdict."))

    def _start(self, options: Any) -> None:
        from purchase_intent.experiments.editing import start_experiment
        from purchase_intent.experiments.planning import planned

        experiment = _named(options["key"])
        start_experiment(experiment, who=at_the_command_line("intent_experiments"), now=timezone.now())
        found = planned(experiment)
        ends = f", until about {found.ends}" if found.ends is not None else ""
        self.stdout.write(self.style.SUCCESS(f"{experiment.key} runs: {found.plan.units:,} visitors planned{ends}."))

    def _ramp(self, options: Any) -> None:
        from purchase_intent.experiments.editing import ramp_experiment

        experiment = _named(options["key"])
        who = at_the_command_line("intent_experiments")
        ramp_experiment(experiment, options["traffic"], who=who, now=timezone.now())
        self.stdout.write(self.style.SUCCESS(f"{experiment.key} takes in {experiment.traffic:.0%} of the visitors."))

    def _stop(self, options: Any) -> None:
        from purchase_intent.experiments.editing import stop_experiment

        experiment = _named(options["key"])
        who = at_the_command_line("intent_experiments")
        stop_experiment(experiment, shipped=options["ship"], who=who, now=timezone.now(), why=options["why"])
        shown = experiment.shipped or experiment.control
        self.stdout.write(self.style.SUCCESS(f"{experiment.key} is stopped: everybody is shown {shown}."))

    def _say(self, look: ExperimentLook) -> None:
        result = look.result
        self.stdout.write(f"{look.verdict}, as of {timezone.localtime(look.at):%Y-%m-%d %H:%M}")
        for words in (*result["reasons"], *result["missing"]):
            self.stdout.write(f"  {words}")
        if result["expected"]:
            self.stdout.write(f"  Expected by {result['expected']}.")


_WORDS = {
    "analyse": "look at one now; the look is on record and counts as no planned one",
    "verdict": "what the latest daily look said",
    "replay": "conclude every look again from its stored inputs",
    "start": "let a draft take visitors in",
    "ramp": "raise the share of visitors that it takes in",
    "stop": "end it, for good",
}


def _named(key: str) -> Experiment:
    found: Experiment | None = Experiment.objects.filter(key=key).first()
    if found is None:
        there = ", ".join(Experiment.objects.order_by("key").values_list("key", flat=True)) or "none"
        raise CommandError(f"No experiment has the key {key}. There are: {there}.")
    return found


def _said(look: ExperimentLook) -> str:
    stands = look.result.get("stands")
    since = f"{stands['verdict']} since {stands['day']}, " if stands else ""
    return f"{since}{look.verdict}, {look.day}, {look.share:.0%} of the visitors"


def _latest(experiment: Experiment) -> ExperimentLook:
    from purchase_intent.experiments.looking import latest

    look = latest(experiment)
    if look is None:
        raise CommandError(f"Nobody has looked at {experiment.key} yet: the daily task does, or analyse.")
    return look
