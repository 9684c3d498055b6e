"""The splits that the protocol defines: grouped folds, one place left out, and the transfer test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from amends.errors import InputError
from amends_training import folds
from amends_training.corpora import DATA, Record, is_authored, read_labelled, read_texts
from amends_training.protocol import protocol, seed


@dataclass(frozen=True, slots=True)
class Split:
    """One train-and-test division of the records: ``test`` is a mask of shape ``(records,)``."""

    name: str
    test: np.ndarray


def fold_numbers(records: Sequence[Record]) -> tuple[np.ndarray, np.ndarray]:
    """Return each record's fold and whether the headline is taken over it; a record without one is given its fold now."""
    own = protocol()["grouped"]
    known = folds.read(DATA / "folds.tsv")
    numbers = [known[r.id].fold if r.id in known else folds.fold_of(r.id, seed(), own["folds"]) for r in records]
    return np.array(numbers), np.array([r.id in known and known[r.id].tested for r in records])


def place(record: Record) -> str:
    """Return the part of the leave-one-out test that a record belongs to: a public source, or its authored sector group."""
    return sector_group(record.sector) if is_authored(record.id) else {"nhs_pe": "nhs"}.get(record.source, record.source)


def sector_group(sector: str) -> str:
    """Return the protocol's group of a record's ``sector``, the first that one of its words fits."""
    words = sector.lower()
    return next((group for group, own in protocol()["sectors"].items() if any(word in words for word in own)), "other")


def grouped(records: Sequence[Record]) -> list[Split]:
    """The grouped five folds."""
    numbers, _ = fold_numbers(records)
    return [Split(f"fold {i}", numbers == i) for i in range(protocol()["grouped"]["folds"])]


def leave_one_out(records: Sequence[Record]) -> list[Split]:
    """Each public source and each authored sector group, left out in turn.

    Raises
    ------
    InputError
        If a record is of a place that the protocol does not name.
    """
    own = protocol()["leave_one_out"]
    places = np.array([place(record) for record in records])
    unknown = set(places.tolist()) - {*own["public"], *own["authored_sectors"]}
    if unknown:
        raise InputError(f"the protocol's [leave_one_out] does not name {', '.join(sorted(unknown))}")
    return [Split(f"without {name}", places == name) for name in sorted(set(places))]


def research_records(folder: Path) -> list[Record]:
    """Return the transfer test's records: the protocol's labels with the text of ``research/*.jsonl`` under ``folder``.

    They are for measuring only: nothing is chosen by them.
    """
    labels = folder / protocol()["transfer"]["labels"]
    return read_labelled(labels, read_texts(sorted((folder / "research").glob("*.jsonl"))))
