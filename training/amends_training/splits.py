"""The frozen protocol, read from ``training/protocol.toml``, and the splits that it defines."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from amends_training import folds
from amends_training.corpora import DATA, Record


@dataclass(frozen=True, slots=True)
class Split:
    """One train-and-test division of the records: ``test`` is a mask of shape ``(records,)``."""

    name: str
    test: np.ndarray


@cache
def protocol() -> Mapping[str, Any]:
    """Return the protocol as written."""
    path = Path(__file__).resolve().parent.parent / "protocol.toml"
    return MappingProxyType(tomllib.loads(path.read_text(encoding="utf-8")))


def seed() -> int:
    """The seed of everything that draws."""
    return int(protocol()["seed"])


def fold_numbers(records: Sequence[Record]) -> tuple[np.ndarray, np.ndarray]:
    """Return each record's fold and whether the headline is taken over it; a record without one is given its fold now."""
    own = protocol()["grouped"]
    known = folds.read(DATA / "folds.tsv")
    numbers = [known[r.id].fold if r.id in known else folds.fold_of(r.id, seed(), own["folds"]) for r in records]
    return np.array(numbers), np.array([r.id in known and known[r.id].tested for r in records])


def place(record: Record) -> str:
    """Return the part of the leave-one-out test that a record belongs to: a public source, or its authored sector group."""
    if record.source != f"authored-{record.id[9:11]}":
        return {"nhs_pe": "nhs"}.get(record.source, record.source)
    sector = record.sector.lower()
    return next((group for group, words in protocol()["sectors"].items() if any(word in sector for word in words)), "other")


def grouped(records: Sequence[Record]) -> list[Split]:
    """The grouped five folds."""
    numbers, _ = fold_numbers(records)
    return [Split(f"fold {i}", numbers == i) for i in range(protocol()["grouped"]["folds"])]


def leave_one_out(records: Sequence[Record]) -> list[Split]:
    """Each public source and each authored sector group, left out in turn."""
    places = np.array([place(record) for record in records])
    return [Split(f"without {name}", places == name) for name in sorted(set(places))]


def research_records(folder: Path) -> list[Record]:
    """Return the transfer test's records: ``labels/research.jsonl`` with the text of ``research/*.jsonl`` under ``folder``.

    They are for measuring only: nothing is chosen by them.
    """
    from amends_training.corpora import read_labelled, read_texts

    return read_labelled(folder / "labels" / "research.jsonl", read_texts(sorted((folder / "research").glob("*.jsonl"))))
