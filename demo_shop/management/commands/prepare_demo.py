"""`manage.py prepare_demo`: everything that the demo needs before its server starts."""

from __future__ import annotations

from time import monotonic
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import timezone

from demo_shop.preparing import Preparation


class Command(BaseCommand):
    help = "Make tables, catalogue, accounts, a simulated history, a model and its scores. What is there is kept."

    def handle(self, *args: Any, **options: Any) -> None:
        steps = Preparation(settings.VAR / "demo", timezone.now(), self.stdout).steps()
        for number, step in enumerate(steps, start=1):
            title = self.style.MIGRATE_HEADING(f"[{number}/{len(steps)}] {step.title}")
            there = step.done()
            if there:
                self.stdout.write(f"{title}: there already, {there}")
                continue
            self.stdout.write(title)
            began = monotonic()
            step.act()
            self.stdout.write(f"      done in {monotonic() - began:.0f} s")
