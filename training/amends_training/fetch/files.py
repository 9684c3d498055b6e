"""Writing files: in one step, and with an error that names the path."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from amends.errors import AmendsError


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn what the system refuses into an `AmendsError` that names ``path``."""
    try:
        yield
    except OSError as error:
        raise AmendsError(f"{path}: cannot be written ({error.strerror or error})") from error


def rewrite(path: Path, lines: Iterable[str]) -> None:
    """Write ``path`` in one step: an interrupted call leaves the file that was there."""
    new = path.with_name(f"{path.name}.{os.getpid()}.new")
    with writing(path):
        try:
            with new.open("w", encoding="utf-8", newline="\n") as file:
                file.writelines(lines)
            new.replace(path)
        finally:
            new.unlink(missing_ok=True)


def prepare(folder: Path) -> None:
    """Make our two folders, and keep git from taking in what may not be committed."""
    with writing(folder):
        for own in (folder / "public", folder / "downloads"):
            own.mkdir(parents=True, exist_ok=True)
            (own / ".gitignore").write_text("*\n", encoding="utf-8")
