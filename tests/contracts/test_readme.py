"""The README's own lines, put into a fresh project, connect it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")

SETTINGS = "from django.conf.global_settings"
ADAPTER = "from purchase_intent.adapters"

VIEWS = '''
from django.http import HttpResponse
from django.template import engines

def home(request):
{told}
    page = engines["django"].from_string("""{template}""")
    return HttpResponse("<html><body>" + page.render({{}}, request) + "</body></html>")
'''

URLS = """
from django.urls import path
from shopfront import home
urlpatterns = [path("", home, name="home")]
"""

WALK = """
import os, django
os.environ["DJANGO_SETTINGS_MODULE"] = "host.settings"
django.setup()
from django.test import Client
from purchase_intent.models import Event, Order, Session
from purchase_intent.events import EventName
Client(HTTP_HOST="localhost").get("/")
print(Event.objects.count())
client = Client(HTTP_HOST="localhost")
client.cookies["consent"] = "yes"
print(client.get("/").status_code)
print(*(EventName(name).label for name in Event.objects.in_order().values_list("name", flat=True)))
print(Session.objects.count(), *Order.objects.values_list("number", "revenue"))
"""


def block(first: str) -> str:
    """Return the README's block of code that begins with a line."""
    found = re.search(rf"```(?:python)?\n({re.escape(first)}.*?)```", README, re.DOTALL)
    assert found, f"README has no block that begins with {first!r}"
    return found.group(1)


def run(folder: Path, *command: str) -> str:
    env = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    env |= {"PYTHONPATH": os.pathsep.join([".", str(ROOT)])}
    done = subprocess.run(
        [sys.executable, "-W", "error", *command],
        cwd=folder, env=env, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_the_ten_lines_connect_a_fresh_project(tmp_path: Path) -> None:
    run(tmp_path, "-m", "django", "startproject", "host", str(tmp_path))
    settings = tmp_path / "host" / "settings.py"
    settings.write_text(settings.read_text(encoding="utf-8") + block(SETTINGS), encoding="utf-8")
    (tmp_path / "shop_intent.py").write_text(block(ADAPTER), encoding="utf-8")
    told = "".join(f"    {line}\n" for line in block("from purchase_intent.shortcuts").splitlines())
    views = VIEWS.format(told=told, template=block("{% load purchase_intent %}"))
    (tmp_path / "shopfront.py").write_text(views, encoding="utf-8")
    (tmp_path / "host" / "urls.py").write_text(URLS, encoding="utf-8")

    checked = run(tmp_path, "manage.py", "check", "--fail-level", "WARNING")
    assert "no issues" in checked
    run(tmp_path, "manage.py", "migrate", "--verbosity", "0")
    before, status, names, kept = run(tmp_path, "-c", WALK).splitlines()
    assert (before, status) == ("0", "200")
    assert names == "view cart purchase"
    assert kept == "1 ('R-77', Decimal('39.8000'))"


def test_they_are_ten_lines() -> None:
    code = block(SETTINGS) + block(ADAPTER)
    assert len([line for line in code.splitlines() if line.strip()]) == 10
