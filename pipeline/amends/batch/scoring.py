"""From a chunk to a part: score the texts and keep the rows with their output columns in a file of their own.

Parts are Arrow streams, whatever the output will be: only when all rows are known, so are the columns of ragged JSONL, the types of
XLSX columns and whether ``amends_raw`` is needed.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from amends.assessment import MALFORMED
from amends.batch.chunk import Chunk, from_line, kind, unmark
from amends.batch.jsonlines import parse
from amends.columns import PREFIX, RAW
from amends.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pyarrow as pa

    from amends.pipeline import Pipeline

LINE = "line"
_INFO = b"amends.part"
#: Output columns whose shares the summary tells.
COUNTED = ("status", "failure_type", "strategy", "review")


@dataclass(frozen=True)
class Job:
    """All that a worker has to know: which model, which column, where to.

    ``text_index`` and ``raw_index`` are the numbers of the text column and of an earlier run's `amends_raw`, -1 where the
    input's records have no fixed columns or it has no such column; ``typed`` tells cells of XLSX from records of JSONL;
    ``overwrite`` lets the input have output columns of an earlier run.
    """

    model: str
    evidence: bool
    text_column: str
    text_index: int
    raw_index: int
    typed: bool
    overwrite: bool
    folder: Path


@dataclass(frozen=True)
class Part:
    """What is known of a part without reading its rows.

    ``counts`` tells for each of `COUNTED` how often a label was given; ``keys`` the kinds of values (`chunk.kind`) of each column
    of JSONL (by name) or XLSX (by number).
    """

    index: int
    rows: int
    malformed: int
    counts: dict[str, dict[str, int]]
    keys: dict[str, str]


def path_of(folder: Path, index: int) -> Path:
    """Return where part ``index`` lies."""
    return folder / f"part-{index:07d}.arrow"


@dataclass(frozen=True)
class Identity:
    """What a model is called and what tells it from another of that name."""

    name: str
    version: str
    digest: str

    def __str__(self) -> str:
        return f"{self.name}-{self.version}+{self.digest}"


def identity(model: str) -> Identity:
    """Return the identity of a model by its manifest alone: where workers score, the main process needs no weights."""
    from amends.model import read_manifest
    from amends.released import find

    manifest, digest = read_manifest(find(model))
    return Identity(str(manifest["name"]), str(manifest["version"]), digest)


@cache
def pipeline_of(model: str) -> Pipeline:
    """Return the model, loaded once in a process."""
    import amends

    return amends.load(model)


def score_chunk(chunk: Chunk, job: Job) -> Part:
    """Score ``chunk`` and write its part; it appears under its name only when it is complete.

    Raises
    ------
    InputError
        If a JSONL record has output columns of an earlier run and ``job.overwrite`` is not set.
    """
    import pyarrow as pa

    keys: dict[str, str] = {}
    if chunk.table is not None:
        texts: list[Any] = [_decoded(text) for text in chunk.table.column(job.text_index).to_pylist()]
        if job.raw_index >= 0:
            for row, raw in enumerate(chunk.table.column(job.raw_index).to_pylist()):
                _keep_raw(chunk, row, raw)
        columns, names = list(chunk.table.columns), list(chunk.table.schema.names)
    else:
        texts, keys = _texts(chunk, job)
        columns, names = [pa.array(chunk.lines, pa.string())], [LINE]
    for row in chunk.malformed:
        texts[row] = MALFORMED
    scored = pipeline_of(job.model).score_table(texts, evidence=job.evidence)
    counts = {name: _counts(scored.column(PREFIX + name)) for name in COUNTED}
    columns += scored.columns
    names += scored.schema.names
    if chunk.malformed:
        columns.append(pa.array([chunk.malformed.get(row) for row in range(chunk.rows)], pa.string()))
        names.append(RAW)
    part = Part(chunk.index, chunk.rows, len(chunk.malformed), counts, keys)
    _write(pa.Table.from_arrays(columns, names=names), part, path_of(job.folder, chunk.index))
    return part


def _decoded(text: object) -> object:
    """Return the text of a Parquet column of bytes, as some writers make them."""
    if isinstance(text, bytes):
        try:
            return text.decode()
        except UnicodeDecodeError:
            return text
    return text


def _texts(chunk: Chunk, job: Job) -> tuple[list[Any], dict[str, str]]:
    """Parse the chunk's lines: return the texts and each column's kinds; lines that are no record become malformed."""
    assert chunk.lines is not None
    texts: list[Any] = []
    kinds: dict[str, set[str]] = {}
    for row, line in enumerate(chunk.lines):
        if job.typed:
            cells = from_line(line)
            texts.append(unmark(cells[job.text_index]))
            if job.raw_index >= 0:
                _keep_raw(chunk, row, unmark(cells[job.raw_index]))
            for number, cell in enumerate(cells):
                kinds.setdefault(str(number), set()).add(kind(unmark(cell)))
            continue
        record = None if row in chunk.malformed else parse(line)
        if record is None:
            chunk.malformed.setdefault(row, line)
            chunk.lines[row] = ""
            texts.append(MALFORMED)
            continue
        texts.append(record.get(job.text_column))
        _keep_raw(chunk, row, record.get(RAW))
        for key, value in record.items():
            kinds.setdefault(key, set()).add(kind(value))
    if not job.typed and not job.overwrite:
        refuse_earlier(list(kinds))
    return texts, {key: "".join(sorted(found)) for key, found in kinds.items()}


def _keep_raw(chunk: Chunk, row: int, raw: object) -> None:
    """Take a row for which an earlier run could but keep ``raw`` for malformed again: nothing else holds what it said."""
    if raw is not None and raw != "":
        chunk.malformed.setdefault(row, raw if isinstance(raw, str) else str(raw))


def refuse_earlier(names: Sequence[str]) -> None:
    """Raise `InputError` where ``names`` holds output columns of an earlier run."""
    earlier = [name for name in names if name.startswith(PREFIX)]
    if earlier:
        shown = ", ".join(earlier[:3]) + (f" and {len(earlier) - 3} more" if len(earlier) > 3 else "")
        raise InputError(f"the input already has {shown}: --overwrite replaces all {PREFIX}* columns")


def _counts(column: pa.ChunkedArray) -> dict[str, int]:
    return dict(Counter(str(value) for value in column.to_pylist() if value is not None))


# ------------------------------------------------------------------------------------------------------------- on disk
def _write(table: pa.Table, part: Part, path: Path) -> None:
    import pyarrow as pa

    info = json.dumps([part.index, part.rows, part.malformed, part.counts, part.keys]).encode()
    table = table.replace_schema_metadata({_INFO: info})
    # The process's number keeps a worker that outlived a killed run from writing into the same file.
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        with draft.open("wb") as file:
            # A stream, as Arrow's file format cannot hold dictionaries that change from batch to batch.
            with pa.ipc.new_stream(file, table.schema, options=pa.ipc.IpcWriteOptions(compression="lz4")) as writer:
                writer.write_table(table)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def read_info(path: Path) -> Part:
    """Return what is known of the part at ``path``."""
    import pyarrow as pa

    with path.open("rb") as file:
        return Part(*json.loads(pa.ipc.open_stream(file).schema.metadata[_INFO]))


def read_table(path: Path) -> pa.Table:
    """Return the rows of the part at ``path``."""
    import pyarrow as pa

    with path.open("rb") as file:
        return pa.ipc.open_stream(file).read_all()
