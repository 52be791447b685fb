"""The demo shop's settings stand on their own: its command line starts, its admin answers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from django.test import Client

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.django_db
def test_the_admin_asks_who_is_there(client: Client) -> None:
    response = client.get("/admin/", follow=True)
    assert (response.status_code, response.redirect_chain) == (200, [("/admin/login/?next=/admin/", 302)])


def test_the_command_line_starts_without_a_warning() -> None:
    command = [sys.executable, "-W", "error", "manage.py", "check", "--fail-level", "WARNING"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, done.stdout) == (0, "System check identified no issues (0 silenced).\n"), done.stderr
