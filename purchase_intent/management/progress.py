"""Progress for commands: one line that is rewritten on a terminal, a line a step elsewhere."""

from __future__ import annotations

from time import monotonic

from django.core.management.base import OutputWrapper

__all__ = ["Steps"]


class Steps:
    """Prints steps as they begin, with the seconds since the start; what changes only in figures stays on its line."""

    def __init__(self, out: OutputWrapper) -> None:
        self._out = out
        self._started = monotonic()
        self._shown = ""
        self._live = out.isatty()

    def __call__(self, step: str) -> None:
        title = step.split(":", maxsplit=1)[0]
        line = f"{monotonic() - self._started:7.1f} s  {step}"
        if self._live:
            before = "\r" if title == self._shown else "\n" if self._shown else ""
            self._out.write(f"{before}{line}\033[K", ending="")
            self._out.flush()
        elif title != self._shown:
            self._out.write(line)
        self._shown = title

    def done(self) -> None:
        """End the last line."""
        if self._live and self._shown:
            self._out.write("")
