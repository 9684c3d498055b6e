"""Files and their formats: what an ending means, where an output lies, what a folder or glob holds."""

from __future__ import annotations

import glob
from dataclasses import dataclass
from pathlib import Path

from amends.errors import AmendsError, InputError, UsageError

STREAM = "-"
FORMATS = ("csv", "tsv", "jsonl", "xlsx", "parquet")
#: Formats that are text, which alone may be compressed as a whole.
TEXT_FORMATS = frozenset({"csv", "tsv", "jsonl"})
_ENDINGS = {
    ".csv": "csv", ".tsv": "tsv", ".tab": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".xlsx": "xlsx", ".xlsm": "xlsx",
    ".parquet": "parquet", ".pq": "parquet",
}  # fmt: skip
_COMPRESSIONS = {".gz": "gzip", ".zst": "zstd", ".zstd": "zstd"}
_SCORED = ".scored"


@dataclass(frozen=True)
class Place:
    """A file, or a standard stream (``path`` is None), with its format and compression (gzip, zstd or none)."""

    path: Path | None
    format: str
    compression: str = ""

    def __str__(self) -> str:
        return STREAM if self.path is None else str(self.path)


def endings(path: Path) -> tuple[str, str, str]:
    """Return stem, format and compression of ``path`` by its ending; a format of ``""`` where the ending says nothing."""
    name, compression = path.name, ""
    ending = Path(name).suffix.lower()
    if ending in _COMPRESSIONS:
        compression, name = _COMPRESSIONS[ending], name[: -len(ending)]
        ending = Path(name).suffix.lower()
    found = _ENDINGS.get(ending, "")
    return (name[: -len(ending)] if found else name), found, compression


def place(name: str | Path, given: str | None, *, option: str) -> Place:
    """Return the place called ``name``; ``given`` overrules its ending.

    Raises
    ------
    UsageError
        If neither tells the format, or a format is compressed that has its own compression.
    """
    if str(name) == STREAM:
        return Place(None, given or "csv")
    path = Path(name)
    _, found, compression = endings(path)
    found = given or found
    if not found:
        raise UsageError(f"{path}: the ending does not tell the format; say {option} with one of {', '.join(FORMATS)}")
    if compression and found not in TEXT_FORMATS:
        raise UsageError(f"{path}: {found} files are compressed inside; {compression} around one is not read or written")
    return Place(path, found, compression)


def beside(source: Path) -> Path:
    """Return where the output of ``source`` lies unless told otherwise.

    Examples
    --------
    >>> beside(Path("tickets.csv.gz")).name
    'tickets.scored.csv.gz'
    """
    stem, found, _ = endings(source)
    return source.with_name(f"{stem}{_SCORED}{source.name[len(stem) :]}" if found else f"{source.name}{_SCORED}")


def plan(given: str, output: str | None, input_format: str | None, output_format: str | None) -> list[tuple[Place, Place]]:
    """Return each input with its output: one for a file or stream, one for each supported file of a folder or glob.

    Parameters
    ----------
    given : str
        A file, a folder, a glob or ``-``.
    output : str or None
        A file or ``-`` (or a folder, where the input is several files); None lays each output beside its input.
    input_format, output_format : str or None
        Formats that overrule the endings.

    Raises
    ------
    InputError
        If there is no such file, or no supported one.
    UsageError
        If two outputs would be one file, an output is its own input, or a format is not told.
    AmendsError
        If the folder for the outputs cannot be made.
    """
    if given == STREAM:
        source = place(given, input_format, option="--input-format")
        return [(source, place(output or STREAM, output_format, option="--format"))]
    path = Path(given)
    if path.is_file() or (path.exists() and not path.is_dir()):
        pairs = [_pair(path, output, input_format, output_format)]
    else:
        pairs = _many(given, output, input_format, output_format)
    _check(pairs)
    return pairs


def _pair(path: Path, output: str | None, input_format: str | None, output_format: str | None) -> tuple[Place, Place]:
    source = place(path, input_format, option="--input-format")
    if output is None:
        target = beside(path)
        if output_format:  # another format, another ending
            target = target.with_name(f"{endings(target)[0]}.{output_format}")
        return source, place(target, output_format or source.format, option="--format")
    if output != STREAM and Path(output).is_dir():
        return source, place(Path(output) / beside(path).name, output_format or source.format, option="--format")
    return source, place(output, output_format, option="--format")


def _many(given: str, output: str | None, input_format: str | None, output_format: str | None) -> list[tuple[Place, Place]]:
    path = Path(given)
    if path.is_dir():
        found = sorted(entry for entry in path.iterdir() if entry.is_file())
        what = f"the folder {path}"
    elif glob.has_magic(given):
        found = sorted(
            Path(name)
            for name in glob.glob(given, recursive=True)  # noqa: PTH207 - a glob may be absolute
            if Path(name).is_file()
        )
        what = f"the glob {given}"
    else:
        raise InputError(f"{given}: no such file or folder")
    # What an earlier run wrote there is not an input.
    own = [
        entry for entry in found if endings(entry)[1] and not endings(entry)[0].endswith(_SCORED) and entry.name[0] not in ".~"
    ]
    if not own:
        raise InputError(
            f"{what} holds no file to score; its name has to end in {', '.join(_ENDINGS)} (text formats also with .gz or .zst)"
        )
    if output == STREAM:
        raise UsageError("several files cannot go to standard output; name a folder with -o")
    if output is not None:
        folder = Path(output)
        if folder.exists() and not folder.is_dir():
            raise UsageError(f"{output} is a file; the outputs of several files need a folder")
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise AmendsError(f"cannot write into {folder}: {error.strerror}") from error
    return [_pair(entry, output, input_format, output_format) for entry in own]


def _check(pairs: list[tuple[Place, Place]]) -> None:
    seen: dict[Path, Path] = {}
    for source, target in pairs:
        if source.path is None or target.path is None:
            continue
        if target.path.resolve() == source.path.resolve():
            raise UsageError(f"{target.path} is the input itself; name another file with -o")
        other = seen.setdefault(target.path.resolve(), source.path)
        if other != source.path:
            raise UsageError(
                f"{other} and {source.path} would both be written to {target.path}; score them into folders of their own"
            )
