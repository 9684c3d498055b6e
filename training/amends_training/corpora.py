"""Labelled complaints: where they lie, how they are read and how a bad label is refused.

The project holds the authored corpora with their text, and the labels of the public corpora by record id. The public text
itself comes from a folder that ``amends-train fetch`` fills, or that the user names.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from amends.codebook import codebook
from amends.errors import InputError
from amends_training import checkout
from amends_training.protocol import protocol, training_files

#: The committed data of a checkout.
DATA = checkout.DATA
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


def read_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield each JSON line of ``path`` with its number; a line that is no JSON object raises `InputError` with file and line."""
    try:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield number, _object(line, f"{path}, line {number}")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is not UTF-8 text") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error


def _object(line: str, where: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: not a JSON object ({error})") from error
    if not isinstance(row, dict):
        raise InputError(f"{where}: not a JSON object but {type(row).__name__}")
    return row


def checked(labels: Any, where: str) -> dict[str, Any]:
    """Return ``labels`` in full names, or raise `InputError` naming ``where``, the field, the value and the values allowed."""
    book = codebook()
    if not isinstance(labels, Mapping):
        raise InputError(f"{where}: `labels` is {type(labels).__name__}, it should be an object with {', '.join(book.fields)}")
    _refuse_unknown(labels, where)
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
        if len(set(named)) < len(named):
            raise InputError(f"{where}: {name} names {max(named, key=named.count)!r} twice")
        result[name] = tuple(named) if own.kind in ("multi", "plan") else named[0]
    if result["strategy"] not in result["actions"]:
        raise InputError(f"{where}: the strategy {result['strategy']!r} is not among the actions {', '.join(result['actions'])}")
    return result


def _refuse_unknown(labels: Iterable[object], where: str) -> None:
    unknown = [str(name) for name in labels if name not in codebook().fields]
    if unknown:
        raise InputError(f"{where}: there is no field {', '.join(unknown)}; the fields are {', '.join(codebook().fields)}")


def read_labelled(path: Path, texts: Mapping[str, Mapping[str, Any]] | None = None, skip_missing: bool = False) -> list[Record]:
    """Read a file of labelled records; ``texts`` gives text and sector by id where the file has only labels.

    Raises
    ------
    InputError
        For a line that is no record, an unknown field or label, or (unless ``skip_missing``) a record without text or a file
        without records.
    """
    records = []
    for number, row in read_lines(path):
        where = f"{path}, line {number}"
        key = _id(row, where)
        body = row if "text" in row else (texts or {}).get(key)
        if body is None:
            if skip_missing:
                continue
            raise InputError(f"{where}: there is no text for {key}; fetch it or name its folder with --text")
        if not isinstance(body.get("text"), str):
            raise InputError(f"{where}: the `text` of {key} is no string")
        second = checked(row["second"], f"{where}, second") if "second" in row else None
        sector, channel = str(body.get("sector") or ""), str(row.get("channel") or "")
        records.append(Record(key, body["text"], checked(row.get("labels"), where), source_of(key), sector, channel, second))
    if not records and not skip_missing:
        raise InputError(f"{path}: has no labelled records; each line is an object with `id`, `text` and `labels`")
    return records


def _id(row: Mapping[str, Any], where: str) -> str:
    if not isinstance(row.get("id"), str):
        raise InputError(f"{where}: no `id`")
    return str(row["id"])


def source_of(key: str) -> str:
    """Return the source that a record's id names: its part before the colon, Care Opinion apart from the other NHS text."""
    return "care_opinion" if key.startswith("nhs_pe:co:") else key.partition(":")[0]


def is_authored(key: str) -> bool:
    """Whether a record's id is of an authored corpus."""
    return key.startswith("authored-")


def language_of(key: str) -> str:
    """Return the language that a record's id names; all but the authored corpora that train are English."""
    return key.removeprefix("authored-")[:2] if is_authored(key) else "en"


def read_texts(paths: Iterable[Path]) -> dict[str, Mapping[str, Any]]:
    """Read text records by id."""
    return {_id(row, f"{path}, line {number}"): row for path in paths for number, row in read_lines(path)}


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
    records = [record for language in languages for path in _authored_files(data, language) for record in read_labelled(path)]
    if text is not None:
        paths = [path for name in PUBLIC if (path := text / "public" / f"{name}.jsonl").exists()]
        if not paths:
            raise InputError(
                f"{text}: has neither of {', '.join(f'public/{name}.jsonl' for name in PUBLIC)}; see `amends-train fetch`"
            )
        texts = read_texts(paths)
        for name in training_files():
            if name.startswith("labels/"):
                records += read_labelled(data / name, texts, skip_missing=True)
    if not records:
        raise InputError(f"{data}: has no labelled records of {', '.join(languages)}")
    return _corrected(records, data)


def _authored_files(data: Path, language: str) -> list[Path]:
    """Files of one authored corpus: those that the protocol lists, or all where the language trains no released model."""
    if f"authored/{language}" in protocol()["train"]["sources"]:
        return [data / name for name in training_files() if name.startswith(f"authored/{language}") and (data / name).exists()]
    return sorted((data / "authored").glob(f"{language}*.jsonl"))


@dataclass(frozen=True, slots=True)
class Correction:
    """The fields of one record that a review changed, and where that is written."""

    labels: Mapping[str, Any]
    where: str


def read_corrections(path: Path) -> dict[str, Correction]:
    """Read the reviewed label corrections by record id: each line has ``id``, the ``labels`` that change and a ``reason``."""
    if not path.exists():
        return {}
    result: dict[str, Correction] = {}
    for number, row in read_lines(path):
        where = f"{path}, line {number}"
        labels = row.get("labels")
        if not (
            isinstance(labels, dict) and labels and all(isinstance(row.get(key), str) and row[key] for key in ("id", "reason"))
        ):
            raise InputError(f"{where}: a correction has `id`, `labels` and `reason`")
        _refuse_unknown(labels, where)
        if row["id"] in result:
            raise InputError(f"{where}: {row['id']} is corrected twice, first in {result[row['id']].where}")
        result[row["id"]] = Correction(labels, where)
    return result


def _corrected(records: Sequence[Record], data: Path) -> list[Record]:
    """Return ``records`` with the corrections of ``data``, checked against the codebook; one of no record there is refused."""
    corrections = read_corrections(data / "corrections.jsonl")
    unknown = corrections.keys() - {record.id for record in records}
    if unknown:  # of another language, or of public text that is not at hand, unless the id is mistyped
        files = [*(data / "authored").glob("*.jsonl"), *(data / "labels").glob("*.jsonl")]
        unknown -= {row.get("id") for path in files for _, row in read_lines(path)}
    for key in sorted(unknown):
        raise InputError(f"{corrections[key].where}: there is no record {key}")
    return [
        replace(record, labels=checked({**record.labels, **own.labels}, own.where))
        if (own := corrections.get(record.id))
        else record
        for record in records
    ]


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
