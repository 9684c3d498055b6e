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
    from collections.abc import Iterator
    from pathlib import Path

    from python_calamine import CalamineSheet, CalamineWorkbook

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
            sheet = self._book.get_sheet_by_name(name)
            shape = _shape(sheet)
        except Exception as error:
            raise InputError(f"{self.path}: the sheet {name!r} cannot be read") from error
        return None if shape is None else Sheet(name, sheet, shape, chunk_rows=chunk_rows)


def _shape(sheet: CalamineSheet) -> tuple[int, int, int] | None:
    """Return the number of the first row that holds anything, of the last, and the width; formatted but empty cells do not count."""
    first, last, width = -1, -1, 0
    for number, row in enumerate(sheet.iter_rows()):
        used = next((i for i in range(len(row), 0, -1) if row[i - 1] != ""), 0)
        if used:
            first, last, width = (number if first < 0 else first), number, max(width, used)
    return (first, last, width) if width else None


class Sheet:
    """One sheet: its first row that is not empty names the columns.

    Of merged cells the first has the value. Numbers without a fraction are integers, as Excel makes no difference; an empty
    cell is None.
    """

    unit = "row"
    header = True

    def __init__(self, name: str, sheet: CalamineSheet, shape: tuple[int, int, int], *, chunk_rows: int) -> None:
        first, last, self._width = shape
        # Rows become Python objects one by one: all at once they would take several times the memory.
        self._rows: Iterator[list[Any]] = islice(sheet.iter_rows(), first, last + 1)
        header = [_cell(cell) for cell in next(self._rows)[: self._width]]
        self.names = ["" if cell is None else str(cell) for cell in header]
        self._chunk_rows = chunk_rows
        self.settings = {"sheet": name}
        self.notes: list[str] = []
        self.rows: int | None = last - first
        self.total = last - first
        self.position = 0

    def close(self) -> None:
        """Forget the rows."""
        self._rows = iter(())

    def chunks(self) -> Iterator[Chunk]:
        """Yield the rows below the header, each as a line of JSON."""
        index = start = size = 0
        kept: list[str] = []
        for row in self._rows:
            kept.append(to_line([_cell(cell) for cell in row[: self._width]]))
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
