"""Standard input and output as bytes. A shell may have closed them (``<&-``, ``>&-``); Python then has None in their place."""

from __future__ import annotations

import os
import sys
from typing import IO, cast

from amends.errors import AmendsError, InputError


def standard_input() -> IO[bytes]:
    """Return standard input; raise `InputError` where it is closed."""
    if sys.stdin is None:
        raise InputError("standard input is closed; name a file instead of -")
    return cast("IO[bytes]", sys.stdin.buffer)


def require_output() -> None:
    """Raise `AmendsError` where standard output is closed."""
    if sys.stdout is None:
        raise AmendsError(
            "standard output is closed, so there is nowhere to write to; leave it open (score: name a file with -o)"
        )


def standard_output() -> IO[bytes]:
    """Return standard output; raise `AmendsError` where it is closed."""
    require_output()
    return cast("IO[bytes]", sys.stdout.buffer)


def fill_closed() -> None:
    """Open the null device in place of closed standard streams, or the next file that is opened would take their number.

    What some library prints to number 1 or 2 would then land in that file.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # noqa: FBT003 - it takes no keyword
