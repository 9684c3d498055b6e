"""Outputs with types of their own: XLSX and Parquet."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from math import isfinite
from typing import TYPE_CHECKING, Any

from amends.batch.block import Block, Layout, arrow_type
from amends.batch.values import encodable, render
from amends.columns import schema

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pyarrow as pa

#: Excel's limits: rows (with the header), columns and UTF-16 units in a cell.
XLSX_ROWS, XLSX_COLUMNS, XLSX_CELL = 1_048_576, 16_384, 32_767
#: The workbook's date of creation, a fixed one, so that the same rows give the same bytes.
_CREATED = datetime.fromisoformat("2000-01-01")
#: Before this Excel counts a day too many.
_EXCEL_START = datetime.fromisoformat("1900-03-01")
#: A row group of the Parquet output is closed at so many rows or bytes, whichever comes first: as it is held in memory several times
#: over while it is encoded, larger ones would make the peak of a run.
_GROUP_ROWS, _GROUP_BYTES = 50_000, 8 << 20


class XlsxWriter:
    """XLSX, row by row in constant memory; every text is a typed string, never a formula or a link.

    Parameters
    ----------
    path : pathlib.Path
        Where to.
    layout : Layout
        The columns.
    metadata : mapping
        Custom properties of the workbook.
    """

    def __init__(self, path: Path, layout: Layout, metadata: Mapping[str, str]) -> None:
        import xlsxwriter

        self._book = xlsxwriter.Workbook(str(path), {"constant_memory": True, "tmpdir": str(path.parent)})
        self._book.set_properties({"created": _CREATED})
        for key, value in metadata.items():
            self._book.set_custom_property(key, value[:255])
        self._sheet = self._book.add_worksheet("scored")
        self._sheet.freeze_panes(1, 0)
        self._formats = {
            kind: self._book.add_format({"num_format": shown})
            for kind, shown in (
                (datetime, "yyyy-mm-dd hh:mm:ss"),
                (date, "yyyy-mm-dd"),
                (time, "hh:mm:ss"),
                (timedelta, "[h]:mm:ss"),
            )
        }
        self.notes: dict[str, int] = {}
        self._row = 0
        self._put((*layout.names, *layout.outputs))

    def write(self, block: Block) -> None:
        """Append the rows of ``block``."""
        for row in zip(*block.inputs(), *block.outputs(), strict=True):
            self._put(row)

    def close(self) -> None:
        """Complete the output."""
        self._book.close()

    def _put(self, cells: tuple[Any, ...]) -> None:
        sheet, row = self._sheet, self._row
        for column, cell in enumerate(cells):
            kind = type(cell)
            if kind is str:
                self._text(row, column, cell)
            elif cell is None:
                continue
            elif kind is bool:
                sheet.write_boolean(row, column, cell)
            elif (kind is int and abs(cell) < 2**53) or (kind is float and isfinite(cell)):
                sheet.write_number(row, column, cell)
            elif kind in self._formats and _in_range(cell):
                sheet.write_datetime(row, column, cell, self._formats[kind])
            else:
                self._text(row, column, render(cell))
        self._row += 1

    def _text(self, row: int, column: int, text: str) -> None:
        if not text:
            return
        whole = encodable(text)
        if whole is not text:
            self._note("lone_surrogates")
        if len(whole) > XLSX_CELL // 2 and len(units := whole.encode("utf-16-le")) > 2 * XLSX_CELL:
            whole = units[: 2 * XLSX_CELL].decode("utf-16-le", "ignore")
            self._note("cut_cells")
        self._sheet.write_string(row, column, whole)

    def _note(self, what: str) -> None:
        self.notes[what] = self.notes.get(what, 0) + 1


def _in_range(cell: Any) -> bool:
    """Tell whether Excel's calendar has ``cell``: from 1 March 1900, before which it counts a day too many, and without a zone."""
    match cell:
        case datetime():
            return cell.tzinfo is None and cell >= _EXCEL_START
        case date():
            return cell >= _EXCEL_START.date()
        case time():
            return cell.tzinfo is None
    return bool(cell >= timedelta(0))


class ParquetWriter:
    """Parquet; the input's columns keep their types, row groups do not depend on how the rows were scored.

    Parameters
    ----------
    path : pathlib.Path
        Where to.
    layout : Layout
        The columns.
    metadata : mapping
        Entries of the file's metadata, beside those that a Parquet input had.
    """

    def __init__(self, path: Path, layout: Layout, metadata: Mapping[str, str]) -> None:
        self._path, self._layout = path, layout
        self._metadata = {key.encode(): value.encode() for key, value in metadata.items()}
        self._writer: Any = None
        self._pending: list[pa.Table] = []
        self._rows = self._bytes = 0
        self.notes: dict[str, int] = {}

    def write(self, block: Block) -> None:
        """Append the rows of ``block``."""
        import numpy as np
        import pyarrow as pa

        inputs, outputs = block.arrow()
        names = [*self._layout.unique, *self._layout.outputs]
        table = pa.Table.from_arrays([*inputs, *(_plain(column) for column in outputs)], names=names)
        ends = np.cumsum(_sizes(table))
        start = 0
        while start < table.num_rows:
            before = int(ends[start - 1]) if start else 0
            stop = min(
                int(np.searchsorted(ends, before + _GROUP_BYTES - self._bytes)) + 1,
                start + _GROUP_ROWS - self._rows,
                table.num_rows,
            )
            self._pending.append(table.slice(start, stop - start))
            self._rows += stop - start
            self._bytes += int(ends[stop - 1]) - before
            start = stop
            if self._rows >= _GROUP_ROWS or self._bytes >= _GROUP_BYTES:
                self._flush()

    def close(self) -> None:
        """Complete the output."""
        if self._rows or self._writer is None:
            self._flush()
        self._writer.close()

    def _flush(self) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        table = pa.concat_tables(self._pending).unify_dictionaries() if self._pending else None
        wanted = self._schema()
        if table is None:
            table = wanted.empty_table()
        columns = [_as(column, field.type) for column, field in zip(table.columns, wanted, strict=True)]
        table = pa.Table.from_arrays(columns, schema=wanted)
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._path, wanted, compression="zstd")
        self._writer.write_table(table, row_group_size=max(table.num_rows, 1))
        self._pending, self._rows, self._bytes = [], 0, 0

    def _schema(self) -> pa.Schema:
        """Return the schema of the output; its types come from the input as a whole, not from the rows at hand."""
        import pyarrow as pa

        if self._writer is not None:
            return self._writer.schema
        layout, given = self._layout, schema(self._layout.evidence)
        fields = []
        for number, (name, place) in enumerate(zip(layout.unique, layout.places, strict=True)):
            if layout.original is not None and isinstance(place, int):
                fields.append(layout.original.field(place).with_name(name).with_nullable(nullable=True))
            else:
                fields.append(pa.field(name, pa.string() if layout.mode == "table" else arrow_type(layout.kinds[number])[0]))
        fields += [given.field(name) if name in given.names else pa.field(name, pa.string()) for name in layout.outputs]
        kept = dict(layout.original.metadata or {}) if layout.original is not None else {}
        return pa.schema(fields, metadata={**kept, **self._metadata})


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Decode a dictionary, which differs from part to part."""
    import pyarrow as pa

    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column


def _as(column: pa.ChunkedArray, wanted: pa.DataType) -> pa.ChunkedArray:
    """Encode a column of text again; the dictionary follows from the rows of the row group."""
    import pyarrow as pa

    if pa.types.is_dictionary(wanted) and not pa.types.is_dictionary(column.type):
        encoded = column.combine_chunks().dictionary_encode()
        if len(encoded.dictionary) > 127 and wanted.index_type == pa.int8():
            raise ValueError(f"{len(encoded.dictionary)} labels do not fit {wanted}")
        return pa.chunked_array([encoded.cast(wanted)])
    return column if column.type == wanted else column.cast(wanted)


def _sizes(table: pa.Table) -> Any:
    """Each row's size in bytes, about; it depends on nothing but the row."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    sizes = np.full(table.num_rows, 8 * table.num_columns, dtype=np.int64)
    for column in table.columns:
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type) or pa.types.is_binary(column.type):
            sizes += pc.fill_null(pc.binary_length(column), 0).to_numpy().astype(np.int64)
    return sizes


def metadata_of(text_column: str, id_column: str | None, model: str) -> dict[str, str]:
    """Return what Parquet and XLSX outputs say of themselves: ``amends_text_column``, ``amends_id_column``, ``amends_model``.

    Examples
    --------
    >>> metadata_of("narrative", None, "fast-1+0123")
    {'amends_text_column': 'narrative', 'amends_model': 'fast-1+0123'}
    """
    found = {"amends_text_column": text_column, "amends_id_column": id_column or "", "amends_model": model}
    return {key: value for key, value in found.items() if value}
