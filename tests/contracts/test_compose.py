"""The compose file is valid, starts what is there, and is heard by this machine alone."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any

import pytest
from compose_spec import PyOptions
from django.core.management import get_commands

from demo_shop.database import database
from purchase_intent.tracking.sinks.wire import MOST_BYTES

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")
COMPOSE = PyOptions(apply_merge=True).from_yaml(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE.to_dict()["services"]
OURS = ("beat", "drain", "prepare", "web", "worker")


def test_it_is_valid_and_names_no_volume_that_is_not_declared() -> None:
    COMPOSE.validate()
    assert sorted(SERVICES) == sorted((*OURS, "postgres", "redis", "stream"))


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_port_is_open_to_this_machine_alone(name: str) -> None:
    ports = [str(port) for port in SERVICES[name].get("ports", [])]
    assert ports == (["127.0.0.1:8000:8000"] if name == "web" else [])


@pytest.mark.parametrize("name", sorted(set(SERVICES) - {"prepare"}))
def test_what_stays_up_is_watched_and_started_again(name: str) -> None:
    assert SERVICES[name]["restart"] == "unless-stopped"
    assert SERVICES[name]["healthcheck"]["test"]


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_service_waits_for_services_that_are_there_and_tell(name: str) -> None:
    for other, wanted in SERVICES[name].get("depends_on", {}).items():
        healthy = "healthcheck" in SERVICES[other]
        assert wanted["condition"] == ("service_healthy" if healthy else "service_completed_successfully")


@pytest.mark.parametrize("name", OURS)
def test_its_command_leads_to_code_that_is_there(name: str) -> None:
    words = " ".join(SERVICES[name]["command"])
    for command in re.findall(r"manage\.py (\w+)", words):
        assert command in get_commands()
    for module, attribute in re.findall(r"([\w.]+):(\w+)$", words):
        assert callable(getattr(importlib.import_module(module), attribute))
    for module in re.findall(r"--app (\w+)", words):
        assert importlib.import_module(f"{module}.celery").app.main == module
    assert re.search(r"manage\.py|--app|:application", words)


@pytest.mark.parametrize("name", OURS)
def test_its_environment_is_what_the_settings_read(name: str) -> None:
    given = SERVICES[name]["environment"]
    importlib.import_module(given["DJANGO_SETTINGS_MODULE"])
    assert given["OMP_NUM_THREADS"] == "1"
    settings = (ROOT / "demo_shop" / "settings.py").read_text(encoding="utf-8")
    for variable in set(given) - {"DJANGO_SETTINGS_MODULE", "OMP_NUM_THREADS"}:
        assert f'os.environ.get("{variable}"' in settings
    assert database(given["DATABASE_URL"].split("${")[0] + "x@postgres:5432/shop", sqlite=Path())["HOST"] == "postgres"


def test_events_have_a_server_of_their_own_that_keeps_what_it_has_accepted() -> None:
    words = SERVICES["stream"]["command"]
    given = dict(zip(words[1::2], words[2::2], strict=True))
    assert (given["--appendonly"], given["--appendfsync"]) == ("yes", "always")
    assert given["--maxmemory-policy"] == "noeviction"
    assert int(given["--maxmemory"].removesuffix("mb")) * 2**20 > MOST_BYTES
    assert SERVICES["stream"]["volumes"] == ["stream:/data"]
    assert "volumes" not in SERVICES["redis"]
    assert SERVICES["web"]["environment"]["STREAM_URL"] == "redis://stream:6379/0"
    assert {name for name in SERVICES if "stream" in SERVICES[name].get("depends_on", {})} == {"drain", "web"}


def test_no_secret_is_written_down() -> None:
    secrets = re.findall(r"(?:SECRET_KEY|POSTGRES_PASSWORD): (.+)", TEXT)
    assert len(secrets) == 2
    assert all(re.fullmatch(r"\$\{\w+:\?[^}]+\}", secret) for secret in secrets)
    assert SERVICES["web"]["environment"]["DATABASE_URL"].startswith("postgresql://shop:${POSTGRES_PASSWORD:?")


def test_the_image_copies_what_is_there_and_does_not_run_as_root() -> None:
    sources = [name for line in re.findall(r"^COPY (.+) \S+$", DOCKERFILE, re.MULTILINE) for name in line.split()]
    assert [name for name in sources if not (ROOT / name).exists()] == []
    assert {"purchase_intent", "demo_shop", "manage.py", "constraints.txt"} <= set(sources)
    assert re.search(r"^USER shop$", DOCKERFILE, re.MULTILINE)
