"""The file of results that ``compare`` writes and ``release`` reads, with a stamp of what was measured."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from amends.codebook import codebook
from amends.errors import InputError
from amends.model import cue_digest
from amends_training.corpora import Record, digest
from amends_training.evaluate import BASELINES
from amends_training.fit import Settings
from amends_training.protocol import protocol, seed
from amends_training.tables import TESTS

#: What the parts of a stamp are called when they differ.
_PARTS = {
    "data": "other records",
    "settings": "other settings",
    "cues": "other cues",
    "codebook": "another codebook",
    "protocol": "another version of the protocol",
    "seed": "another seed",
}


def stamp(records: Sequence[Record], settings: Settings, drawn_by: int | None = None) -> dict[str, Any]:
    """Return what results hang on: a model of the same stamp is the one that they measured."""
    return {
        "protocol": protocol()["version"],
        "seed": seed() if drawn_by is None else drawn_by,
        "codebook": codebook().version,
        "cues": cue_digest(),
        "settings": settings.decisive(),
        "data": digest(records),
        "records": len(records),
    }


def read(path: Path) -> dict[str, Any]:
    """Read a file of results, or raise `InputError`."""
    try:
        results = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"{path}: no results; run `amends-train compare` first") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise InputError(f"{path}: not what `amends-train compare` writes ({error})") from error
    if not isinstance(results, dict):
        raise InputError(f"{path}: not what `amends-train compare` writes, but {type(results).__name__}")
    return results


def write(path: Path, results: Mapping[str, Any]) -> None:
    """Write results as JSON."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror})") from error


def refuse_others(path: Path, results: Mapping[str, Any], name: str, wanted: Mapping[str, Any]) -> None:
    """Raise `InputError` unless ``results`` are of a model called ``name`` and of the stamp ``wanted``."""
    other = [
        f"{said} ({_difference(results.get(part), wanted[part])})"
        for part, said in _PARTS.items()
        if results.get(part) != wanted[part]
    ]
    if other:
        raise InputError(
            f"{path} was measured on {', '.join(other)} than what is to be released; run `amends-train compare` again"
        )
    tests = [test for test in TESTS if test in results]
    known = sorted({own for test in tests for own in results[test]} - set(BASELINES))
    if not tests or name not in known or any(name not in results[test] for test in tests):
        raise InputError(
            f"{path} has no results of a model {name!r}, as the folder's name calls it; it has {', '.join(known) or 'none'}"
        )


def _difference(there: object, here: object) -> str:
    if there is None:
        return "not written there"
    if isinstance(there, dict) and isinstance(here, dict):
        names = [name for name in {**here, **there} if there.get(name) != here.get(name)]
        return ", ".join(f"{name} {there.get(name)} there, {here.get(name)} here" for name in names)
    return f"{str(there)[:16]} there, {str(here)[:16]} here"


def rounded(value: Any) -> Any:
    """Return nested values with every float at four decimals."""
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [rounded(item) for item in value]
    return value
