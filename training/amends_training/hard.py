"""Hard sets: small invented complaints, each set about one thing that goes wrong easily (``training/data/hard``).

A set is about a field, and an item passes when the model has that field right. Two sets are judged by whole groups of a
shared ``pair``: `style`, where the same facts in other words must get the same strategy, and `deviation`, where the story at
its first attempt and after a failed recovery must be told apart. ``training/data/hard/README.md`` tells what each set tests.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from amends.codebook import codebook
from amends.errors import InputError
from amends.model import Model
from amends_training.corpora import DATA, Record, read_labelled, read_lines, targets
from amends_training.evaluate import predict

#: Where the committed sets lie.
HARD = DATA / "hard"
#: Whether there is a failure at all: the group of ``failure_type`` apart from `none`, judged like a field.
COMPLAINT = "complaint"
#: What each set is about; an item passes when all of its fields are right.
FIELDS: Mapping[str, tuple[str, ...]] = {
    "style": ("strategy",),
    "negation": (),  # each pair is about the first of `TURNED` in which its labels differ
    "unclear": ("stability", "controllability"),
    "double": ("failure_type",),
    "deviation": ("prior_recovery",),
    "thanks": (COMPLAINT,),
    "praise": (COMPLAINT,),
    "exception": ("stability",),
    "outside": ("controllability",),
}
#: What a negation or sarcasm can turn, the most telling first.
TURNED = (COMPLAINT, "failure_type", "prior_recovery", "churn", "stability", "controllability")
#: Sets whose records stand in groups of a shared ``pair``, with the size of a group.
GROUPED: Mapping[str, int] = {"style": 4, "negation": 2, "deviation": 2}


@dataclass(frozen=True, slots=True)
class Item:
    """A record of a hard set; ``pair`` is empty where the record stands alone."""

    record: Record
    set: str
    pair: str = ""


def read_sets(folder: Path = HARD) -> list[Item]:
    """Read every ``<set>.jsonl`` of ``folder``.

    Raises
    ------
    InputError
        If there is none, for a bad record, a set that is not known, or a group that is not whole.
    """
    items = []
    for path in sorted(folder.glob("*.jsonl")):
        rows = (row for _, row in read_lines(path))
        for record, row in zip(read_labelled(path), rows, strict=True):
            item = Item(record, row.get("set", ""), row.get("pair", ""))
            if item.set != path.stem or item.set not in FIELDS:
                raise InputError(f"{path}: {record.id} is of the set {item.set!r}; the sets are {', '.join(FIELDS)}, a file each")
            items.append(item)
    if not items:
        raise InputError(f"{folder}: there is no hard set here")
    for pair, rows_of in _by_pair(items).items():
        own = items[rows_of[0]].set
        if len(rows_of) != GROUPED.get(own, 1) or len({items[row].set for row in rows_of}) > 1:
            raise InputError(f"{folder}: {pair} has {len(rows_of)} records, one group of {own} has {GROUPED.get(own, 1)}")
    return items


def judge(model: Model, folder: Path = HARD) -> dict[str, dict[str, float]]:
    """Return for each set how many items were judged and the share that passed.

    Parameters
    ----------
    model : amends.model.Model
        The model to judge.
    folder : pathlib.Path
        The sets.

    Returns
    -------
    dict
        ``{set: {"items": n, "passed": share}}``, in the order of the sets' names. An item is a group in `style`, a pair in
        `deviation` and a record elsewhere.
    """
    items = read_sets(folder)
    truth = with_complaint(targets([item.record for item in items]))
    said = with_complaint(predict(model, [item.record.text for item in items]).chosen)
    passed: dict[str, list[bool]] = {}
    for rows in _by_pair(items).values():
        name = items[rows[0]].set
        passed.setdefault(name, []).extend(_passes(name, rows, truth, said))
    return {name: {"items": len(values), "passed": float(np.mean(values))} for name, values in sorted(passed.items())}


def with_complaint(columns: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return label numbers by field with one more column: whether ``failure_type`` is anything but `none`."""
    none = codebook()["failure_type"].index("none")
    return {**columns, COMPLAINT: (columns["failure_type"] != none).astype(int)}


def fields_of(name: str, rows: Sequence[int], truth: Mapping[str, np.ndarray]) -> tuple[str, ...]:
    """Return the fields that the items ``rows`` of the set ``name`` are about.

    Raises
    ------
    InputError
        For a pair of `negation` whose labels agree in all that a negation can turn.
    """
    if FIELDS[name]:
        return FIELDS[name]
    for field in TURNED:
        if len(set(truth[field][list(rows)].tolist())) > 1:
            return (field,)
    raise InputError(f"{name}: the labels of a pair differ in none of {', '.join(TURNED)}")


def _passes(name: str, rows: Sequence[int], truth: Mapping[str, np.ndarray], said: Mapping[str, np.ndarray]) -> list[bool]:
    """Whether each item among ``rows``, the records of one group, passes."""
    fields = fields_of(name, rows, truth)
    if name == "style":
        return [len(set(said[fields[0]][list(rows)].tolist())) == 1]
    right = [all(bool(truth[field][row] == said[field][row]) for field in fields) for row in rows]
    return [all(right)] if name == "deviation" else right


def _by_pair(items: Iterable[Item]) -> dict[str, list[int]]:
    """Group item numbers by pair; a record without one is a group of its own."""
    groups: dict[str, list[int]] = {}
    for row, item in enumerate(items):
        groups.setdefault(item.pair or item.record.id, []).append(row)
    return groups
