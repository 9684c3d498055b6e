"""What a run has to say of itself: totals, label shares, and what could not be written as it was."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from amends.assessment import SCORED
from amends.batch.scoring import COUNTED, Part
from amends.errors import AmendsError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

_NOTES = {
    "cut_cells": "cells were longer than the 32,767 characters that XLSX can hold and have been cut; CSV or Parquet hold them whole",
    "lone_surrogates": "cells held lone surrogates, which UTF-8 cannot; they are U+FFFD in the output",
}


@dataclass
class Summary:
    """The result of scoring one input; `together` joins several.

    ``complete`` says that the output was there already and up to date, so that nothing was scored.
    """

    input: str
    output: str
    model: str
    text_column: str
    id_column: str | None = None
    rows: int = 0
    resumed_rows: int = 0
    seconds: float = 0.0
    counts: dict[str, Counter[str]] = field(default_factory=lambda: {name: Counter() for name in COUNTED})
    notes: dict[str, int] = field(default_factory=dict)
    complete: bool = False

    @classmethod
    def from_note(cls, given: str, output: str, note: dict[str, Any]) -> Summary:
        """Return the summary of a finished output from what `to_note` kept of it."""
        counts = {name: Counter(note["counts"][name]) for name in COUNTED}
        kept = {key: note[key] for key in ("model", "text_column", "id_column", "rows", "notes")}
        return cls(given, output, **kept, resumed_rows=note["rows"], counts=counts, complete=True)

    def to_note(self) -> dict[str, Any]:
        """Return what a later ``--resume`` cannot know without reading the output."""
        return {key: getattr(self, key) for key in ("model", "text_column", "id_column", "rows", "counts", "notes")}

    def add_part(self, part: Part, *, resumed: bool = False) -> None:
        """Count a part's rows."""
        self.rows += part.rows
        if resumed:
            self.resumed_rows += part.rows
        for name, counter in self.counts.items():
            counter.update(part.counts[name])

    def to_dict(self) -> dict[str, Any]:
        """Return the summary as JSON-ready values.

        ``rows_per_second`` counts the rows that this run scored; shares are of the scored rows.
        """
        statuses = self.counts["status"]
        scored = sum(statuses[status] for status in SCORED)
        return {
            "input": self.input,
            "output": self.output,
            "rows": self.rows,
            "statuses": dict(sorted(statuses.items())),
            "seconds": round(self.seconds, 3),
            "rows_per_second": round((self.rows - self.resumed_rows) / self.seconds, 1) if self.seconds else 0.0,
            "resumed_rows": self.resumed_rows,
            "model": self.model,
            "text_column": self.text_column,
            "id_column": self.id_column,
            "strategy": _shares(self.counts["strategy"], scored),
            "failure_type": _shares(self.counts["failure_type"], scored),
            "review": round(self.counts["review"]["1"] / scored, 4) if scored else 0.0,
            **self.notes,
        }

    def told(self) -> list[str]:
        """Return what the user should be told when the run is done, a line each."""
        if self.complete:
            return [f"{self.output} is complete, and input, model and options are those that it was made with; nothing to resume"]
        statuses = self.counts["status"]
        rate = (self.rows - self.resumed_rows) / self.seconds if self.seconds else 0.0
        others = ", ".join(f"{count:,} {status}" for status, count in sorted(statuses.items()) if status != "ok")
        lines = [
            f"{self.rows:,} rows{f' ({others})' if others else ''} in {self.seconds:.1f} s, {rate:,.0f} a second → {self.output}"
        ]
        if statuses["malformed"]:
            lines.append(f"{statuses['malformed']:,} records could not be parsed; their raw text is in amends_raw")
        return lines + [f"{count:,} {_NOTES.get(what, what)}" for what, count in self.notes.items()]


def together(given: str, summaries: Sequence[Summary], failed: Mapping[str, str]) -> dict[str, Any]:
    """Return the summary of several files: the totals, under ``files`` each one's own, under ``failed`` why others were not scored."""
    total = Summary(given, "", summaries[0].model if summaries else "", "")
    for one in summaries:
        total.rows += one.rows
        total.resumed_rows += one.resumed_rows
        total.seconds += one.seconds
        for name, counter in total.counts.items():
            counter.update(one.counts[name])
        _add(total.notes, one.notes.items())
    found = total.to_dict()
    for key in ("output", "text_column", "id_column"):
        del found[key]
    return {
        **found,
        "files": [one.to_dict() for one in summaries],
        "failed": [{"input": name, "error": error} for name, error in failed.items()],
    }


def require_place(path: Path) -> None:
    """Raise `UsageError` where a summary cannot lie at ``path``, before any work is done."""
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise UsageError(f"--summary: cannot write {path}: {'it is a folder' if path.is_dir() else 'there is no such folder'}")


def write(path: Path, found: Mapping[str, Any]) -> None:
    """Write a summary to ``path`` as one line of JSON; raise `AmendsError` where that fails."""
    try:
        path.write_text(json.dumps(found, ensure_ascii=False) + "\n", encoding="utf-8", errors="replace")
    except OSError as error:
        raise AmendsError(f"--summary: cannot write {path}: {error.strerror}") from error


def _add(totals: dict[str, int], more: Iterable[tuple[str, int]]) -> None:
    for key, count in more:
        totals[key] = totals.get(key, 0) + count


def _shares(counts: Counter[str], whole: int) -> dict[str, float]:
    return {label: round(count / whole, 4) for label, count in counts.most_common()} if whole else {}
