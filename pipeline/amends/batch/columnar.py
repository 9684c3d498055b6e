"""Parquet: row groups are read in pieces, every column keeps its type."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amends.batch.chunk import Chunk
from amends.batch.options import CHUNK_CHARACTERS
from amends.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: Bytes of each column that are read at once.
_BUFFER = 1 << 20


class Columnar:
    """A Parquet file as a source of chunks.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    chunk_rows : int
        Rows in a chunk; fewer where rows are large.

    Raises
    ------
    InputError
        If the file is no Parquet file or is damaged.
    """

    unit = "row"
    header = False
    position = 0

    def __init__(self, path: Path, *, chunk_rows: int) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        self._path = path
        try:
            # Buffered, and not read ahead: else the columns of a whole row group, which may be all the file, are read at once.
            self._file = pq.ParquetFile(path, buffer_size=_BUFFER, pre_buffer=False)
        except (pa.ArrowException, OSError) as error:
            raise InputError(f"{path}: not a Parquet file that can be read") from error
        meta = self._file.metadata
        self.schema: pa.Schema = self._file.schema_arrow
        self.names: list[str] = list(self.schema.names)
        if not self.names:
            raise InputError(f"{path}: has no columns")
        self.settings: dict[str, str] = {}
        self.notes: list[str] = []
        self.rows: int | None = meta.num_rows
        self.total = meta.num_rows
        largest = max(
            (meta.row_group(i).total_byte_size / max(meta.row_group(i).num_rows, 1) for i in range(meta.num_row_groups)),
            default=1,
        )
        self._chunk_rows = max(1, min(chunk_rows, int(CHUNK_CHARACTERS / max(largest, 1))))

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def chunks(self) -> Iterator[Chunk]:
        """Yield the rows."""
        import pyarrow as pa

        start = 0
        try:
            for index, batch in enumerate(self._file.iter_batches(self._chunk_rows)):
                columns = [f"in{i}" for i in range(batch.num_columns)]
                yield Chunk(index, start, batch.num_rows, table=pa.Table.from_batches([batch]).rename_columns(columns))
                start += batch.num_rows
                self.position = start
        except (pa.ArrowException, OSError) as error:
            raise InputError(f"{self._path}: damaged after row {start:,}") from error

    def sample(self, chunk: Chunk) -> dict[str, list[object]]:
        """Return the first rows of ``chunk`` as lists."""
        assert chunk.table is not None
        columns = list(zip(self.names, chunk.table.slice(0, 500).columns, strict=True))
        return {name: column.to_pylist() for name, column in reversed(columns)}
