"""What a finished output was made from, noted in ``.NAME.done`` beside it, so that ``--resume`` can tell one that is up to date.

A CSV has no place of its own for that. The note holds no complaint text, and it counts only for the very file that it was written for.
"""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

from amends.batch.checkpoint import Noted, fingerprint, refuse_changes
from amends.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

_FORMAT = 1
#: Options that change nothing in a finished output.
_PASSING = frozenset({"--chunk-size"})


def note_of(target: Path) -> Path:
    """Return where the note on ``target`` lies."""
    return target.with_name(f".{target.name}.done")


def write(folder: Path, target: Path, noted: Noted, summary: dict[str, Any]) -> None:
    """Note what the output at ``target`` was made from, and its ``summary``, by way of a draft in ``folder``."""
    note = {"format": _FORMAT, "output": fingerprint(target), "summary": summary, **noted}
    draft = folder / "done"
    with contextlib.suppress(OSError):  # the output is complete even so: only a later --resume will have to ask for --overwrite
        draft.write_text(json.dumps(note), encoding="utf-8")
        draft.replace(note_of(target))


def confirm(target: Path, noted: Noted) -> dict[str, Any]:
    """Return the summary of the output at ``target``, which is what a run as ``noted`` would write.

    Raises
    ------
    InputError
        If the input has changed since.
    UsageError
        If the model or an option is another, or nothing tells what the output was made from.
    """
    try:
        note = json.loads(note_of(target).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        note = None
    if not isinstance(note, dict) or note.get("format") != _FORMAT or note.get("output") != fingerprint(target):
        raise UsageError(
            f"{target} is there already, but no {note_of(target).name} beside it tells what it was made from, "
            "so --resume cannot know whether it is up to date; --overwrite starts anew"
        )
    options = {option: value for option, value in noted["options"].items() if option not in _PASSING}
    refuse_changes(note, {**noted, "options": options}, f"{target} is complete but out of date")
    summary: dict[str, Any] = note["summary"]
    return summary
