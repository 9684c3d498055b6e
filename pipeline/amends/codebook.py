"""The codebook as typed values: label sets, groups, order, definitions and sources.

Everything that needs a label gets it here; the text of the codebook itself is ``data/codebook.toml``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any, Literal

Kind = Literal["nominal", "ordered", "multi", "binary", "plan"]


@dataclass(frozen=True, slots=True)
class Label:
    """One label: its name in files, its group if it has one, and what a reader is shown."""

    name: str
    display: str
    definition: str
    group: str = ""
    letter: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    """One thing the codebook decides about a complaint, with its labels in codebook order.

    ``kind`` is ``nominal`` or ``ordered`` (one of the labels), ``binary`` (0 or 1), ``multi`` (any number of labels)
    or ``plan`` (any number, ordered by importance).
    """

    name: str
    kind: Kind
    display: str
    question: str
    source: str
    labels: tuple[Label, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The labels' names in codebook order."""
        return tuple(label.name for label in self.labels)

    def index(self, name: str) -> int:
        """Return the place of label ``name``; an unknown one raises ``ValueError`` that lists the labels there are."""
        try:
            return self.names.index(name)
        except ValueError:
            raise ValueError(f"{self.name}: unknown label {name!r}; the codebook has {', '.join(self.names)}") from None

    def __getitem__(self, name: str) -> Label:
        return self.labels[self.index(name)]


@dataclass(frozen=True, slots=True)
class Codebook:
    """The whole codebook: ``fields`` by name in codebook order, and what a message without a failure is given."""

    version: str
    fields: Mapping[str, Field]
    groups: Mapping[str, str]
    no_failure: Mapping[str, Any]

    def __getitem__(self, name: str) -> Field:
        return self.fields[name]

    @property
    def concerns(self) -> tuple[str, ...]:
        """The justice concerns, in codebook order."""
        return self.fields["justice"].names

    @property
    def decided(self) -> tuple[str, ...]:
        """The eleven decided fields of the headline: each field, with ``justice`` as its four concerns."""
        return tuple(n for f in self.fields.values() if f.kind != "plan" for n in (f.names if f.kind == "multi" else (f.name,)))


@cache
def codebook() -> Codebook:
    """Return the codebook (read once).

    Examples
    --------
    >>> codebook()["severity"].names
    ('minor', 'moderate', 'severe')
    >>> codebook()["failure_type"]["denied"].group
    'customer_request'
    """
    raw = tomllib.loads(resources.files("amends").joinpath("data/codebook.toml").read_text(encoding="utf-8"))
    fields: dict[str, Field] = {}
    for entry in raw["field"]:
        rows = entry.get("labels")
        labels = fields[entry["labels_of"]].labels if rows is None else tuple(_label(row) for row in rows)
        fields[entry["name"]] = Field(entry["name"], entry["kind"], entry["display"], entry["question"], entry["source"], labels)
    groups = {group["label"]: group["display"] for group in raw["group"]}
    return Codebook(raw["version"], MappingProxyType(fields), MappingProxyType(groups), MappingProxyType(raw["no_failure"]))


def _label(row: Mapping[str, str]) -> Label:
    return Label(row["label"], row["display"], row["definition"], row.get("group", ""), row.get("letter", ""))
