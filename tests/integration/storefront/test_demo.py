"""What `make demo` runs: a history up to now, everything prepared once, and a free port with pages to look at."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from threading import Semaphore
from urllib.request import urlopen

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import DatabaseError
from django.test import Client
from pytest_django import Settings

from demo_shop import history
from demo_shop.exposures import browser_on
from demo_shop.history import last_midnight, write_history
from demo_shop.models import Product
from demo_shop.preparing import ACCOUNTS, admin_password_stands
from demo_shop.rounds import SEGMENTS, Rounds, go_round
from demo_shop.serving import HOST, PortsTaken, first_free_port, links, load_champion
from demo_shop.trials import RUNNING_DAYS
from purchase_intent.models import (
    Event,
    ExperimentLook,
    Horizon,
    ModelVersion,
    Outcome,
    Score,
    Session,
    Stage,
    Visitor,
    WatchReport,
)
from purchase_intent.scoring import serving
from purchase_intent.segments.presets import install
from tests.trained import Trained, register

ROOT = Path(__file__).resolve().parents[3]
BERLIN = "Europe/Berlin"
NOW = datetime(2026, 5, 4, 13, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "days_ago", "midnight"),
    [
        pytest.param(NOW, 0, datetime(2026, 5, 3, 22, tzinfo=UTC), id="today"),
        pytest.param(NOW, 7, datetime(2026, 4, 26, 22, tzinfo=UTC), id="a week ago"),
        pytest.param(
            datetime(2026, 3, 31, 12, tzinfo=UTC), 7, datetime(2026, 3, 23, 23, tzinfo=UTC), id="clocks changed"
        ),
    ],
)  # fmt: skip
def test_midnight_is_the_shops_own(now: datetime, days_ago: int, midnight: datetime) -> None:
    assert last_midnight(now, BERLIN, days_ago=days_ago) == midnight


def test_simulated_visitors_have_browsers_of_their_devices() -> None:
    units = [str(number) for number in range(2_000)]
    assert {browser_on("tablet", unit=unit) for unit in units} == {"Safari", "Chrome"}
    desktops = [browser_on("desktop", unit=unit) for unit in units]
    assert desktops == [browser_on("desktop", unit=unit) for unit in units]
    assert 0.55 < desktops.count("Chrome") / len(units) < 0.65
    assert {browser_on("mobile", unit=unit) for unit in units} == {"Chrome", "Safari", "Samsung Internet", "Firefox"}


def test_the_history_ends_now(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pandas as pd

    monkeypatch.setattr(history, "DAYS", 3)
    monkeypatch.setattr(history, "SESSIONS_PER_DAY", 60)
    path = tmp_path / "demo" / "history.parquet"
    figures = write_history(path, now=NOW, zone=BERLIN)
    log = pd.read_parquet(path)
    assert log["event_time"].min() >= last_midnight(NOW, BERLIN, days_ago=3)
    assert last_midnight(NOW, BERLIN) < log["event_time"].max() < NOW
    assert 0 < len(log) < figures.events
    assert "file_row_number" not in log
    assert sorted(each.name for each in path.parent.iterdir()) == ["history.parquet", "shown.parquet"]
    shown = pd.read_parquet(path.with_name("shown.parquet"))
    assert set(shown["experiment"]) == {"free-shipping-bar", "vip-offer", "product-layout"}
    assert set(shown["session"]) <= set(log["user_session"])
    assert shown["at"].max() < NOW
    arms = shown[shown["experiment"] == "free-shipping-bar"].drop_duplicates("unit")
    assert set(arms["arm"]) == {"bar", "plain"}


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_everything_is_prepared_once(
    settings: Settings, bundle_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.VAR = tmp_path
    monkeypatch.setattr(history, "SESSIONS_PER_DAY", 80)
    install(now=NOW)  # a test before this one may have emptied the tables
    out = StringIO()
    call_command("prepare_demo", stdout=out)
    assert [line.split("]")[0] for line in out.getvalue().splitlines() if line.startswith("[")] == [
        f"[{number}/10" for number in range(1, 11)
    ]
    champion = ModelVersion.objects.champion(Horizon.SESSION)
    before = counts()
    assert min(before.values()) > 0
    assert Session.objects.filter(score__isnull=False, started_at__gte=champion.trained_until).exists()
    again = StringIO()
    call_command("prepare_demo", stdout=again)
    assert again.getvalue().count("there already") == 8
    assert counts() == before
    assert ExperimentLook.objects.count() == 3 * RUNNING_DAYS
    report = WatchReport.objects.get()
    assert (report.model, report.run) == (champion, None)
    assert report.figures["quality"]["events"] > 0
    assert report.figures["performance"]["live"]["sessions"] > 0
    judged = Score.objects.filter(session__isnull=False).exclude(came_true=None)
    assert judged.filter(came_true=True).exists()
    assert judged.filter(came_true=False).exists()
    assert not judged.exclude(session__stage=Stage.BOUGHT).filter(came_true=True).exists()


def counts() -> dict[str, int]:
    return {
        "products": Product.objects.count(),
        "accounts": User.objects.count(),
        "events": Event.objects.count(),
        "models": ModelVersion.objects.count(),
        "scored": Visitor.objects.filter(score__isnull=False).count(),
    }


@pytest.mark.django_db
def test_the_seven_pages_to_look_at_are_there(admin_client: Client, kettle: Product) -> None:
    assert [admin_client.get(path).status_code for _, path in links()] == [200] * 7


@pytest.mark.django_db
def test_a_changed_password_is_not_printed_as_the_first_one() -> None:
    account = ACCOUNTS[0]
    assert not admin_password_stands()
    user = User.objects.create_superuser(account.username, password=account.password)
    assert admin_password_stands()
    user.set_password("another one")
    user.save()
    assert not admin_password_stands()


def test_a_port_in_use_is_passed_over() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as other:
        other.bind((HOST, 0))
        other.listen()
        taken = other.getsockname()[1]
        assert first_free_port(taken) > taken
        with pytest.raises(PortsTaken, match=f"Ports {taken} to {taken} are all in use"):
            first_free_port(taken, tries=1)


HEEDING = """
import runpy, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.argv = ["manage.py", "serve_demo"]
runpy.run_path("manage.py", run_name="__main__")
"""
"""The server, minding Ctrl-C also where the tests run in the background, which has it ignored."""


@pytest.mark.slow
def test_the_server_tells_where_it_is_and_ends_at_ctrl_c(tmp_path: Path) -> None:
    env = {**os.environ, "DEMO_VAR": str(tmp_path), "DATABASE_URL": "", "PYTHONUNBUFFERED": "1"}
    manage = [sys.executable, "manage.py"]
    subprocess.run([*manage, "migrate", "--verbosity", "0"], cwd=ROOT, env=env, check=True, timeout=300)
    serve = [sys.executable, "-c", HEEDING]
    with subprocess.Popen(serve, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            told = next(found for line in server.stdout if (found := re.search(r"The demo is at (http\S+)", line)))
            ready = next(line for line in server.stdout if line.startswith("Starting development server"))
            assert ready.strip().endswith(told.group(1))
            with urlopen(told.group(1), timeout=300) as answer:  # noqa: S310 (our own address)
                assert answer.status == 200
        finally:
            server.send_signal(signal.SIGINT)
        assert server.wait(timeout=300) == 0


@pytest.mark.slow
def test_the_model_is_ready_before_the_first_page(trained: Trained, db: None, bundle_folder: Path) -> None:
    serving.forget()
    assert load_champion() is False
    register(trained.bundle)
    serving.look_again()
    assert load_champion() is True
    assert serving.champion() is not None


@pytest.mark.django_db
def test_a_round_closes_what_has_ended(kettle: Product) -> None:
    shopper = Client(headers={"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"})
    shopper.cookies["privacy"] = "accepted"
    shopper.get(kettle.get_absolute_url())
    go_round()
    assert Session.objects.get().outcome == Outcome.OPEN
    Session.objects.update(started_at=NOW, last_at=NOW)
    go_round(with_segments=True)
    assert Session.objects.get().outcome == Outcome.LEFT


def test_rounds_go_on_until_they_are_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = Semaphore(0)
    told: list[bool] = []

    def go(*, with_segments: bool) -> None:
        told.append(with_segments)
        gone.release()

    monkeypatch.setattr("demo_shop.rounds.go_round", go)
    rounds = Rounds(every=0.001)
    rounds.start()
    for _ in range(SEGMENTS):
        assert gone.acquire(timeout=30)
    rounds.end()
    assert told[:SEGMENTS] == [*[False] * (SEGMENTS - 1), True]
    assert not rounds.is_alive()


def test_a_round_that_fails_is_logged_and_tried_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise DatabaseError("gone")

    monkeypatch.setattr("demo_shop.rounds.score_sessions", fail)
    go_round()
    assert [record.getMessage() for record in caplog.records if record.name == "demo_shop.rounds"] == [
        "The work beside the pages was not done; it is tried again in 20 s."
    ]
