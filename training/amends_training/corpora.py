"""Labelled complaints: where they lie, how they are read and how a bad label is refused.

The project holds the authored corpora with their text, and the labels of the public corpora by record id. The public text
itself comes from a folder that ``amends-train fetch`` fills, or that the user names.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from amends.codebook import codebook
from amends.errors import InputError

#: The committed data of a checkout.
DATA = Path(__file__).resolve().parent.parent / "data"
#: Text corpora that labels refer to by id, under the folder of fetched text.
PUBLIC = ("cfpb", "nhs")


@dataclass(frozen=True, slots=True)
class Record:
    """A labelled message. ``labels`` hold the codebook's fields, with ``justice`` as full names of concerns."""

    id: str
    text: str
    labels: Mapping[str, Any]
    source: str
    sector: str = ""
    channel: str = ""
    second: Mapping[str, Any] | None = None
    meta: Mapping[str, Any] = field(default_factory=dict)


def read_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield each JSON line of ``path`` with its number; a broken line raises `InputError` with file and line."""
    try:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    try:
                        yield number, json.loads(line)
                    except ValueError as error:
                        raise InputError(f"{path}, line {number}: not a JSON object ({error})") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error


def checked(labels: Any, where: str) -> dict[str, Any]:
    """Return ``labels`` in full names, or raise `InputError` naming ``where``, the field, the value and the values allowed."""
    book = codebook()
    if not isinstance(labels, Mapping):
        raise InputError(f"{where}: `labels` is {type(labels).__name__}, it should be an object with {', '.join(book.fields)}")
    result: dict[str, Any] = {}
    for name, own in book.fields.items():
        if name not in labels:
            raise InputError(f"{where}: no {name}; a record has {', '.join(book.fields)}")
        value = labels[name]
        letters = {label.letter: label.name for label in own.labels if label.letter}
        values = list(value) if own.kind in ("multi", "plan") and isinstance(value, (list, tuple, str)) else [value]
        named = [letters.get(one, one) if isinstance(one, str) else one for one in values]
        if own.kind == "binary":
            named = [str(int(one)) if isinstance(one, (bool, int)) else one for one in named]
        for one in named:
            if one not in own.names:
                allowed = ", ".join(f"{label.letter} ({label.name})" if label.letter else label.name for label in own.labels)
                raise InputError(f"{where}: {name} is {one!r}; the values allowed are {allowed}")
        result[name] = tuple(named) if own.kind in ("multi", "plan") else named[0]
    if result["strategy"] not in result["actions"]:
        raise InputError(f"{where}: the strategy {result['strategy']!r} is not among the actions {', '.join(result['actions'])}")
    return result


def read_labelled(path: Path, texts: Mapping[str, Mapping[str, Any]] | None = None, skip_missing: bool = False) -> list[Record]:
    """Read a file of labelled records; ``texts`` gives text and sector by id where the file has only labels.

    Raises
    ------
    InputError
        For a line that is no record, an unknown label, or (unless ``skip_missing``) a record without text.
    """
    records = []
    for number, row in read_lines(path):
        where = f"{path}, line {number}"
        key = row.get("id")
        if not isinstance(key, str):
            raise InputError(f"{where}: no `id`")
        body = row if "text" in row else (texts or {}).get(key)
        if body is None:
            if skip_missing:
                continue
            raise InputError(f"{where}: there is no text for {key}; fetch it or name its folder with --text")
        second = checked(row["second"], f"{where}, second") if "second" in row else None
        records.append(
            Record(
                key, body["text"], checked(row.get("labels"), where), source_of(key), body.get("sector", ""), row.get("channel", ""), second,
                body.get("meta") or {},
            )
        )  # fmt: skip
    return records


def source_of(key: str) -> str:
    """Return the source that a record's id names: its part before the colon, Care Opinion apart from the other NHS text."""
    return "care_opinion" if key.startswith("nhs_pe:co:") else key.partition(":")[0]


def read_texts(paths: Iterable[Path]) -> dict[str, Mapping[str, Any]]:
    """Read text records by id."""
    return {row["id"]: row for path in paths for _, row in read_lines(path)}


def training_records(text: Path | None = None, data: Path = DATA, languages: Sequence[str] = ("en",)) -> list[Record]:
    """Return what may train a released model, in a fixed order: the authored corpora, then the public ones.

    Parameters
    ----------
    text : pathlib.Path, optional
        The folder with ``public/cfpb.jsonl`` and ``public/nhs.jsonl``; without it only the authored corpora are returned.
    data : pathlib.Path
        The committed data.
    languages : sequence of str
        Which authored corpora, by language.
    """
    corrections = read_corrections(data / "corrections.jsonl")
    records = [
        record
        for language in languages
        for path in sorted((data / "authored").glob(f"{language}*.jsonl"))
        for record in read_labelled(path)
    ]
    if text is not None:
        paths = [text / "public" / f"{name}.jsonl" for name in PUBLIC]
        records += read_labelled(
            data / "labels" / "public.jsonl", read_texts(path for path in paths if path.exists()), skip_missing=True
        )
    return [corrected(record, corrections.get(record.id)) for record in records]


def read_corrections(path: Path) -> dict[str, dict[str, Any]]:
    """Read the reviewed label corrections: by record id the fields that change; each line has a ``reason``."""
    if not path.exists():
        return {}
    result = {}
    for number, row in read_lines(path):
        if not row.get("reason") or not row.get("labels"):
            raise InputError(f"{path}, line {number}: a correction has `id`, `labels` and `reason`")
        result[row["id"]] = row["labels"]
    return result


def corrected(record: Record, change: Mapping[str, Any] | None) -> Record:
    """Return ``record`` with the fields of ``change`` in place of its own, checked against the codebook."""
    if not change:
        return record
    from dataclasses import replace

    return replace(record, labels=checked({**record.labels, **change}, f"correction of {record.id}"))


def targets(records: Sequence[Record]) -> dict[str, np.ndarray]:
    """Return each head's labels as numbers, shape ``(records,)``: the fields, the four concerns, and ``act:…`` for the plan."""
    book = codebook()
    result: dict[str, np.ndarray] = {}
    for own in book.fields.values():
        values = [record.labels[own.name] for record in records]
        if own.kind in ("multi", "plan"):
            prefix = "act:" if own.kind == "plan" else ""
            for name in own.names:
                result[prefix + name] = np.array([int(name in value) for value in values])
        else:
            result[own.name] = np.array([own.index(value) for value in values])
    return result


def digest(records: Sequence[Record]) -> str:
    """Return a SHA-256 over ids, texts and labels, so that a model can name exactly what it was trained on."""
    total = hashlib.sha256()
    for record in records:
        total.update(
            json.dumps([record.id, record.text, record.labels], sort_keys=True, ensure_ascii=False).encode(
                "utf-8", "surrogatepass"
            )
        )
    return total.hexdigest()
