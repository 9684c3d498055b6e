"""Opening an input, and choosing its text column."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from amends.batch import encoding
from amends.batch.columnar import Columnar
from amends.batch.delimited import Delimited, sniff
from amends.batch.jsonlines import JsonLines
from amends.batch.names import listed, refuse_data, require
from amends.batch.paths import TEXT_FORMATS, Place
from amends.batch.scoring import refuse_earlier
from amends.batch.sheets import Sheet, Workbook
from amends.batch.streams import standard_input
from amends.batch.textcolumn import TextColumn, find_text_column
from amends.columns import PREFIX
from amends.errors import InputError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from amends.batch.chunk import Chunk, Source
    from amends.batch.options import Options

_DELIMITER_NAMES = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}


@dataclass
class Opened:
    """An input that is ready to be scored: its source, its chunks (the first of which has been looked at) and its text column."""

    source: Source
    chunks: Iterator[Chunk]
    text_column: str
    runner_up: str
    typed: bool


def open_input(place: Place, options: Options) -> Opened:
    """Open ``place`` and find its text column.

    Raises
    ------
    InputError
        If it cannot be read, has no such column or none that looks like complaints, or has output columns of an earlier run.
    UsageError
        If an option does not suit the format.
    """
    _suits(place, options)
    if place.format == "xlsx":
        return _open_workbook(_as_file(place), options)
    source: Source
    source = Columnar(_as_file(place), chunk_rows=options.chunk_rows) if place.format == "parquet" else _open_text(place, options)
    try:
        return _looked_at(source, options, str(place))
    except BaseException:
        source.close()
        raise


def _suits(place: Place, options: Options) -> None:
    if options.sheet is not None and place.format != "xlsx":
        raise UsageError(f"--sheet is for XLSX; {place} is {place.format.upper()}")
    if options.encoding is not None and place.format not in TEXT_FORMATS:
        raise UsageError(f"--encoding is for text formats; {place} is {place.format.upper()}")
    if options.delimiter is not None and place.format not in ("csv", "tsv"):
        raise UsageError(f"--delimiter is for CSV; {place} is {place.format.upper()}")


def _open_text(place: Place, options: Options) -> Source:
    stream = encoding.ByteStream(place.path, place.compression)
    whole = len(stream.head) < encoding.SAMPLE
    code = encoding.check(options.encoding) if options.encoding else encoding.guess(stream.head, whole=whole)
    if code == "utf-8":
        code = "utf-8-sig"  # the same, and a byte-order mark is no part of the first name
    source: Source
    if place.format == "jsonl":
        source = JsonLines(stream, str(place), encoding=code, chunk_rows=options.chunk_rows)
    else:
        delimiter = _delimiter(options.delimiter) or ("\t" if place.format == "tsv" else "")
        if not delimiter:
            beginning = stream.head[: 1 << 18]
            delimiter = sniff(beginning.decode("cp1252" if code == encoding.MIXED else code, "replace"))
        source = Delimited(stream, str(place), encoding=code, delimiter=delimiter, chunk_rows=options.chunk_rows)
        if delimiter not in (",", "\t") and not options.delimiter:
            source.notes.append(f"{place}: taken to be delimited by {delimiter!r} (--delimiter says otherwise)")
    if code not in ("utf-8-sig",) and not options.encoding:
        how = "Windows-1252 where its bytes are not UTF-8" if code == encoding.MIXED else f"{code.upper()} by its first bytes"
        source.notes.append(f"{place}: read as {how} (--encoding says otherwise)")
    return source


def _delimiter(given: str | None) -> str:
    if given is None:
        return ""
    found = _DELIMITER_NAMES.get(given.lower(), given)
    if len(found) != 1 or found in '"\r\n':
        raise UsageError(f"--delimiter: {given!r} is not one character; for instance ';' or tab")
    return found


def _open_workbook(path: Path, options: Options) -> Opened:
    book = Workbook(path)
    if options.sheet is not None and options.sheet not in book.names:
        raise InputError(f"--sheet: {path} has no sheet {options.sheet!r}; it has {listed(book.names, what='sheet')}")
    problem: InputError | None = None
    for name in [options.sheet] if options.sheet else book.names:
        sheet = book.sheet(name, chunk_rows=options.chunk_rows)
        if sheet is None:
            continue
        try:
            opened = _looked_at(sheet, options, f"{path}, sheet {name!r}")
        except InputError as error:
            problem = problem or error
            continue
        if len(book.names) > 1:
            sheet.notes.append(f"{path}: scoring the sheet {name!r} of {listed(book.names, what='sheet')}")
        return opened
    raise problem or InputError(
        f"{path}: every sheet is empty" if not options.sheet else f"{path}: the sheet {options.sheet!r} is empty"
    )


def _looked_at(source: Source, options: Options, name: str) -> Opened:
    chunks = source.chunks()
    first = next(chunks, None)
    sample = source.sample(first) if first is not None else {column: [] for column in source.names}
    names = list(source.names)
    try:
        if not options.overwrite:
            refuse_earlier(names)
        own = {column: sample[column] for column in names if not column.startswith(PREFIX)}
        runner_up = ""
        if options.text_column is not None:
            text_column = require(options.text_column, names, option="--text-column")
        elif not own:
            raise InputError("there is no record to find the text column in")
        else:
            found = _found(source, own)
            text_column, runner_up = found.name, found.runner_up
        if options.id_column is not None:
            require(options.id_column, names, option="--id-column")
    except InputError as error:
        raise InputError(f"{name}: {error}") from error
    rest = chunks if first is None else chain([first], chunks)
    return Opened(source, rest, text_column, runner_up, isinstance(source, Sheet))


def _found(source: Source, columns: Mapping[str, Sequence[object]]) -> TextColumn:
    """Return the text column; a name that the user gave (``--text-column``) is a name, one that we found may be a complaint."""
    try:
        found = find_text_column(columns, source.names)
    except InputError:
        if source.header:
            refuse_data(source.names, max(columns, key=len))
        raise
    if source.header:
        refuse_data(source.names, found.name)
    return found


def _as_file(place: Place) -> Path:
    """Return the path of ``place``; standard input is copied to a file first, as these formats cannot be read in one go."""
    if place.path is not None:
        if not place.path.is_file():
            raise InputError(f"{place.path}: no such file")
        return place.path
    with tempfile.NamedTemporaryFile(prefix="amends-", suffix=f".{place.format}", delete=False) as file:
        shutil.copyfileobj(standard_input(), file)
    path = Path(file.name)
    _SPOOLED.append(path)
    return path


_SPOOLED: list[Path] = []


def forget_spooled() -> None:
    """Remove what was copied from standard input."""
    while _SPOOLED:
        _SPOOLED.pop().unlink(missing_ok=True)
