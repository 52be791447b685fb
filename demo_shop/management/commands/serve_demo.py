"""`manage.py serve_demo`: the demo on this machine, with its address, its logins and what to look at."""

from __future__ import annotations

import os
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from demo_shop.preparing import ACCOUNTS, admin_password_stands
from demo_shop.rounds import Rounds
from demo_shop.serving import HOST, PortsTaken, first_free_port, links, load_champion


class Command(BaseCommand):
    help = "Serve the demo on 127.0.0.1, at the first free port, until Ctrl-C."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8000, help="the first port to try; default 8000")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            port = first_free_port(options["port"])
        except PortsTaken as taken:
            raise CommandError(str(taken)) from None
        load_champion()
        self._tell(f"http://{HOST}:{port}")
        os.environ.setdefault("DJANGO_RUNSERVER_HIDE_WARNING", "true")  # the text above says that it is this machine's
        rounds = Rounds()
        if not settings.REDIS_URL:  # with a broker, beat and a worker do it
            rounds.start()
        try:
            call_command("runserver", f"{HOST}:{port}", use_reloader=False, insecure_serving=True, verbosity=0)
        finally:
            if rounds.is_alive():
                rounds.end()

    def _tell(self, root: str) -> None:
        admin, customer = ACCOUNTS
        password = admin.password if admin_password_stands() else "as you changed it"
        self.stdout.write(self.style.SUCCESS(f"\nThe demo is at {root}/ (Ctrl-C ends it)\n"))
        self.stdout.write(f"  admin      {admin.username}, password {password}: {root}/admin/")
        self.stdout.write(
            f"  customer   {customer.username}, password {customer.password}\n\nSeven pages to look at:\n"
        )
        for words, path in links():
            self.stdout.write(f"  {words:36} {root}{path}")
        self.stdout.write(
            "\nSay yes to the shop's question about privacy, or nothing is recorded. Signed in as admin, the shop "
            "shows your score at the bottom of each page.\n"
        )
        self.stdout.flush()
