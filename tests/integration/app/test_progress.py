"""What a command shows while it works."""

from __future__ import annotations

import re
from io import StringIO

from django.core.management.base import OutputWrapper

from purchase_intent.management.progress import Steps


class Terminal(StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def shown(stream: StringIO) -> str:
    steps = Steps(OutputWrapper(stream))
    for step in ("reading", "folding: 1 of 2", "folding: 2 of 2", "judging"):
        steps(step)
    steps.done()
    return re.sub(r"\d+\.\d s", "T", stream.getvalue())


def test_a_file_gets_a_line_a_step() -> None:
    assert [line.strip() for line in shown(StringIO()).splitlines()] == [
        "T  reading",
        "T  folding: 1 of 2",
        "T  judging",
    ]


def test_a_terminal_sees_figures_change_in_their_line() -> None:
    lines = shown(Terminal()).split("\n")
    assert [re.sub(r" {2,}", " ", line).strip(" ") for line in lines] == [
        "T reading\033[K",
        "T folding: 1 of 2\033[K\r T folding: 2 of 2\033[K",
        "T judging\033[K",
        "",
    ]


def test_nothing_done_nothing_ended() -> None:
    stream = Terminal()
    Steps(OutputWrapper(stream)).done()
    assert stream.getvalue() == ""
