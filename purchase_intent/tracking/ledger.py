"""What the ledger keeps of a login: nothing of one that joins nothing."""

from __future__ import annotations

from collections.abc import Sequence

from purchase_intent.events import EventName
from purchase_intent.models import Merge, Session
from purchase_intent.models.event import EventRow
from purchase_intent.tracking.cast import Cast
from purchase_intent.tracking.place import Sender

__all__ = ["note_merge"]


def note_merge(sender: Sender, cast: Cast, session: Session, rows: Sequence[EventRow], *, began: bool) -> None:
    """Put on record that an anonymous visitor's past goes to a customer, where it had one."""
    is_one = cast.before.pk == cast.after.pk
    login = next((row for row in rows if row.name == EventName.LOGIN.value), None)
    is_first = login is rows[0] and began and cast.before.pk in cast.new
    if login is None or is_first or not (is_one or cast.joins):
        return
    Merge.objects.create(
        site=sender.site,
        customer=sender.customer,
        visitor=cast.after,
        anonymous=None if is_one else cast.before,
        session=session,
        happened_at=login.occurred_at,
        sequence=login.sequence,
    )
