"""Errors that name the user's next step; the command line maps each to an exit code of its own."""

from __future__ import annotations


class AmendsError(Exception):
    """Base of every error that `amends` raises on purpose.

    The message says what was wrong, where, and what would be right. It never holds complaint text.
    """

    exit_code = 1


class UsageError(AmendsError):
    """The call itself is off: an option or an argument that cannot be taken."""

    exit_code = 2


class InputError(AmendsError):
    """The input cannot be used: no such file or column, an unreadable file, columns already there."""

    exit_code = 3


class ModelError(AmendsError):
    """A model cannot be found, or its folder is damaged, tampered with or of a newer format."""
