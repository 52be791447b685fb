"""A PostgreSQL server that tests may stop and start: one a run, whichever database the run is on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.management import call_command
from pytest_django import DjangoDbBlocker

from purchase_intent.models import DeadLetter, Visitor
from tests.postgres import Server, instead, running_server


@pytest.fixture(scope="session")
def spare_server(django_db_blocker: DjangoDbBlocker) -> Iterator[Server]:
    """That server, with our tables."""
    with running_server() as running:
        with django_db_blocker.unblock(), instead(running.url):
            call_command("migrate", verbosity=0)
        yield running


@pytest.fixture
def server(spare_server: Server, django_db_blocker: DjangoDbBlocker) -> Iterator[Server]:
    """That server, running and without rows, in the place of the run's database."""
    spare_server.start()
    with django_db_blocker.unblock(), instead(spare_server.url):
        Visitor.objects.all().delete()
        DeadLetter.objects.all().delete()
        yield spare_server
