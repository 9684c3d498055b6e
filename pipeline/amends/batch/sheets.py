"""XLSX in: one sheet of a workbook, with the values that its formulas had when it was saved.

Read by calamine, which is some ten times faster than openpyxl and, unlike it, restores escaped control characters. A workbook is compressed
XML that has to be expanded as a whole, so one that expands to more than any sheet can hold is refused.
"""

from __future__ import annotations

import zipfile
from itertools import islice
from typing import TYPE_CHECKING, Any

from amends.batch.chunk import Chunk, from_line, to_line, unmark
from amends.batch.options import CHUNK_CHARACTERS
from amends.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from python_calamine import CalamineWorkbook

_MOST_EXPANDED = 4 << 30
_MOST_GROWTH = 500
_HARMLESS = 256 << 20


class Workbook:
    """An XLSX file, whose sheets are sources of chunks.

    Raises
    ------
    InputError
        If the file is no workbook, is encrypted or would expand beyond measure.
    """

    def __init__(self, path: Path) -> None:
        from python_calamine import CalamineWorkbook

        self.path = path
        try:
            with zipfile.ZipFile(path) as archive:
                expanded = sum(entry.file_size for entry in archive.infolist())
            size = path.stat().st_size
            if expanded > _MOST_EXPANDED or (expanded > _HARMLESS and expanded > _MOST_GROWTH * size):
                raise InputError(f"{path}: its {size:,} bytes expand to {expanded:,}; export the sheet as CSV or Parquet instead")
            self._book: CalamineWorkbook = CalamineWorkbook.from_path(str(path))
        except InputError:
            raise
        except Exception as error:  # calamine's errors have no base class of their own
            raise InputError(f"{path}: not an XLSX workbook that can be read (an encrypted one or another format?)") from error
        self.names: list[str] = list(self._book.sheet_names)

    def sheet(self, name: str, *, chunk_rows: int) -> Sheet | None:
        """Return the sheet called ``name``; None where it is empty."""
        try:
            rows: list[list[Any]] = self._book.get_sheet_by_name(name).to_python(skip_empty_area=False)
        except Exception as error:
            raise InputError(f"{self.path}: the sheet {name!r} cannot be read") from error
        while rows and not any(cell != "" for cell in rows[-1]):
            rows.pop()  # cells that were formatted but never filled
        first = next((i for i, row in enumerate(rows) if any(cell != "" for cell in row)), None)
        return None if first is None else Sheet(name, rows[first], rows[first + 1 :], chunk_rows=chunk_rows)


class Sheet:
    """One sheet: its first row that is not empty names the columns.

    Of merged cells the first has the value. Numbers without a fraction are integers, as Excel makes no difference; an empty
    cell is None.
    """

    unit = "row"

    def __init__(self, name: str, header: Sequence[object], rows: list[list[Any]], *, chunk_rows: int) -> None:
        width = max((i + 1 for i, cell in enumerate(header) if cell != ""), default=0)
        width = max([width, *(i + 1 for row in rows for i, cell in enumerate(row) if i >= width and cell != "")])
        self.names = [str(_cell(cell) or "") if not isinstance(cell, str) else cell for cell in header[:width]]
        self._rows, self._chunk_rows = rows, chunk_rows
        self.settings = {"sheet": name}
        self.notes: list[str] = []
        self.rows: int | None = len(rows)
        self.total = len(rows)
        self.position = 0

    def close(self) -> None:
        """Forget the rows."""
        self._rows = []

    def chunks(self) -> Iterator[Chunk]:
        """Yield the rows below the header, each as a line of JSON."""
        width = len(self.names)
        index = start = size = 0
        kept: list[str] = []
        for row in self._rows:
            kept.append(to_line([_cell(cell) for cell in row[:width]]))
            size += len(kept[-1])
            self.position += 1
            if len(kept) >= self._chunk_rows or size >= CHUNK_CHARACTERS:
                yield Chunk(index, start, len(kept), lines=kept)
                index, start, size, kept = index + 1, start + len(kept), 0, []
        if kept:
            yield Chunk(index, start, len(kept), lines=kept)

    def sample(self, chunk: Chunk) -> dict[str, list[object]]:
        """Return the first rows of ``chunk`` as lists."""
        rows = [[unmark(cell) for cell in from_line(line)] for line in islice(chunk.lines or [], 500)]
        return {name: [row[i] for row in rows] for i, name in reversed(list(enumerate(self.names)))}


def _cell(cell: object) -> object:
    if cell == "":
        return None
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53:
        return int(cell)
    return cell
