"""JSONL: a JSON object a line, keys as they come. The scorer parses the lines; here they are only cut and checked for bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amends.batch.chunk import Chunk, from_line
from amends.batch.encoding import ByteStream, as_text, has_undecoded, lines, readable
from amends.batch.options import CHUNK_CHARACTERS

if TYPE_CHECKING:
    from collections.abc import Iterator


class JsonLines:
    """A JSONL file as a source of chunks; blank lines are no records.

    Parameters
    ----------
    stream : ByteStream
        The file.
    name : str
        What to call it in messages.
    encoding : str
        How to read it.
    chunk_rows : int
        Rows in a chunk.
    """

    unit = "B"
    header = False
    rows: int | None = None

    def __init__(self, stream: ByteStream, name: str, *, encoding: str, chunk_rows: int) -> None:
        self._stream, self._name, self._chunk_rows = stream, name, chunk_rows
        self._text = as_text(stream, encoding, newline="\n")
        self.settings = {"encoding": encoding}
        self.notes: list[str] = []
        self.names: list[str] = []
        self.total = stream.size

    @property
    def position(self) -> int:
        """Bytes read so far."""
        return self._stream.position

    def close(self) -> None:
        """Close the file."""
        self._text.close()

    def chunks(self) -> Iterator[Chunk]:
        """Yield the records."""
        index = start = size = 0
        kept: list[str] = []
        malformed: dict[int, str] = {}
        for line in lines(self._text, self._name):
            record = line.strip("\r\n \t")
            if not record:
                continue
            if has_undecoded(record):
                malformed[len(kept)] = readable(line.rstrip("\r\n"))
                record = ""
            kept.append(record)
            size += len(line)
            if len(kept) >= self._chunk_rows or size >= CHUNK_CHARACTERS:
                yield Chunk(index, start, len(kept), lines=kept, malformed=malformed)
                index, start, size = index + 1, start + len(kept), 0
                kept, malformed = [], {}
        if kept:
            yield Chunk(index, start, len(kept), lines=kept, malformed=malformed)

    def sample(self, chunk: Chunk) -> dict[str, list[object]]:
        """Return the columns of ``chunk`` as lists; a key that a record lacks is None."""
        records = [record for line in chunk.lines or [] if (record := parse(line)) is not None]
        self.names = list(dict.fromkeys(key for record in records for key in record))
        return {name: [record.get(name) for record in records] for name in self.names}


def parse(line: str) -> dict[str, object] | None:
    """Return the object that ``line`` holds; None where it holds anything else."""
    try:
        record = from_line(line)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None
