"""Chunks: what a source hands to the scorer. Their borders have no influence on what is written."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa


@dataclass
class Chunk:
    """Some successive records.

    ``table`` holds them as columns (CSV, Parquet), or ``lines`` as a JSON text each: an object (JSONL) or, where the columns
    are fixed but cells are typed (XLSX), an array. ``malformed`` gives the raw text of the records that could not be parsed,
    by their place in the chunk; in a table their cells are null.
    """

    index: int
    start: int
    rows: int
    table: pa.Table | None = None
    lines: list[str] | None = None
    malformed: dict[int, str] = field(default_factory=dict)


class Source(Protocol):
    """A file that can be read in chunks.

    ``names`` are its columns (of JSONL: those of the first chunk), ``notes`` what the user should be told, ``rows`` their number where
    that is known beforehand. ``position`` and ``total`` are in ``unit``, for a progress bar. ``header`` tells whether the names are the
    file's first row, which may be missing.
    """

    names: list[str]
    notes: list[str]
    settings: dict[str, str]
    rows: int | None
    total: int
    unit: str
    header: bool

    @property
    def position(self) -> int:
        """How far the file has been read."""

    def chunks(self) -> Iterator[Chunk]:
        """Yield the records, in order; to be called once."""

    def sample(self, chunk: Chunk) -> dict[str, list[object]]:
        """Return the columns of ``chunk`` as lists, by name (of equal names the first)."""

    def close(self) -> None:
        """Close the file."""


# ------------------------------------------------------------------------------------------------------ cells as JSON
#: XLSX cells that JSON has no type for, by the key that marks them.
_MARKS: dict[str, Any] = {
    "$datetime": datetime.fromisoformat,
    "$date": date.fromisoformat,
    "$time": time.fromisoformat,
    "$seconds": lambda seconds: timedelta(seconds=seconds),
}


def to_line(cells: Sequence[object]) -> str:
    """Return typed cells as one line of JSON; `from_line` reads it."""
    return json.dumps(cells, default=_mark)


def from_line(line: str) -> Any:
    """Return the value of a line of JSON; an integer of thousands of digits, which Python refuses, stays text."""
    try:
        return json.loads(line)
    except json.JSONDecodeError:
        raise
    except ValueError:
        return json.loads(line, parse_int=str)


def unmark(cell: Any) -> Any:
    """Return a cell of `to_line` with its date or time restored."""
    if isinstance(cell, dict):
        ((mark, value),) = cell.items()
        return _MARKS[mark](value)
    return cell


def _mark(cell: object) -> dict[str, object]:
    match cell:
        case datetime():
            return {"$datetime": cell.isoformat()}
        case date():
            return {"$date": cell.isoformat()}
        case time():
            return {"$time": cell.isoformat()}
        case timedelta():
            return {"$seconds": cell.total_seconds()}
    return {"$date": str(cell)}


def kind(value: object) -> str:
    """Return one letter for the type of ``value``: what decides the type of a Parquet column whose cells carry their own.

    ``n`` null, ``b`` boolean, ``i`` 64-bit integer, ``I`` larger, ``f`` number, ``s`` text, ``j`` nested, ``d`` date,
    ``t`` date and time, ``h`` time of day, ``u`` duration.
    """
    match value:
        case None:
            return "n"
        case bool():
            return "b"
        case int():
            return "i" if -(2**63) <= value < 2**63 else "I"
        case float():
            return "f"
        case str():
            return "s"
        case datetime():
            return "t"
        case date():
            return "d"
        case time():
            return "h"
        case timedelta():
            return "u"
    return "j"
