"""The sender's clock, corrected: how long before the sending an event happened is believed, the clock itself is not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from purchase_intent.events.reasons import Reason
from purchase_intent.exceptions import BatchRefused, EventRefused

__all__ = ["AHEAD", "OLDEST", "ClientClock"]

AHEAD: Final = timedelta(minutes=5)
"""By how much an event may lie after its own sending: a clock is set while a page is open."""
OLDEST: Final = timedelta(days=7)
"""For how long a sender may keep an event back."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_MOST: Final = 2**53


@dataclass(frozen=True, slots=True)
class ClientClock:
    """`sent` is what the sender's clock said when it sent, `received` what ours said (milliseconds since 1970 UTC)."""

    sent: int
    received: int

    @classmethod
    def of(cls, sent_at: object, now: datetime) -> ClientClock:
        """The clock of a batch; one that does not say when it was sent is taken to be right. Raises BatchRefused."""
        received = (now - _EPOCH) // _MILLISECOND
        if sent_at is None:
            return cls(received, received)
        try:
            return cls(_stamp(sent_at), received)
        except EventRefused as refusal:
            raise BatchRefused(field="sent_at", remedy=refusal.remedy) from refusal

    def read(self, told: object) -> tuple[int, datetime]:
        """An event's time as the sender's clock said it, in milliseconds, and as ours would have.

        EventRefused for one that is to come, or that is older than is kept back.
        """
        stamp = _stamp(told)
        age = self.sent - stamp
        if age < -(AHEAD // _MILLISECOND):
            raise _refused(Reason.TIME_OUT_OF_RANGE, "give a time that has passed")
        if age > OLDEST // _MILLISECOND:
            remedy = f"send an event within {OLDEST.days} days; older ones are for manage.py intent_import"
            raise _refused(Reason.TIME_OUT_OF_RANGE, remedy)
        return stamp, _EPOCH + timedelta(milliseconds=self.received - max(age, 0))


def _stamp(told: object) -> int:
    """Milliseconds since 1970 UTC, given as such or as ISO 8601 with a zone."""
    if told is None or told == "":
        raise _refused(Reason.MISSING_TIME, "give milliseconds since 1970, or ISO 8601 with a zone")
    if type(told) is int and abs(told) < _MOST:
        return told
    try:
        moment = datetime.fromisoformat(told) if isinstance(told, str) else None
    except ValueError:
        moment = None
    if moment is None:
        raise _refused(Reason.BAD_TIME, "give milliseconds since 1970, or ISO 8601 with a zone")
    if moment.utcoffset() is None:
        raise _refused(Reason.TIME_WITHOUT_ZONE, "give the time with its zone, such as 2026-03-01T12:00:00Z")
    return (moment - _EPOCH) // _MILLISECOND


def _refused(reason: Reason, remedy: str) -> EventRefused:
    return EventRefused(field="occurred_at", reason=reason, remedy=remedy)
