"""Text outputs: CSV, TSV and JSONL, plain or compressed. What is written depends on the rows alone, not on how they were cut."""

from __future__ import annotations

import csv
import gzip
import io
from typing import IO, TYPE_CHECKING, Any, Protocol, cast

from amends.batch.block import Block, Layout
from amends.batch.values import all_encodable, encodable, render, safe, to_json

if TYPE_CHECKING:
    from pathlib import Path


class Writer(Protocol):
    """Takes blocks, in order, and closes the output; ``notes`` tells what could not be written as it was."""

    notes: dict[str, int]

    def write(self, block: Block) -> None:
        """Append the rows of ``block``."""

    def close(self) -> None:
        """Complete the output."""


def open_bytes(path: Path, compression: str) -> IO[bytes]:
    """Open ``path`` for writing; the same bytes give the same file, as compressed headers bear no time and no name."""
    if compression == "gzip":
        return cast("IO[bytes]", _Gzip(path))
    if compression == "zstd":
        import pyarrow as pa

        return pa.CompressedOutputStream(pa.OSFile(str(path), "wb"), "zstd")
    return path.open("wb")


class _Gzip(gzip.GzipFile):
    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")
        super().__init__(filename="", mode="wb", fileobj=self._file, mtime=0, compresslevel=6)

    def close(self) -> None:
        super().close()
        self._file.close()


class DelimitedWriter:
    """CSV (commas) or TSV (tabs), UTF-8, a line feed after each record, quoted where needed.

    Parameters
    ----------
    file : binary file
        Where to; the writer closes it.
    layout : Layout
        The columns.
    delimiter : str
        What parts the cells.
    spreadsheet_safe : bool
        Whether to put an apostrophe before cells of text that a spreadsheet would take for a formula.
    """

    def __init__(self, file: IO[bytes], layout: Layout, *, delimiter: str, spreadsheet_safe: bool) -> None:
        self._file, self._delimiter, self._safe = file, delimiter, spreadsheet_safe
        self.notes: dict[str, int] = {}
        header = [encodable(name) for name in (*layout.names, *layout.outputs)]
        self._put([safe(header) if spreadsheet_safe else header])

    def write(self, block: Block) -> None:
        """Append the rows of ``block``."""
        columns: list[list[Any]] = []
        for number, values in enumerate(block.inputs()):
            if block.is_text(number):
                columns.append(safe([v or "" for v in values]) if self._safe else values)
                continue
            cells = [render(value) for value in values]
            if not all_encodable(cells):
                self.notes["lone_surrogates"] = self.notes.get("lone_surrogates", 0) + sum(
                    encodable(cell) is not cell for cell in cells
                )
                cells = [encodable(cell) for cell in cells]
            if self._safe:
                fixed = safe(cells)
                cells = [new if isinstance(old, str) else cell for new, cell, old in zip(fixed, cells, values, strict=True)]
            columns.append(cells)
        for values in block.outputs():
            text = self._safe and any(isinstance(value, str) for value in values)
            columns.append(safe([value or "" for value in values]) if text else values)
        self._put(list(zip(*columns, strict=True)))

    def close(self) -> None:
        """Complete the output."""
        self._file.close()

    def _put(self, rows: list[Any]) -> None:
        self._file.write(_records(rows, self._delimiter).encode())


def _records(rows: list[Any], delimiter: str) -> str:
    """Return ``rows`` as CSV records that end in a line feed.

    Python before 3.13 quotes a lone carriage return only where records end in CR LF, so they are written so and then
    mended: at once where no cell holds a carriage return, else record by record.
    """
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\r\n").writerows(rows)
    found = text.getvalue()
    if found.count("\r") == len(rows):
        return found.replace("\r\n", "\n")
    parts = []
    for row in rows:
        text = io.StringIO()
        csv.writer(text, delimiter=delimiter, lineterminator="\r\n").writerow(row)
        parts.append(text.getvalue()[:-2])
    return "\n".join([*parts, ""])


class JsonLinesWriter:
    """JSONL: the records of a JSONL input stay as they are, byte for byte, with the output columns appended.

    Parameters
    ----------
    file : binary file
        Where to; the writer closes it.
    layout : Layout
        The columns.
    """

    def __init__(self, file: IO[bytes], layout: Layout) -> None:
        self._file, self._outputs, self._names = file, layout.outputs, layout.unique
        self.notes: dict[str, int] = {}

    def write(self, block: Block) -> None:
        """Append the rows of ``block``."""
        outputs = [to_json(dict(zip(self._outputs, row, strict=True))) for row in zip(*block.outputs(), strict=True)]
        lines = block.lines()
        if lines is None:
            rows = zip(*block.inputs(), strict=True) if self._names else iter([()] * block.rows)
            lines = [to_json(dict(zip(self._names, row, strict=True))) for row in rows]
        joined = [_join(line, output) for line, output in zip(lines, outputs, strict=True)]
        self._file.write("\n".join([*joined, ""]).encode())

    def close(self) -> None:
        """Complete the output."""
        self._file.close()


def _join(line: str, output: str) -> str:
    inner = line[1:-1].rstrip()
    return f"{{{inner}, {output[1:]}" if inner.strip() else output
