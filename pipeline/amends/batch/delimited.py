"""CSV and TSV, by Python's own reader (a cell costs it about a tenth of a microsecond): cells are never converted, stripped or lost.

Arrow's reader would be faster still, but it guesses at broken records; parsing takes 2% of a run, so there is one way for
sound files and broken ones.
"""

from __future__ import annotations

import csv
import re
from collections import deque
from typing import TYPE_CHECKING

from amends.batch.chunk import Chunk
from amends.batch.encoding import LONGEST_RECORD, ByteStream, as_text, has_undecoded, lines, readable
from amends.batch.options import CHUNK_CHARACTERS
from amends.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

DELIMITERS = ",;\t|"
#: What the line feed says after the last line: if it ends up inside a cell, a quote never closed.
_END = "\ue000end of the file\ue000"
#: So many quotes that never close are no slips: the file is quoted in some other way.
_MOST_UNCLOSED = 200


class Delimited:
    """A CSV or TSV file as a source of chunks.

    A record with more or fewer cells than the header, or with bytes that cannot be decoded, is malformed. A quote that never closes
    would swallow what follows: the line that opens it is malformed and reading goes on with the next line. Quotes inside a quoted cell
    that are not doubled are taken as they stand.

    Parameters
    ----------
    stream : ByteStream
        The file.
    name : str
        What to call it in messages.
    encoding, delimiter : str
        How to read it.
    chunk_rows : int
        Rows in a chunk.

    Raises
    ------
    InputError
        If there is not even a header.
    """

    unit = "B"
    header = True
    rows: int | None = None

    def __init__(self, stream: ByteStream, name: str, *, encoding: str, delimiter: str, chunk_rows: int) -> None:
        csv.field_size_limit(max(csv.field_size_limit(), LONGEST_RECORD))
        self._stream, self._name, self._chunk_rows = stream, name, chunk_rows
        self._text = as_text(stream, encoding, newline="")
        self._lines = _Lines(lines(self._text, name))
        self._delimiter = delimiter
        self.settings = {"encoding": encoding, "delimiter": delimiter}
        self.notes: list[str] = []
        self.total = stream.size
        self.names: list[str] = []
        self._records = self._read()
        for header, raw in self._records:
            if header and raw[0].strip().lower() != f"sep={delimiter}":
                self.names = [readable(cell) for cell in header]
                break
        else:
            raise InputError(f"{name}: the file is empty; its first record has to name the columns")

    @property
    def position(self) -> int:
        """Bytes read so far."""
        return self._stream.position

    def close(self) -> None:
        """Close the file."""
        self._text.close()

    def chunks(self) -> Iterator[Chunk]:
        """Yield the records after the header."""
        width = len(self.names)
        index = start = 0
        rows: list[list[str]] = []
        raws: list[list[str]] = []
        wrong: list[int] = []
        full = self._lines.characters + CHUNK_CHARACTERS
        for row, raw in self._records:
            if len(row) != width:
                if not row and raw[0].strip("\r\n") == "":
                    if width > 1:
                        continue  # a blank line is no record; of a single column it is an empty cell
                    row = [""]
                else:
                    wrong.append(len(rows))
            rows.append(row)
            raws.append(raw)
            if len(rows) >= self._chunk_rows or self._lines.characters >= full:
                yield self._chunk(index, start, rows, raws, wrong)
                index, start = index + 1, start + len(rows)
                rows, raws, wrong = [], [], []
                full = self._lines.characters + CHUNK_CHARACTERS
        if rows:
            yield self._chunk(index, start, rows, raws, wrong)

    def sample(self, chunk: Chunk) -> dict[str, list[object]]:
        """Return the columns of ``chunk`` as lists."""
        assert chunk.table is not None
        columns = zip(self.names, chunk.table.columns, strict=True)
        return {name: column.to_pylist() for name, column in reversed(list(columns))}

    def _chunk(self, index: int, start: int, rows: list[list[str]], raws: list[list[str]], wrong: list[int]) -> Chunk:
        import pyarrow as pa

        try:
            table = self._table(rows, wrong)
        except UnicodeEncodeError:  # some bytes could not be decoded
            known = set(wrong)
            wrong = [i for i, raw in enumerate(raws) if i in known or any(map(has_undecoded, raw))]
            table = self._table(rows, wrong)
        malformed = {i: readable("".join(raws[i])).rstrip("\r\n") for i in wrong}
        assert isinstance(table, pa.Table)
        return Chunk(index, start, len(rows), table=table, malformed=malformed)

    def _table(self, rows: list[list[str]], wrong: list[int]) -> pa.Table:
        import pyarrow as pa

        if wrong:
            rows = list(rows)
            nothing = [None] * len(self.names)
            for i in wrong:
                rows[i] = nothing  # type: ignore[assignment]
        columns = [pa.array(column, pa.string()) for column in zip(*rows, strict=True)]
        return pa.Table.from_arrays(columns, names=[f"in{i}" for i in range(len(columns))])

    def _read(self) -> Iterator[tuple[list[str], list[str]]]:
        """Yield each record's cells with the lines that it was read from; no cells where it could not be parsed."""
        feed, unclosed = self._lines, 0
        while True:
            # Strict, so that a quote in a wrong place is noticed; a reader that has raised is not used again.
            reader = csv.reader(feed, delimiter=self._delimiter, strict=True)
            try:
                while True:
                    feed.taken = []
                    row = next(reader)
                    if feed.ended:
                        return  # only the end itself can have been read after the end
                    yield row, feed.taken
            except StopIteration:
                return
            except csv.Error:
                pass
            if not self._runs_away() and not (len(feed.taken) > 1 and self._is_record(feed.taken[-1])):
                # Quotes inside a quoted cell that are not doubled: read as other programs do.
                seen = len(feed.taken)
                feed.back(feed.taken)
                try:
                    row = next(csv.reader(feed, delimiter=self._delimiter))
                except csv.Error:
                    row = []
                if row and not feed.ended and (len(feed.taken) == seen or len(row) == len(self.names)):
                    yield row, feed.taken
                    continue
            # A quote was left open: on the line at which that shows, a record of its own begins; or it never shows.
            if self._runs_away():
                unclosed += 1
                if unclosed > _MOST_UNCLOSED:
                    raise InputError(
                        f"{self._name}: more than {_MOST_UNCLOSED} quotes are never closed; "
                        f"is it delimited by {self._delimiter!r} and quoted by '\"'?"
                    )
            first, *rest = feed.taken
            feed.back(rest)
            yield [], [first]

    def _runs_away(self) -> bool:
        return self._lines.ended or sum(map(len, self._lines.taken)) > LONGEST_RECORD

    def _is_record(self, line: str) -> bool:
        return bool(self.names) and len(next(csv.reader([line], delimiter=self._delimiter), [])) == len(self.names)


class _Lines:
    """Feeds physical lines to the reader, remembers those of the current record (``taken``) and takes lines back."""

    def __init__(self, source: Iterator[str]) -> None:
        self._source = source
        self._returned: deque[str] = deque()
        self.taken: list[str] = []
        self.ended = False
        self.characters = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self._returned:
            line = self._returned.popleft()
        else:
            try:
                line = next(self._source)
            except StopIteration:
                if self.ended:
                    raise
                self.ended = True
                return _END
        self.characters += len(line)
        self.taken.append(line)
        return line

    def back(self, unread: list[str]) -> None:
        self._returned.extendleft(reversed(unread))
        self.taken = []
        self.ended = False


def sniff(sample: str) -> str:
    r"""Return the delimiter that cuts ``sample``, the beginning of a file, into the most even records; a comma where none does.

    Examples
    --------
    >>> sniff('id;text\n1;"Late, again"\n')
    ';'
    """
    if told := re.match("sep=(.)\r?\n", sample, re.IGNORECASE):  # Excel's own way to say it
        return told[1]
    best, best_score = ",", (0.0, 0)
    for delimiter in DELIMITERS:
        widths = []
        try:
            for row in csv.reader(sample.splitlines(keepends=True), delimiter=delimiter):
                if row:
                    widths.append(len(row))
                if len(widths) > 100:
                    break
        except csv.Error:
            continue
        if len(widths) > 2:
            widths.pop()  # the sample may end inside a record
        if widths and widths[0] > 1:
            score = (widths.count(widths[0]) / len(widths), widths[0])
            if score > best_score:
                best, best_score = delimiter, score
    return best
