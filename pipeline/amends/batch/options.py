"""What a run is told."""

from __future__ import annotations

from dataclasses import dataclass, field

#: Rows in a chunk: large enough that handing one to another process costs nothing, small enough that a killed run loses little.
CHUNK_ROWS = 2_000
#: A chunk is closed earlier when it holds this many characters, so that rows of a megabyte each do not fill the memory.
CHUNK_CHARACTERS = 8_000_000


def default_model() -> str:
    """Return the name of the default model; imported late, as ``amends --help`` reads this module and must not load models."""
    from amends.released import DEFAULT

    return DEFAULT


@dataclass(frozen=True)
class Options:
    """The options of `amends score`; see ``amends score --help``."""

    text_column: str | None = None
    id_column: str | None = None
    model: str = field(default_factory=default_model)
    jobs: int | None = None
    resume: bool = False
    evidence: bool = True
    overwrite: bool = False
    spreadsheet_safe: bool = False
    sheet: str | None = None
    input_format: str | None = None
    output_format: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    chunk_rows: int = CHUNK_ROWS
    limit: int | None = None
    quiet: bool = False
