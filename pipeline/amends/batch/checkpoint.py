"""The work folder of a run: its lock, its checkpoint and its parts, hidden beside the output until that is complete.

A part is complete as soon as it bears its name, and what it holds depends on nothing but the input, the model and the options, which the
checkpoint names. So a killed run needs no repair: ``--resume`` scores the chunks that have no part.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from amends.batch import scoring
from amends.batch.names import reads_like_sentence
from amends.errors import AmendsError, InputError, UsageError

#: What decides what a run writes: its ``input``, ``model`` and ``options``, each with what tells it from another.
Noted = Mapping[str, Mapping[str, object]]
_FORMAT = 1
_EDGE = 1 << 16


def fingerprint(path: Path | None) -> dict[str, object]:
    """Return what tells a file from a changed one: size, time of change, SHA-256 of its first and last 64 KiB."""
    if path is None or not path.is_file():
        return {"stream": True}
    status = path.stat()
    digest = hashlib.sha256()
    with path.open("rb") as file:
        digest.update(file.read(_EDGE))
        file.seek(max(0, status.st_size - _EDGE))
        digest.update(file.read(_EDGE))
    return {"bytes": status.st_size, "changed at": status.st_mtime_ns, "content": digest.hexdigest()}


def refuse_changes(before: Noted, noted: Noted, refusal: str) -> None:
    """Raise `InputError` (input) or `UsageError` (model, options) where what was noted ``before`` differs from ``noted``.

    The message begins with ``refusal`` and names what differs.
    """
    for topic in ("input", "model", "options"):
        old, new = before.get(topic, {}), noted[topic]
        differing = [key for key in new if json.loads(json.dumps(new[key])) != old.get(key)]
        if not differing:
            continue
        if topic == "input":
            raise InputError(f"{refusal}: the input has changed ({', '.join(differing)}); --overwrite starts anew")
        told = "; ".join(
            f"{topic if topic == 'model' else key}: {_shown(old.get(key))} then, {_shown(new[key])} now" for key in differing
        )
        raise UsageError(f"{refusal}: another {'model' if topic == 'model' else 'option'} ({told}); --overwrite starts anew")


def _shown(value: object) -> object:
    """Return ``value`` as a message may show it: the name of a text column can be a whole sentence."""
    return "a long name" if isinstance(value, str) and reads_like_sentence(value) else value


def work_folder(target: Path) -> Path:
    """Return where the work on ``target`` lies."""
    return target.with_name(f".{target.name}.part")


class WorkFolder:
    """The folder ``.NAME.part`` beside an output (in the temporary directory for standard output).

    Parameters
    ----------
    target : pathlib.Path or None
        The output; None is standard output.

    Raises
    ------
    AmendsError
        If it cannot be made, or another run is at work in it.
    """

    def __init__(self, target: Path | None) -> None:
        try:
            if target is None:
                self.path = Path(tempfile.mkdtemp(prefix="amends-"))
            else:
                self.path = work_folder(target)
                self.path.mkdir(exist_ok=True)
            self._lock: IO[bytes] = (self.path / "lock").open("ab")
        except OSError as error:
            raise AmendsError(f"cannot write {target or 'to the temporary directory'}: {error.strerror}") from error
        if not _locked(self._lock):
            self._lock.close()
            raise AmendsError(f"another run is writing {target}; wait for it, or name another output with -o")

    @property
    def checkpoint(self) -> dict[str, dict[str, object]] | None:
        """What an earlier run noted here; None where there was none."""
        try:
            noted = json.loads((self.path / "checkpoint.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return noted if isinstance(noted, dict) and noted.get("format") == _FORMAT else None

    def begin(self, noted: Noted) -> None:
        """Start anew: forget all parts and note the ``input``, ``model`` and ``options`` of this run."""
        for path in self.path.iterdir():
            if path.name != "lock":
                path.unlink()
        draft = self.path / "checkpoint.draft"
        with draft.open("w", encoding="utf-8") as file:
            json.dump({"format": _FORMAT, **noted}, file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.path / "checkpoint.json")

    def has_parts(self) -> bool:
        """Tell whether a chunk has been scored."""
        return any(self.path.glob("part-*.arrow"))

    def parts(self) -> dict[int, scoring.Part]:
        """Return the complete parts by number; drafts of a killed run are removed."""
        found = {}
        for path in sorted(self.path.glob("part-*")):
            if path.suffix == ".arrow":
                part = scoring.read_info(path)
                found[part.index] = part
            else:
                path.unlink(missing_ok=True)
        return found

    def check(self, noted: Noted) -> None:
        """Raise where the earlier run's notes differ from ``noted`` (`refuse_changes`)."""
        refuse_changes(self.checkpoint or {}, noted, "cannot resume")

    def release(self, *, remove: bool) -> None:
        """Give the lock back, and with ``remove`` take the folder away."""
        if remove:
            shutil.rmtree(self.path, ignore_errors=True)
        with contextlib.suppress(OSError):
            self._lock.close()


def _locked(file: IO[bytes]) -> bool:
    """Lock ``file`` for this process; the system gives the lock back however the process ends."""
    try:
        import fcntl
    except ImportError:  # Windows has no flock; there two runs into one output are up to the user
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a network drive without locks
        return True
    return True


def publish(draft: Path, target: Path) -> None:
    """Give ``draft`` the name ``target``, all at once and durably."""
    with draft.open("rb+") as file:
        os.fsync(file.fileno())
    draft.replace(target)
    with contextlib.suppress(OSError):  # not every file system lets a folder be opened
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
