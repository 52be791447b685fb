"""What the adapter answers, checked, and what a fault of tracking is told as."""

from __future__ import annotations

from django.db import DatabaseError

from purchase_intent.exceptions import ConfigurationError, EventRefused, IntentError

__all__ = ["remedy_of", "word"]


def word(method: str, value: object, longest: int) -> str:
    """A text of the adapter's; ConfigurationError names the method that answers with something else."""
    if not isinstance(value, str) or len(value) > longest:
        raise ConfigurationError(f"Shop.{method} has to answer with a text of at most {longest} characters.")
    return value


def remedy_of(error: Exception) -> str:
    """What to do about a fault."""
    if isinstance(error, EventRefused):
        return f"{error}, in what the shop's adapter answers."
    if isinstance(error, IntentError):
        return error.message
    if isinstance(error, DatabaseError):
        return f"{type(error).__name__}: see that the database answers and that manage.py migrate has run."
    return f"{type(error).__name__}: mend what the traceback ends with, such as a method of the shop's adapter."
