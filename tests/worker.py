"""A process of Celery's own, of which nothing is left when a test is over."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

__all__ = ["PATIENCE", "ROOT", "running"]

ROOT: Final = Path(__file__).resolve().parents[1]
PATIENCE: Final = 180
"""Seconds for one task on a busy machine."""


@contextmanager
def running(
    *arguments: str, environment: Mapping[str, str], log: Path, app: str = "demo_shop"
) -> Iterator[subprocess.Popen[bytes]]:
    """A process of an app's Celery in a process group of its own; what it has printed is shown where the test fails."""
    command = [sys.executable, "-m", "celery", "--app", app, *arguments]
    with log.open("ab") as out:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=out, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        yield process
    except BaseException:
        sys.stdout.write(log.read_text(encoding="utf-8", errors="replace")[-8_000:])
        raise
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(PATIENCE)
