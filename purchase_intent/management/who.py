"""Who runs a command, for the record of what was changed."""

from __future__ import annotations

import getpass

__all__ = ["at_the_command_line"]


def at_the_command_line(command: str) -> str:
    """The name of the system's user and the command; the command alone where the system knows no name."""
    try:
        return f"{getpass.getuser()}, by {command}"
    except (KeyError, OSError):  # a container may run under a number alone
        return command
