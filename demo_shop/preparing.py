"""What `prepare_demo` does, step by step; each step knows whether it is done, so that a second run is quick."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import CommandError, OutputWrapper

from demo_shop.exposures import run_experiments
from demo_shop.forecasts import score_history
from demo_shop.history import last_midnight, write_history
from demo_shop.models import Product
from demo_shop.trials import TRIED, VIP
from purchase_intent.conf import config
from purchase_intent.experiments.looking import latest
from purchase_intent.management.progress import Steps
from purchase_intent.models import (
    CatalogueDay,
    Experiment,
    Horizon,
    ModelVersion,
    SegmentReport,
    UpliftVersion,
    Visitor,
    WatchReport,
)

__all__ = ["ACCOUNTS", "Account", "Preparation", "Step", "admin_password_stands"]

UNSEEN_DAYS: Final = 7
"""The model learns from nothing of the last days, so that its scores of them are forecasts."""

_SEED: Final = 7


@dataclass(frozen=True, slots=True)
class Account:
    """A login that the demo makes. Its password is no secret: the demo answers on this machine only."""

    username: str
    password: str
    first_name: str
    staff: bool


ACCOUNTS: Final = (
    Account("admin", "tidewell", "Robin", staff=True),
    Account("ada@example.com", "tidewell", "Ada", staff=False),
)


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do: `done` tells whether it is there already, in words, or returns an empty text."""

    title: str
    done: Callable[[], str]
    act: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Preparation:
    """A demo as of `now`: its history is written into `folder`, what its commands say goes to `out`."""

    folder: Path
    now: datetime
    out: OutputWrapper

    def steps(self) -> tuple[Step, ...]:
        """Return the steps in order; each rests on those before it."""
        return (
            Step("Tables", lambda: "", lambda: self._call("migrate", verbosity=0)),
            Step("Catalogue", _catalogue_there, lambda: self._call("load_catalogue")),
            Step("Accounts", _accounts_there, _make_accounts),
            Step("Simulated history", _history_there, self._load_history),
            Step("Training", _champion_there, self._train),
            Step("Scores", _scores_there, self._score),
            Step("Model health", _report_there, self._watch),
            Step("Segments", _segments_there, lambda: self._call("intent_segments")),
            Step("Experiments", _experiments_there, self._experiment),
            Step("Uplift", _uplift_there, self._learn_uplift),
        )

    def _call(self, name: str, *args: str, **options: object) -> None:
        call_command(name, *args, stdout=self.out, **options)

    def _load_history(self) -> None:
        path = self.folder / "history.parquet"
        if not path.exists():  # a run that was cut short goes on with the log that it began with
            write_history(path, now=self.now, zone=str(config().time_zone))
        self._call("intent_import", "--events", str(path))

    def _train(self) -> None:
        until = last_midnight(self.now, str(config().time_zone), days_ago=UNSEEN_DAYS)
        self._call("intent_train", "--until", until.isoformat(), "--seed", str(_SEED))

    def _score(self) -> None:
        since = ModelVersion.objects.champion(Horizon.SESSION).trained_until
        steps = Steps(self.out)
        kept = score_history(since, progress=steps)
        steps.done()
        self.out.write(f"Kept {kept:,} scores of the sessions that the model has not learnt from.")
        self._call("intent_score", visitors=True)

    def _experiment(self) -> None:
        steps = Steps(self.out)
        run_experiments(self.folder, now=self.now, progress=steps)
        steps.done()
        for experiment in Experiment.objects.filter(key__in=TRIED).order_by("key"):
            look = latest(experiment)
            self.out.write(f"  {experiment.title}: {look.verdict if look is not None else 'no look yet'}")

    def _learn_uplift(self) -> None:
        try:
            self._call("intent_uplift", VIP, seed=_SEED)
        except CommandError as refused:  # this history does not tell who is moved: the desk says so too
            self.out.write(str(refused))

    def _watch(self) -> None:
        # As the night would have it, of the day that is over; a training that it finds due is left on record.
        self._call("intent_watch", no_training=True)


def _catalogue_there() -> str:
    count = Product.objects.count()
    return f"{count:,} products" if count else ""


def _accounts_there() -> str:
    wanted = {account.username for account in ACCOUNTS}
    there = set(User.objects.filter(username__in=wanted).values_list("username", flat=True))
    return ", ".join(sorted(there)) if there == wanted else ""


def _history_there() -> str:
    # The days are counted last, so a history that has them is whole.
    days = CatalogueDay.objects.order_by("day").values_list("day", flat=True)
    first = days.first()
    return f"from {first.day} {first:%B %Y} on" if first else ""


def _champion_there() -> str:
    champion = ModelVersion.objects.of(Horizon.SESSION).champions().first()
    return f"model {champion.pk} serves" if champion is not None else ""


def _scores_there() -> str:
    # The customers are scored last.
    scored = Visitor.objects.filter(score__isnull=False).count()
    return f"{scored:,} visitors" if scored else ""


def _report_there() -> str:
    report = WatchReport.objects.of(Horizon.SESSION).first()
    return f"a report of {report.day.day} {report.day:%B %Y}" if report is not None else ""


def _segments_there() -> str:
    told = SegmentReport.objects.values("segment").distinct().count()
    return f"the members of {told} are told" if told else ""


def _experiments_there() -> str:
    # The looks come last: of an experiment without them the exposures may be missing.
    looked_at = Experiment.objects.filter(key__in=TRIED, looks__isnull=False).distinct().count()
    return f"{looked_at} are running" if looked_at == len(TRIED) else ""


def _uplift_there() -> str:
    return "learnt" if UpliftVersion.objects.filter(experiment__key=VIP).exists() else ""


def _make_accounts() -> None:
    for account in ACCOUNTS:
        if not User.objects.filter(username=account.username).exists():
            User.objects.create_user(
                account.username,
                account.username if "@" in account.username else "",
                account.password,
                first_name=account.first_name,
                is_staff=account.staff,
                is_superuser=account.staff,
            )


def admin_password_stands() -> bool:
    """Whether the admin's login is still the one that the demo made."""
    account = ACCOUNTS[0]
    user = User.objects.filter(username=account.username, is_active=True).first()
    return user is not None and user.check_password(account.password)
