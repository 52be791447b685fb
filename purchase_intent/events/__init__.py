"""What a shopper can do, and the record of it: the words everything else speaks. Imports nothing but the errors."""

from purchase_intent.events.hashing import key_hash
from purchase_intent.events.names import ALIASES, PAGE_OF_EVENT, EventName, Page, event_name
from purchase_intent.events.reasons import Reason
from purchase_intent.events.record import FIELD_NAMES, ClientEvent, Event, parse_event, told_name, told_time

__all__ = [
    "ALIASES",
    "FIELD_NAMES",
    "PAGE_OF_EVENT",
    "ClientEvent",
    "Event",
    "EventName",
    "Page",
    "Reason",
    "event_name",
    "key_hash",
    "parse_event",
    "told_name",
    "told_time",
]
