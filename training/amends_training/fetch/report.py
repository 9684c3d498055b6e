"""Writing the found records, and the report on what was found."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from amends_training.fetch.files import rewrite
from amends_training.fetch.fingerprints import Fingerprints, Likeness, likeness, loose
from amends_training.fetch.records import line

_HINTS = {"cfpb": "; give the narratives archive with --cfpb-archive (docs/data.md says where it lies)"}


@dataclass(frozen=True, slots=True)
class SourceReport:
    """What came of one source.

    Attributes
    ----------
    wanted, found : int
        Labelled ids, and those whose text is now there.
    missing : tuple of str
        The labelled ids without text.
    characters : int
        Characters of text.
    digest, loose_digest : str
        SHA-256 over ids and texts in the order of the ids; the loose one does not see case and white space.
    same, alike, different, unknown : int
        Texts equal to those that were labelled; equal but for case and white space; other; without a digest to compare with.
    """

    name: str
    path: str
    wanted: int
    found: int
    missing: tuple[str, ...]
    characters: int
    digest: str
    loose_digest: str
    same: int
    alike: int
    different: int
    unknown: int


@dataclass(frozen=True, slots=True)
class FetchReport:
    """What a call of `fetch` or `take` brought; ``skipped`` names the sources that were not asked for or not there."""

    folder: Path
    sources: tuple[SourceReport, ...]
    skipped: tuple[str, ...] = ()

    def summary(self) -> str:
        """Return the report in a few lines."""
        lines = []
        for one in self.sources:
            lines.append(f"{one.name}: {one.found} of {one.wanted} labelled texts, {one.path}, digest {one.digest[:12]}")
            if one.unknown < one.found:
                counts = f"{one.same} as labelled, {one.alike} but for case and white space, {one.different} different"
                lines.append(f"  {counts}" + (f", {one.unknown} not compared" if one.unknown else ""))
            if one.missing:
                lines.append(f"  missing: {', '.join(one.missing[:5])}" + (", …" if len(one.missing) > 5 else ""))
        lines += [f"{name}: not fetched" + _HINTS.get(name, "") for name in self.skipped]
        return "\n".join(lines)

    def save(self) -> None:
        """Write the report beside the text; what an earlier call said of a source that this one skipped stays."""
        path = self.folder / "public" / "fetched.json"
        try:
            before = dict(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            before = {}
        now = {
            one.name: {key: value for key, value in asdict(one).items() if key not in ("name", "path")} for one in self.sources
        }
        rewrite(path, [json.dumps({**before, **now}, indent=1) + "\n"])


def write_source(
    folder: Path, name: str, wanted: Sequence[str], found: Mapping[str, dict[str, Any]], known: Fingerprints
) -> SourceReport:
    """Write the found records in the order of the labels, and count."""
    records = [found[key] for key in wanted if key in found]
    path = folder / "public" / f"{name}.jsonl"
    rewrite(path, map(line, records))
    counts = Counter(likeness(one, known) for one in records)
    return SourceReport(
        name=name,
        path=str(path),
        wanted=len(wanted),
        found=len(records),
        missing=tuple(key for key in wanted if key not in found),
        characters=sum(len(one["text"]) for one in records),
        digest=_digest((one["id"], one["text"]) for one in records),
        loose_digest=_digest((one["id"], loose(one["text"])) for one in records),
        same=counts[Likeness.SAME],
        alike=counts[Likeness.ALIKE],
        different=counts[Likeness.DIFFERENT],
        unknown=counts[Likeness.UNKNOWN],
    )


def _digest(pairs: Iterable[tuple[str, str]]) -> str:
    total = hashlib.sha256()
    for pair in sorted(pairs):
        total.update(json.dumps(pair).encode())
    return total.hexdigest()
