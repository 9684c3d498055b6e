"""From parts to the output: what its columns are, who writes them, and the parts one after another."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

from amends.batch import scoring
from amends.batch.block import Block, Layout
from amends.batch.progress import Progress
from amends.batch.streams import standard_output
from amends.batch.table_writers import ParquetWriter, XlsxWriter
from amends.batch.writers import DelimitedWriter, JsonLinesWriter, Writer, open_bytes
from amends.columns import PREFIX

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from amends.batch.options import Options
    from amends.batch.paths import Place
    from amends.batch.sources import Opened


def layout_of(place: Place, opened: Opened, parts: Mapping[int, scoring.Part], *, evidence: bool) -> Layout:
    """Return the columns of the output, which are known only when all of ``parts`` are."""
    source = opened.source
    raw = any(part.malformed for part in parts.values())
    found: dict[str, set[str]] = {}
    for index in sorted(parts):
        for key, letters in parts[index].keys.items():
            found.setdefault(key, set()).update(letters)
    kinds = {key: "".join(sorted(letters)) for key, letters in found.items()}
    if place.format == "jsonl":
        keys = tuple(key for key in kinds if not key.startswith(PREFIX))
        return Layout("lines", keys, keys, tuple(kinds[key] for key in keys), evidence, raw, len(keys) < len(kinds))
    kept = [(number, name) for number, name in enumerate(source.names) if not name.startswith(PREFIX)]
    return Layout(
        "cells" if opened.typed else "table",
        tuple(name for _, name in kept),
        tuple(number for number, _ in kept),
        tuple(kinds.get(str(number), "n") for number, _ in kept),
        evidence,
        raw,
        original=getattr(source, "schema", None),
    )


def join(
    folder: Path, parts: Mapping[int, scoring.Part], layout: Layout, target: Place, options: Options, metadata: Mapping[str, str]
) -> tuple[Path, dict[str, int]]:
    """Join the parts in ``folder`` into a draft of the output there; return it and what could not be written as it was.

    What goes to standard output as text is written there at once, and there is no draft.
    """
    draft = folder / "output"
    draft.unlink(missing_ok=True)
    writer = _writer(draft, layout, target, options, metadata)
    written = 0
    try:
        with Progress(target, sum(part.rows for part in parts.values()), "row", quiet=options.quiet) as progress:
            for index in sorted(parts):
                writer.write(Block(scoring.read_table(scoring.path_of(folder, index)), layout))
                written += parts[index].rows
                progress.show(written, written)
    finally:
        writer.close()
    if target.path is None and draft.exists():  # a format that cannot be written in one go
        with draft.open("rb") as file:
            shutil.copyfileobj(file, standard_output())
        standard_output().flush()
    return draft, writer.notes


def _writer(draft: Path, layout: Layout, target: Place, options: Options, metadata: Mapping[str, str]) -> Writer:
    if target.format == "parquet":
        return ParquetWriter(draft, layout, metadata)
    if target.format == "xlsx":
        return XlsxWriter(draft, layout, metadata)
    file: Any = _Unclosed(standard_output()) if target.path is None else open_bytes(draft, target.compression)
    if target.format == "jsonl":
        return JsonLinesWriter(file, layout)
    return DelimitedWriter(
        file, layout, delimiter="\t" if target.format == "tsv" else ",", spreadsheet_safe=options.spreadsheet_safe
    )


class _Unclosed:
    """Standard output, which is flushed where a file would be closed."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self.write = file.write

    def close(self) -> None:
        self._file.flush()
