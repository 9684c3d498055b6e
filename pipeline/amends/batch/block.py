"""Parts on their way into an output: the same rows as lists of Python values, as Arrow columns or as lines of JSON.

How a single value is written is told in `values`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time
from typing import TYPE_CHECKING, Any, Literal

from amends.batch.chunk import from_line, unmark
from amends.batch.jsonlines import parse
from amends.batch.scoring import LINE
from amends.batch.values import encodable, render, to_json
from amends.columns import PREFIX, RAW, schema

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa


@dataclass(frozen=True)
class Layout:
    """What the columns of the output are.

    ``names`` are the input's columns that stay, ``places`` where they stand in a part (a column's number, or a key of JSONL);
    ``kinds`` the kinds of their values (`chunk.kind`) where these are typed one by one (JSONL and XLSX); ``original`` the
    Arrow schema of a Parquet input.
    """

    mode: Literal["table", "cells", "lines"]
    names: tuple[str, ...]
    places: tuple[int | str, ...]
    kinds: tuple[str, ...]
    evidence: bool
    raw: bool
    dropped: bool = False
    original: pa.Schema | None = None

    @property
    def outputs(self) -> list[str]:
        """The output columns; `amends_raw` comes last, so that no other column's place depends on it."""
        return [*schema(self.evidence).names, *([RAW] if self.raw else [])]

    @property
    def unique(self) -> list[str]:
        """The input's names, those that repeat numbered, for formats in which a name can stand but once."""
        seen: set[str] = set(self.outputs)
        result = []
        for name in self.names:
            own, number = name or "column", 2
            while own in seen or (own != name and own in self.names):
                own, number = f"{name or 'column'}_{number}", number + 1
            seen.add(own)
            result.append(own)
        return result


class Block:
    """Some successive rows of the output."""

    def __init__(self, table: pa.Table, layout: Layout) -> None:
        self._table, self._layout = table, layout
        self.rows: int = table.num_rows

    def inputs(self) -> list[list[Any]]:
        """Return the input's columns as lists of Python values."""
        layout = self._layout
        if layout.mode == "table":
            return [self._table.column(place).to_pylist() for place in layout.places]
        lines = self._table.column(LINE).to_pylist()
        if layout.mode == "cells":
            rows = [from_line(line) for line in lines]
            return [[unmark(row[place]) for row in rows] for place in layout.places]
        records = [parse(line) or {} if line else {} for line in lines]
        return [[record.get(place) for record in records] for place in map(str, layout.places)]

    def is_text(self, column: int) -> bool:
        """Tell whether the input's ``column`` holds nothing but text, in Arrow's hands."""
        import pyarrow as pa

        return self._layout.mode == "table" and pa.types.is_string(self._table.column(self._layout.places[column]).type)

    def outputs(self) -> list[list[Any]]:
        """Return the output columns as lists of Python values."""
        return [column.to_pylist() for column in self._output_columns()]

    def lines(self) -> list[str] | None:
        """Return the records of a JSONL input as it had them, less `amends_*` keys; ``""`` for one that is malformed."""
        if self._layout.mode != "lines":
            return None
        lines: list[str] = self._table.column(LINE).to_pylist()
        if not self._layout.dropped:
            return lines
        records = [parse(line) or {} if line else {} for line in lines]
        return [to_json({key: value for key, value in record.items() if not key.startswith(PREFIX)}) for record in records]

    def arrow(self) -> tuple[list[pa.ChunkedArray], list[pa.ChunkedArray]]:
        """Return the input's and the output columns as Arrow arrays."""
        import pyarrow as pa

        layout = self._layout
        if layout.mode == "table":
            inputs = [self._table.column(place) for place in layout.places]
        else:
            inputs = []
            for values, kinds in zip(self.inputs(), layout.kinds, strict=True):
                type_, convert = arrow_type(kinds)
                inputs.append(pa.chunked_array([pa.array([None if v is None else convert(v) for v in values], type_)], type_))
        return inputs, self._output_columns()

    def _output_columns(self) -> list[pa.ChunkedArray]:
        import pyarrow as pa

        nothing = pa.chunked_array([pa.nulls(self.rows, pa.string())], pa.string())
        there = set(self._table.schema.names)
        return [self._table.column(name) if name in there else nothing for name in self._layout.outputs]


def arrow_type(kinds: str) -> tuple[pa.DataType, Callable[[Any], Any]]:
    """Return the Arrow type for a column whose values are of ``kinds``, and what makes a value fit it.

    Kinds that do not mix without loss become text.
    """
    import pyarrow as pa

    found = set(kinds) - {"n"}
    if found == {"b"}:
        return pa.bool_(), _same
    if found == {"i"}:
        return pa.int64(), _same
    if found == {"f"}:
        return pa.float64(), _same
    if found == {"f", "i"}:
        return pa.float64(), float
    if found == {"t"} or found == {"t", "d"}:
        return pa.timestamp("us"), _moment
    if found == {"d"}:
        return pa.date32(), _same
    if found == {"h"}:
        return pa.time64("us"), _same
    if found == {"u"}:
        return pa.duration("us"), _same
    return pa.string(), lambda value: encodable(render(value))


def _same(value: Any) -> Any:
    return value


def _moment(value: Any) -> Any:
    return value if isinstance(value, datetime) else datetime.combine(value, time())
