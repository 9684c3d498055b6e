"""Bytes to text: compression, encodings, and bytes that are neither; nothing is lost on the way.

A byte that cannot be decoded becomes a lone surrogate, so that the record that holds it can be told from its neighbours and
its raw text kept; `has_undecoded` and `readable` belong to that.
"""

from __future__ import annotations

import codecs
import gzip
import io
import os
import re
import zlib
from typing import IO, TYPE_CHECKING, Any, cast

from amends.batch.streams import standard_input
from amends.errors import InputError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: Bytes looked at to tell the encoding and the delimiter.
SAMPLE = 4 << 20
#: A longer record is refused: a file of another kind, a quote that never closes, or a decompression bomb.
LONGEST_RECORD = 16 << 20
#: Compressed text that grows more than this is a decompression bomb, not text (deflate's limit is 1,032) ...
_MOST_GROWTH = 900
#: ... but up to this many bytes even a bomb is harmless.
_HARMLESS = 1 << 30
#: Windows-1252, but what is sound UTF-8 is read as that.
MIXED = "windows-1252 or utf-8"
_UNDECODED = re.compile("[\udc00-\udcff]")


class ByteStream(io.RawIOBase):
    """The bytes of a text file or of standard input, decompressed; knows how far it has read and keeps its beginning.

    Parameters
    ----------
    path : pathlib.Path or None
        The file; None is standard input.
    compression : str
        ``gzip``, ``zstd`` or ``""``.
    """

    def __init__(self, path: Path | None, compression: str) -> None:
        self._name = str(path or "standard input")
        self._raw: IO[bytes] = standard_input() if path is None else _opened(path)
        self._owned = path is not None
        self._seekable = self._owned and self._raw.seekable()  # a named pipe is not
        self.size = os.fstat(self._raw.fileno()).st_size if path is not None else 0
        self._inner: Any = self._raw
        if compression == "gzip":
            self._inner = gzip.GzipFile(fileobj=self._raw, mode="rb")
        elif compression == "zstd":
            import pyarrow as pa

            self._inner = pa.CompressedInputStream(self._raw, "zstd")
        self._compressed = bool(compression)
        self._given = 0
        self.head = self._first(SAMPLE)
        self._left = memoryview(self.head)

    def _first(self, count: int) -> bytes:
        parts, size = [], 0
        while size < count and (part := self._take(count - size)):
            parts.append(part)
            size += len(part)
        return b"".join(parts)

    def _take(self, count: int) -> bytes:
        try:
            data = cast("bytes", self._inner.read(count))
        except (EOFError, zlib.error, gzip.BadGzipFile, OSError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise InputError(f"{self._name}: cannot be read ({error.strerror})") from error
            raise InputError(
                f"{self._name}: the compressed data is damaged or cut off after {self._given:,} bytes of text"
            ) from error
        self._given += len(data)
        if self._compressed and self._given > _HARMLESS and self._given > _MOST_GROWTH * max(self.position, 1):
            raise InputError(
                f"{self._name}: expands more than {_MOST_GROWTH}-fold, as a decompression bomb does; expand it yourself if it is none"
            )
        return data

    @property
    def position(self) -> int:
        """Bytes of the (compressed) file that have been read."""
        return self._raw.tell() if self._seekable else self._given

    def readable(self) -> bool:
        """Return True: it is there to be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill ``buffer``, first from the beginning that was kept."""
        if self._left:
            count = min(len(buffer), len(self._left))
            buffer[:count] = self._left[:count]
            self._left = self._left[count:]
            return count
        data = self._take(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        """Close the file (standard input stays open)."""
        if self._owned and not self._raw.closed:
            self._raw.close()
        super().close()


def _opened(path: Path) -> IO[bytes]:
    try:
        return path.open("rb")
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error


def guess(sample: bytes, *, whole: bool) -> str:
    """Return the encoding of ``sample``, the beginning of a file (``whole``: all of it).

    UTF-8 unless a byte-order mark (or the NULs of ASCII in UTF-16) says otherwise. Where bytes are not UTF-8: a file
    in which fewer lines are broken than hold sound UTF-8 beyond ASCII is UTF-8 with broken rows; any other is `MIXED`.
    """
    for mark, name in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF32_LE, "utf-32"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if sample.startswith(mark):
            return name
    if found := _nul_pattern(sample[:4096]):
        return found
    if not whole and (end := sample.rfind(b"\n")) >= 0:
        sample = sample[: end + 1]  # the sample may end inside a character
    try:
        sample.decode()
    except UnicodeDecodeError:
        broken = sound = 0
        for line in sample.split(b"\n"):
            if not line.isascii():
                try:
                    line.decode()
                except UnicodeDecodeError:
                    broken += 1
                else:
                    sound += 1
        return MIXED if broken > sound else "utf-8"
    return "utf-8"


def _nul_pattern(start: bytes) -> str:
    """Return which UTF-16 without a mark ``start`` is by where its NULs stand, or ``""``."""
    if len(start) < 4:
        return ""
    even, odd = start[::2].count(0) / len(start[::2]), start[1::2].count(0) / len(start[1::2])
    if max(even, odd) < 0.6 or min(even, odd) > 0.1:
        return ""
    return "utf-16-le" if odd > even else "utf-16-be"


def check(encoding: str) -> str:
    """Return ``encoding`` under Python's name for it; raise `UsageError` where Python knows no such text encoding."""
    try:
        found = codecs.lookup(encoding)
        "".encode(found.name)
    except (LookupError, UnicodeError):
        raise UsageError(f"--encoding: unknown encoding {encoding!r}; for instance utf-8, utf-16, windows-1252") from None
    return found.name


def as_text(stream: ByteStream, encoding: str, *, newline: str) -> io.TextIOWrapper:
    """Return ``stream`` as text in which bytes that cannot be decoded are lone surrogates (`has_undecoded`).

    `MIXED` is UTF-8 whose other bytes are Windows-1252: so a file that some program stitched together comes out right.
    """
    errors = _CP1252 if encoding == MIXED or codecs.lookup(encoding).name == "cp1252" else _KEEP
    encoding = "utf-8-sig" if encoding == MIXED else encoding
    return io.TextIOWrapper(io.BufferedReader(stream, 1 << 20), encoding=encoding, errors=errors, newline=newline)


def has_undecoded(text: str) -> bool:
    """Tell whether ``text`` (from `as_text`) holds bytes that could not be decoded."""
    return not text.isascii() and _UNDECODED.search(text) is not None


def readable(text: str) -> str:
    """Return ``text`` (from `as_text`) as a person can read it: bytes that could not be decoded as Windows-1252."""
    return _UNDECODED.sub(lambda found: _as_cp1252(ord(found[0]) - 0xDC00), text)


def lines(text: io.TextIOWrapper, name: str) -> Iterator[str]:
    """Yield physical lines; raise `InputError` at one that is too long to be a record."""
    for line in iter(lambda: text.readline(LONGEST_RECORD), ""):
        if len(line) >= LONGEST_RECORD:
            raise InputError(
                f"{name}: a line is longer than {LONGEST_RECORD:,} characters; is it a text file with one record a line?"
            )
        yield line


def _as_cp1252(byte: int) -> str:
    try:
        return bytes([byte]).decode("cp1252")
    except UnicodeDecodeError:
        return chr(byte)  # as the WHATWG's windows-1252 does


def _keep(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "".join(chr(0xDC00 + byte) for byte in error.object[error.start : error.end]), error.end


def _cp1252(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "".join(map(_as_cp1252, error.object[error.start : error.end])), error.end


_KEEP, _CP1252 = "amends.keep", "amends.cp1252"
codecs.register_error(_KEEP, _keep)
codecs.register_error(_CP1252, _cp1252)
