"""List who was recognised, and take a merge back."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from purchase_intent.management.endings import clear_ending
from purchase_intent.management.progress import Steps
from purchase_intent.management.who import at_the_command_line
from purchase_intent.models import Merge


class Command(BaseCommand):
    """`intent_merges [--customer KEY] [--undo NUMBER]`."""

    help = "List the latest merges of anonymous visitors with customers, or take one back."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--customer", default="", help="only this customer's, by the shop's own key")
        parser.add_argument("--undo", type=int, metavar="NUMBER", help="take this one back")

    def handle(self, *args: Any, **options: Any) -> None:
        from purchase_intent.tracking.unjoining import undo

        with clear_ending(Steps(self.stdout)):
            if options["undo"] is not None:
                merge = undo(options["undo"], now=timezone.now(), who=at_the_command_line("intent_merges"))
                said = f"Merge {merge.pk} is undone: what came before is visitor {merge.anonymous_id} again."
                self.stdout.write(self.style.SUCCESS(said))
                return
            self._list(options["customer"])

    def _list(self, customer: str) -> None:
        found = Merge.objects.filter(customer=customer) if customer else Merge.objects.all()
        for merge in found.order_by("-happened_at", "-pk")[:50]:
            was = f"visitor {merge.anonymous_id}" if merge.anonymous_id else "itself"
            state = f", undone {timezone.localtime(merge.undone_at):%Y-%m-%d}" if merge.undone_at else ""
            moment = timezone.localtime(merge.happened_at)
            self.stdout.write(
                f"{merge.pk:>8}  {moment:%Y-%m-%d %H:%M}  customer {merge.customer}: "
                f"visitor {merge.visitor_id}, was {was}{state}"
            )
        if not found.exists():
            self.stdout.write("No merges.")
