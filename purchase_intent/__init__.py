"""How likely a shop's live session is to end in a purchase, why, and what to do about it."""

__version__ = "0.1.0"
