"""The demo shop's Celery, whose children are killed in the middle of a batch, as by a machine without memory.

Of the first batch of a child nothing is held up; in its second it ends without a word: with the events written and not
committed, or committed and not acknowledged, in turns. Now and then the whole worker goes with it. The file that
`KILLED` names has a byte for each time.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any, Final

from celery.signals import worker_process_init

from demo_shop.celery import app

__all__ = ["KILLS", "WORKERS", "app"]

KILLS: Final = 20
WORKERS: Final = (7, 14)
"""Which of them take the whole worker."""
ADD: Final = "add_events"
"""What writes the events of a batch."""


@worker_process_init.connect  # type: ignore[untyped-decorator]
def beset(**_: Any) -> None:
    """Have this child killed in its second batch, until there were enough."""
    from purchase_intent.tracking.sinks import draining, together
    from purchase_intent.tracking.sinks.wire import Wire

    draining.BATCH, draining.LEASE_SECONDS = 5, 0.2  # type: ignore[misc]
    record, batches = Path(os.environ["KILLED"]), list[int]()
    add, finish = getattr(together, ADD), Wire.finish

    def end(*, committed: bool) -> None:
        before = record.stat().st_size
        if len(batches) < 2 or before >= KILLS or before % 2 != committed:
            return
        with record.open("ab") as file:
            file.write(b".")
        os.kill(os.getppid() if before + 1 in WORKERS else os.getpid(), signal.SIGKILL)
        signal.pause()

    def adding(*given: Any, **named: Any) -> None:
        add(*given, **named)
        batches.append(1)
        end(committed=False)

    def finishing(*given: Any, **named: Any) -> None:
        end(committed=True)
        finish(*given, **named)

    setattr(together, ADD, adding)
    setattr(Wire, finish.__name__, finishing)
