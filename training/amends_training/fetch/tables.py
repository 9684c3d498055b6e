"""Reading published tables row by row: CSV, plain, gzipped or zipped, of which memory holds one row at a time."""

from __future__ import annotations

import csv
import gzip
import io
import re
import zipfile
import zlib
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, NamedTuple

from amends.batch.encoding import readable
from amends.errors import InputError
from amends_training.fetch.downloads import Limits, Progress

#: Our name of a column, and what publishers have called it, in lower case with underscores for all that is no letter or digit.
Columns = Mapping[str, Sequence[str]]

_LONGEST_LINE = 1 << 20
#: To look where one is takes longer than to read a line.
_OFTEN = 4096


class _Header(NamedTuple):
    """The names in a header line, the place of each of our columns, and the delimiter that shows them."""

    names: list[str]
    places: dict[str, int]
    delimiter: str


@dataclass(frozen=True, slots=True)
class Row:
    """A row, whose cells have our names; bytes that are not UTF-8 are read as Windows-1252."""

    header: _Header
    cells: list[str]

    def __getitem__(self, name: str) -> str:
        place = self.header.places.get(name, len(self.cells))
        return readable(self.cells[place]) if place < len(self.cells) else ""

    def rest(self) -> dict[str, str]:
        """Return the cells of our further columns that are not empty."""
        return {name: number(self[name]) for name in self.header.places if name not in ("id", "text") and self[name].strip()}

    def behind(self, name: str) -> Iterator[tuple[str, str]]:
        """Yield the publisher's name and the cell of each column behind ``name``."""
        first = self.header.places[name] + 1
        yield from zip(self.header.names[first:], self.cells[first:], strict=False)


def number(cell: str) -> str:
    """Return a whole number as such, for it may be written 12 or 12.0, and anything else as it is."""
    return re.sub(r"\A\s*(-?\d+)(\.0)?\s*\Z", r"\1", cell)


def read_rows(
    path: Path, columns: Columns, required: Sequence[str], limits: Limits, progress: Progress
) -> Generator[Row, None, None]:
    """Yield each row that has the required columns, of every CSV file in ``path``.

    Raises
    ------
    InputError
        For a file that is damaged, too large, no table, or lacks a required column.
    """
    refused, read, unpacked = None, False, 0
    with _reading(path), path.open("rb") as file:
        size = path.stat().st_size
        for name, stream in _members(file, path):
            where = f"{path} ({name})" if name else str(path)
            with io.TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="") as text:
                lines = _lines(text, where, stream, unpacked, limits.expanded)
                first = next(lines, "")
                try:
                    header = _header(first, columns, required, where)
                except InputError as error:  # in a zip it may be a table of another kind, such as the meanings of the columns
                    refused = error
                else:
                    read = True
                    least = max(header.places[one] for one in required)
                    for count, cells in enumerate(csv.reader(lines, delimiter=header.delimiter)):
                        if count % _OFTEN == 0:
                            progress(f"reading {path.name}", file.tell(), size)
                        if len(cells) > least:
                            yield Row(header, cells)
                unpacked += stream.tell()
        if refused and not read:
            raise refused
        progress(f"reading {path.name}", size, size)


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Turn what goes wrong in a file into an `InputError` that says what to do."""
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, EOFError, gzip.BadGzipFile) as error:
        raise InputError(f"{path}: damaged ({error}); delete it and fetch it again") from error
    except (NotImplementedError, RuntimeError) as error:  # Deflate64, which some large zip files use; a password
        raise InputError(f"{path}: cannot be unpacked here ({error}); unpack it and give the CSV file inside") from error
    except csv.Error as error:
        raise InputError(f"{path}: not a CSV file as expected ({error})") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from error


def _members(file: IO[bytes], path: Path) -> Iterator[tuple[str, IO[bytes]]]:
    """Yield each table in ``file``, known as zip, gzip or plain by its first bytes."""
    magic = file.read(4)
    file.seek(0)
    if magic[:2] == b"\x1f\x8b":
        with gzip.open(file) as stream:
            yield "", stream  # type: ignore[misc]
    elif magic == b"PK\x03\x04":
        with zipfile.ZipFile(file) as archive:
            inside = [one for one in archive.namelist() if not one.startswith("__MACOSX/")]
            tables = [one for one in inside if one.lower().endswith((".csv", ".tsv"))]
            if not tables:
                raise InputError(f"{path}: no CSV file in it, but {', '.join(inside[:5]) or 'nothing'}")
            for one in tables:
                with archive.open(one) as stream:
                    yield one, stream
    else:
        yield "", file


def _lines(text: IO[str], where: str, stream: IO[bytes], before: int, most: int) -> Iterator[str]:
    """Yield the lines, and refuse one without end, and more than ``most`` bytes: those of earlier tables and of this ``stream``."""
    for count, line in enumerate(iter(partial(text.readline, _LONGEST_LINE), "")):
        if len(line) == _LONGEST_LINE:
            raise InputError(f"{where}: a line of more than {_LONGEST_LINE:,} characters; not a CSV file as expected")
        if count % _OFTEN == 0 and before + stream.tell() > most:
            raise InputError(f"{where}: more than {most:,} bytes unpacked, which is more than the data has")
        yield line


def _header(line: str, columns: Columns, required: Sequence[str], where: str) -> _Header:
    """Find our columns in the header line."""
    if line.lstrip()[:1] == "<":
        raise InputError(
            f"{where}: a web page, not the file itself; open the address in a browser and copy the link of the download"
        )
    for delimiter in (",", "\t", "|", ";"):
        names = [name.strip() for name in next(csv.reader([line], delimiter=delimiter), [])]
        plain = [re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") for name in names]
        found = {own: [plain.index(one) for one in known if one in plain] for own, known in columns.items()}
        if all(found[one] for one in required):
            return _Header(names, {own: places[0] for own, places in found.items() if places}, delimiter)
    lacking = " and ".join(f"“{columns[one][0]}”" for one in required)
    seen = [name for name in next(csv.reader([line]), []) if len(name) < 40][:12]
    raise InputError(f"{where}: needs columns {lacking}; its first line has {', '.join(seen) or 'none'}")
