"""One input, from opening it to the finished output."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from amends.batch import assemble, done, parallel, scoring
from amends.batch.checkpoint import Noted, WorkFolder, fingerprint, publish, work_folder
from amends.batch.names import told
from amends.batch.progress import Progress
from amends.batch.sources import Opened, forget_spooled, open_input
from amends.batch.streams import require_output, standard_input
from amends.batch.summary import Summary
from amends.batch.table_writers import XLSX_COLUMNS, XLSX_ROWS, metadata_of
from amends.columns import RAW, schema
from amends.errors import AmendsError, InputError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from amends.batch.chunk import Chunk
    from amends.batch.options import Options
    from amends.batch.paths import Place

Tell = Callable[[str], None]


def score_file(source: Place, target: Place, options: Options, tell: Tell) -> Summary:
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
    Summary
        What the run has to say; ``complete`` where ``options.resume`` found the output finished and up to date.

    Raises
    ------
    InputError
        If the input cannot be used, or has changed since the run that ``options.resume`` goes on with.
    UsageError
        If the output is there already, or an option does not suit.
    AmendsError
        If the output cannot be written.
    """
    started = time.perf_counter()
    if source.path is None:
        standard_input()
    if target.path is None:
        require_output()  # not after an hour of scoring
    if options.resume and (source.path is None or not source.path.is_file()):
        raise UsageError("standard input or a pipe cannot be resumed, as it cannot be read again; save it to a file first")
    finished = False
    if target.path is not None and target.path.exists():
        if not target.path.is_file():  # it would be replaced by a file
            raise UsageError(f"{target} is no file; name one with -o, or - for standard output")
        if not options.overwrite:
            if not options.resume:
                raise UsageError(f"{target} is there already; --overwrite replaces it")
            finished = not (work_folder(target.path) / "checkpoint.json").exists()
    # `--overwrite` on a resumed run says that the finished output may be replaced; what is unfinished goes on.
    opened = open_input(source, options)
    try:
        run = _Run(source, target, options, tell, opened, started)
        return run.confirm(target.path) if finished and target.path is not None else run.run()
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

    def confirm(self, output: Path) -> Summary:
        """Return the summary of a finished ``output``; refuse one of another input, model or option."""
        noted = done.confirm(output, self._noted(scoring.identity(self.options.model)))
        if work_folder(output).exists():  # left by a run that was killed while it cleaned up
            WorkFolder(output).release(remove=True)
        summary = Summary.from_note(str(self.place), str(self.target), noted)
        summary.seconds = time.perf_counter() - self.started
        return summary

    def run(self) -> Summary:
        """Score what is missing and write the output."""
        source, options = self.opened.source, self.options
        for note in source.notes:
            self.tell(note)
        if options.text_column is None:
            close, second = "", self.opened.runner_up
            if second:
                close = f"; {told(second, source.names)} came close (--text-column chooses)"
            self.tell(f"text column: {told(self.opened.text_column, source.names)}{close}")
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
                summary.notes = self._join(work.path, parts, str(model))
                if self.target.path is not None:
                    done.write(work.path, self.target.path, self._noted(model), summary.to_note())
            except BaseException:
                keep = work.has_parts()  # workers may have finished some that we have not heard of
                raise
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
        options, noted = self.options, self._noted(model)
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

    def _noted(self, model: scoring.Identity) -> Noted:
        """Return what decides what is written."""
        options = self.options
        return {
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

    def _score(self, work: WorkFolder, parts: dict[int, scoring.Part], summary: Summary) -> None:
        source, options = self.opened.source, self.options
        job = scoring.Job(
            options.model,
            options.evidence,
            self.opened.text_column,
            _number(source.names, self.opened.text_column),
            _number(source.names, RAW),
            self.opened.typed,
            options.overwrite,
            work.path,
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

        def finished(part: scoring.Part) -> None:
            parts[part.index] = part
            summary.add_part(part)
            progress.show(source.position, summary.rows - summary.resumed_rows)

        with progress:
            parallel.score_all(missing(), job, jobs, finished)

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

    def _join(self, folder: Path, parts: dict[int, scoring.Part], model: str) -> dict[str, int]:
        """Join the parts into the output and give it its name; return what could not be written as it was."""
        options, opened = self.options, self.opened
        layout = assemble.layout_of(self.place, opened, parts, evidence=options.evidence)
        metadata = metadata_of(opened.text_column, options.id_column, model)
        draft, notes = assemble.join(folder, parts, layout, self.target, options, metadata)
        if self.target.path is not None:
            publish(draft, self.target.path)
        return notes


def _number(names: list[str], name: str) -> int:
    return names.index(name) if name in names else -1
