"""One input, from opening it to the finished output."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from amends.batch import parallel, scoring
from amends.batch.block import Block, Layout
from amends.batch.checkpoint import WorkFolder, fingerprint, publish, work_folder
from amends.batch.progress import Progress
from amends.batch.sources import Opened, forget_spooled, open_input
from amends.batch.summary import Summary
from amends.batch.table_writers import XLSX_COLUMNS, XLSX_ROWS, ParquetWriter, XlsxWriter, metadata_of
from amends.batch.writers import DelimitedWriter, JsonLinesWriter, Writer, open_bytes
from amends.columns import PREFIX, schema
from amends.errors import AmendsError, InputError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from amends.batch.chunk import Chunk
    from amends.batch.options import Options
    from amends.batch.paths import Place

Tell = Callable[[str], None]


def score_file(source: Place, target: Place, options: Options, tell: Tell) -> Summary | None:
    """Score ``source`` into ``target``.

    Parameters
    ----------
    source, target : Place
        The input and the output.
    options : Options
        How.
    tell : callable
        Takes a line for the user.

    Returns
    -------
    Summary or None
        None where ``options.resume`` finds the output complete.

    Raises
    ------
    InputError
        If the input cannot be used.
    UsageError
        If the output is there already, or an option does not suit.
    AmendsError
        If the output cannot be written.
    """
    started = time.perf_counter()
    work_left = target.path is not None and (work_folder(target.path) / "checkpoint.json").exists()
    if target.path is not None and target.path.exists() and not options.overwrite:
        if not options.resume:
            raise UsageError(f"{target} is there already; --overwrite replaces it")
        if not work_left:
            tell(f"{target} is complete; nothing to resume")
            if work_folder(target.path).exists():  # a run that was killed while it cleaned up
                WorkFolder(target.path).release(remove=True)
            return None
    if options.resume and (source.path is None or not source.path.is_file()):
        raise UsageError("standard input or a pipe cannot be resumed, as it cannot be read again; save it to a file first")
    # `--overwrite` on a resumed run says that the finished output may be replaced; what is unfinished goes on.
    opened = open_input(source, options)
    try:
        return _Run(source, target, options, tell, opened, started).run()
    finally:
        opened.source.close()
        forget_spooled()


@dataclass
class _Run:
    place: Place
    target: Place
    options: Options
    tell: Tell
    opened: Opened
    started: float

    def run(self) -> Summary:
        source, options = self.opened.source, self.options
        for note in source.notes:
            self.tell(note)
        if options.text_column is None:
            close = f"; {self.opened.runner_up!r} came close (--text-column chooses)" if self.opened.runner_up else ""
            self.tell(f"text column: {self.opened.text_column!r}{close}")
        self._fits(source.rows or 0)
        model = scoring.identity(options.model)
        summary = Summary(str(self.place), str(self.target), str(model), self.opened.text_column, options.id_column)
        work = WorkFolder(self.target.path)
        keep = work.checkpoint is not None  # an earlier run's parts outlive a refusal to go on with them
        try:
            parts = self._begin(work, model)
            keep = bool(parts)
            for part in parts.values():
                summary.add_part(part, resumed=True)
            if summary.resumed_rows:
                self.tell(f"resuming after {summary.resumed_rows:,} rows")
            try:
                self._score(work, parts, summary)
                written = self._assemble(work.path, parts, str(model))
            except BaseException:
                keep = work.has_parts()  # workers may have finished some that we have not heard of
                raise
            summary.notes = written
            keep = False
            summary.seconds = time.perf_counter() - self.started
            return summary
        except OSError as error:
            if isinstance(error, BrokenPipeError):
                raise
            raise AmendsError(f"cannot write {self.target}: {error.strerror or 'the write failed'}") from error
        finally:
            # What was read from standard input, or meant for standard output, is of no use to a later run.
            keep = keep and self.place.path is not None and self.place.path.is_file() and self.target.path is not None
            work.release(remove=not keep)
            if keep:
                self.tell("what has been scored is kept; the same command with --resume goes on from there")

    # ------------------------------------------------------------------------------------------------------- steps
    def _begin(self, work: WorkFolder, model: scoring.Identity) -> dict[int, scoring.Part]:
        """Return the parts that an earlier run left, or start anew."""
        options = self.options
        noted: dict[str, dict[str, object]] = {
            "input": {"name": str(self.place.path and self.place.path.resolve()), **fingerprint(self.place.path)},
            "model": {"name": model.name, "version": model.version, "digest": model.digest},
            "options": {
                "--text-column": self.opened.text_column,
                "--id-column": options.id_column,
                "--no-evidence": not options.evidence,
                "--spreadsheet-safe": options.spreadsheet_safe,
                "--chunk-size": options.chunk_rows,
                "--limit": options.limit,
                "--input-format": self.place.format,
                "--format": self.target.format,
                **{f"--{name}": value for name, value in self.opened.source.settings.items()},
            },
        }
        if work.checkpoint is not None:
            if options.resume:
                work.check(noted)
                return work.parts()
            if not options.overwrite and work.has_parts():
                raise UsageError(f"an unfinished run lies in {work.path}: --resume goes on with it, --overwrite starts anew")
        elif options.resume:
            self.tell("there is no unfinished run of this output; starting at the beginning")
        work.begin(noted)
        return {}

    def _score(self, work: WorkFolder, parts: dict[int, scoring.Part], summary: Summary) -> None:
        source, options = self.opened.source, self.options
        text_index = source.names.index(self.opened.text_column) if self.opened.text_column in source.names else -1
        job = scoring.Job(
            options.model, options.evidence, self.opened.text_column, text_index, self.opened.typed, options.overwrite, work.path
        )
        jobs = options.jobs or parallel.sensible_jobs(source.total, source.unit, bool(self.place.compression))
        progress = Progress(self.place, source.total, source.unit, quiet=options.quiet)

        def missing() -> Iterator[Chunk]:
            for chunk in self._limited():
                self._fits(chunk.start + chunk.rows)
                if chunk.index not in parts:
                    yield chunk
                elif parts[chunk.index].rows != chunk.rows:
                    raise InputError(f"cannot resume: the input has changed after row {chunk.start:,}; --overwrite starts anew")

        def done(part: scoring.Part) -> None:
            parts[part.index] = part
            summary.add_part(part)
            progress.show(source.position, summary.rows - summary.resumed_rows)

        with progress:
            parallel.score_all(missing(), job, jobs, done)

    def _limited(self) -> Iterator[Chunk]:
        limit = self.options.limit
        for chunk in self.opened.chunks:
            if limit is not None and chunk.start + chunk.rows >= limit:
                rows = limit - chunk.start
                if rows:
                    yield replace(
                        chunk,
                        rows=rows,
                        table=chunk.table.slice(0, rows) if chunk.table is not None else None,
                        lines=chunk.lines[:rows] if chunk.lines is not None else None,
                        malformed={row: raw for row, raw in chunk.malformed.items() if row < rows},
                    )
                return
            yield chunk

    def _fits(self, rows: int) -> None:
        """Refuse what an XLSX output cannot hold, as early as it is known."""
        if self.target.format != "xlsx":
            return
        if self.options.limit is not None:
            rows = min(rows, self.options.limit)
        if rows >= XLSX_ROWS:
            raise InputError(
                f"{self.place}: more rows than the {XLSX_ROWS - 1:,} below a header that XLSX can hold; write CSV or Parquet with -o"
            )
        width = len(self.opened.source.names) + len(schema(self.options.evidence).names) + 1
        if width > XLSX_COLUMNS:
            raise InputError(
                f"{self.place}: {width:,} columns are more than the {XLSX_COLUMNS:,} that XLSX can hold; write CSV or Parquet with -o"
            )

    def _assemble(self, folder: Path, parts: dict[int, scoring.Part], model: str) -> dict[str, int]:
        """Join the parts into the output and give it its name."""
        layout = self._layout(parts)
        draft = folder / "output"
        draft.unlink(missing_ok=True)
        writer = self._writer(draft, layout, model)
        written = 0
        try:
            with Progress(self.target, sum(part.rows for part in parts.values()), "row", quiet=self.options.quiet) as progress:
                for index in sorted(parts):
                    writer.write(Block(scoring.read_table(scoring.path_of(folder, index)), layout))
                    written += parts[index].rows
                    progress.show(written, written)
        finally:
            writer.close()
        if self.target.path is not None:
            publish(draft, self.target.path)
        elif draft.exists():  # a format that cannot be written in one go
            with draft.open("rb") as file:
                shutil.copyfileobj(file, sys.stdout.buffer)
            sys.stdout.buffer.flush()
        return writer.notes

    def _layout(self, parts: dict[int, scoring.Part]) -> Layout:
        source = self.opened.source
        raw = any(part.malformed for part in parts.values())
        evidence = self.options.evidence
        kinds: dict[str, str] = {}
        for index in sorted(parts):
            for key, found in parts[index].keys.items():
                kinds[key] = kinds.get(key, "") + found
        if self.place.format == "jsonl":
            keys = [key for key in kinds if not key.startswith(PREFIX)]
            return Layout(
                "lines", tuple(keys), tuple(keys), tuple(kinds[key] for key in keys), evidence, raw, len(keys) < len(kinds)
            )
        kept = [(number, name) for number, name in enumerate(source.names) if not name.startswith(PREFIX)]
        return Layout(
            "cells" if self.opened.typed else "table",
            tuple(name for _, name in kept),
            tuple(number for number, _ in kept),
            tuple(kinds.get(str(number), "n") for number, _ in kept),
            evidence,
            raw,
            original=getattr(source, "schema", None),
        )

    def _writer(self, draft: Path, layout: Layout, model: str) -> Writer:
        target, options = self.target, self.options
        metadata = metadata_of(self.opened.text_column, options.id_column, model)
        if target.format == "parquet":
            return ParquetWriter(draft, layout, metadata)
        if target.format == "xlsx":
            return XlsxWriter(draft, layout, metadata)
        file: Any = sys.stdout.buffer if target.path is None else open_bytes(draft, target.compression)
        if target.path is None:
            file = _Unclosed(file)
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
