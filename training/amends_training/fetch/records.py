"""Records of public text: which are wanted, what one looks like, and how it is written."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from amends.errors import InputError
from amends_training.corpora import DATA, PUBLIC, read_lines

#: The labels, whose ids are wanted.
LABELS = DATA / "labels" / "public.jsonl"
#: How the ids of a file begin, and its sector.
_PREFIXES = {"cfpb": "cfpb:", "nhs": "nhs_pe:"}
_SECTORS = {"cfpb": "banking_finance", "nhs": "healthcare"}


def wanted_ids(labels: Path) -> dict[str, list[str]]:
    """Return the labelled ids by file, in the order of the labels."""
    ids = [str(row.get("id")) for _, row in read_lines(labels)]
    return {name: [key for key in ids if key.startswith(_PREFIXES[name])] for name in PUBLIC}


def record(name: str, key: str, text: str, meta: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record of the file ``name``."""
    return {"id": key, "sector": _SECTORS[name], "lang": "en", "text": text, "meta": dict(meta)}


def checked(row: Mapping[str, Any], name: str, where: str) -> dict[str, Any]:
    """Return a record with our keys only, or raise `InputError`."""
    sound = all(isinstance(row.get(key), str) for key in ("id", "text"))
    if not sound or not row["text"].strip():
        raise InputError(f"{where}: not a record with `id` and `text`")
    if not isinstance(row.get("meta", {}), dict):
        raise InputError(f"{where}: `meta` should be an object")
    full = record(name, row["id"], row["text"], {})
    return full | {key: row[key] for key in full if key in row}


def refuse_none(found: Collection[str], where: object) -> None:
    """Raise `InputError` where no labelled id was found."""
    if not found:
        raise InputError(f"{where}: has none of the labelled ids; is it the right file?")


def line(row: Mapping[str, Any]) -> str:
    """Return a record as a JSON line, escaped where it holds half a character (a lone surrogate), which UTF-8 cannot write."""
    plain = json.dumps(row, ensure_ascii=False)
    return (json.dumps(row) if re.search("[\ud800-\udfff]", plain) else plain) + "\n"
