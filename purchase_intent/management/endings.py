"""How a command ends when it cannot go on: one clear line, and nothing left behind."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import CommandError
from django.db import OperationalError, ProgrammingError

from purchase_intent.exceptions import IntentError
from purchase_intent.management.progress import Steps

__all__ = ["clear_ending"]


@contextmanager
def clear_ending(steps: Steps) -> Iterator[None]:
    """Turn what the package refuses, and a database without tables, into CommandError; a SIGTERM into a tidy exit."""
    before = _on_terminate(_leave)
    try:
        yield
    except IntentError as error:
        raise CommandError(error.message) from error
    except (OperationalError, ProgrammingError) as error:
        line = str(error).strip().splitlines()[0]
        raise CommandError(f"The database is not ready ({line}): run manage.py migrate first.") from error
    finally:
        steps.done()
        if before is not None:
            _on_terminate(before)


def _leave(number: int, _frame: object) -> None:
    sys.exit(128 + number)


def _on_terminate(handler: Any) -> Any:
    # Only the main thread may say what a signal does; elsewhere somebody else is in charge of it.
    if threading.current_thread() is threading.main_thread():
        return signal.signal(signal.SIGTERM, handler)
    return None
