"""Digests of the texts that were labelled, which tell a changed text without holding any."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any

from amends_training.corpora import DATA, PUBLIC, read_lines
from amends_training.fetch.files import rewrite
from amends_training.fetch.records import LABELS, wanted_ids

#: The digests of the texts that were labelled (may be missing).
FINGERPRINTS = DATA / "labels" / "public_text.tsv"

#: By id the digest of the text, and of the text without regard to case and white space.
Fingerprints = Mapping[str, tuple[str, str]]


class Likeness(Enum):
    """How a text stands to the one that was labelled."""

    SAME = "same"
    ALIKE = "equal but for case and white space"
    DIFFERENT = "different"
    UNKNOWN = "there is no digest to compare with"


def likeness(record: Mapping[str, Any], known: Fingerprints) -> Likeness:
    """Compare the text of a record with the one that was labelled."""
    if record["id"] not in known:
        return Likeness.UNKNOWN
    exact, alike = known[record["id"]]
    if _fingerprint(record["text"]) == exact:
        return Likeness.SAME
    return Likeness.ALIKE if _fingerprint(loose(record["text"])) == alike else Likeness.DIFFERENT


def loose(text: str) -> str:
    """Return a text without regard to case and white space."""
    return " ".join(text.casefold().split())


def read_fingerprints(path: Path) -> Fingerprints:
    """Read the digests; none where the file is missing."""
    if not path.exists():
        return {}
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()[1:]]
    return {key: (exact, alike) for key, exact, alike in rows}


def write_fingerprints(folder: Path, path: Path = FINGERPRINTS, labels: Path = LABELS) -> int:
    """Write the digests of the labelled texts in ``folder`` to ``path`` and return their number: for who adds labels."""
    wanted = {key for keys in wanted_ids(labels).values() for key in keys}
    files = [folder / "public" / f"{name}.jsonl" for name in PUBLIC]
    texts = {row["id"]: row["text"] for file in files if file.exists() for _, row in read_lines(file) if row["id"] in wanted}
    lines = [f"{key}\t{_fingerprint(text)}\t{_fingerprint(loose(text))}\n" for key, text in sorted(texts.items())]
    rewrite(path, ["id\ttext\tloose\n", *lines])
    return len(lines)


def _fingerprint(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
