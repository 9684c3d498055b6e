"""Groups of near-duplicates and the frozen folds made from them.

Template letters and reposts must not stand on both sides of a split, so records that share word shingles are
joined into one group and a group's fold follows from a hash of its smallest id. The result is committed as
``data/folds.tsv`` (ids and numbers, no text): recomputing it needs the public text, reading it does not.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_WORD = re.compile(r"\w+")
#: A shingle in more records than this is boilerplate of a whole genre ("to whom it may concern") and joins nothing.
COMMON_SHINGLE = 200


@dataclass(frozen=True, slots=True)
class Fold:
    """Where one record stands in the protocol: its group, its fold and whether the headline is taken over it."""

    group: str
    fold: int
    tested: bool


def shingles(text: str, words: int) -> frozenset[str]:
    """Return the set of runs of ``words`` lower-cased words in ``text``; a shorter text is one run."""
    tokens = _WORD.findall(text.lower())
    if len(tokens) <= words:
        return frozenset([" ".join(tokens)])
    return frozenset(" ".join(tokens[i : i + words]) for i in range(len(tokens) - words + 1))


def near_duplicates(texts: Mapping[str, str], words: int, containment: float) -> dict[str, str]:
    """Map each id to the smallest id of its group of near-duplicates.

    Two records are joined when they share at least ``containment`` of the shorter one's shingles.
    """
    sets = {key: shingles(text, words) for key, text in texts.items()}
    postings: dict[str, list[str]] = defaultdict(list)
    for key in sorted(sets):
        for shingle in sets[key]:
            postings[shingle].append(key)
    shared: dict[tuple[str, str], int] = defaultdict(int)
    for keys in postings.values():
        if len(keys) <= COMMON_SHINGLE:
            for i, first in enumerate(keys):
                for second in keys[i + 1 :]:
                    shared[first, second] += 1
    parent = {key: key for key in sets}

    def root(key: str) -> str:
        while parent[key] != key:
            parent[key] = parent[parent[key]]
            key = parent[key]
        return key

    for (first, second), count in shared.items():
        if count >= containment * min(len(sets[first]), len(sets[second])):
            a, b = sorted((root(first), root(second)))
            parent[b] = a
    return {key: root(key) for key in sets}


def fold_of(group: str, seed: int, folds: int) -> int:
    """Return the fold, 0 to ``folds - 1``, of a group: a hash, so that later records move nobody."""
    return int.from_bytes(hashlib.sha256(f"{seed}:{group}".encode()).digest()[:8], "big") % folds


def assign(
    texts: Mapping[str, str], frozen: Mapping[str, Fold], *, seed: int, folds: int, words: int, containment: float
) -> dict[str, Fold]:
    """Give each record of ``texts`` its fold; records in ``frozen`` keep theirs and draw new near-duplicates to them.

    New records are not ``tested`` once anything is frozen, so the headline stays over the same records.
    """
    groups = near_duplicates(texts, words, containment)
    members: dict[str, list[str]] = defaultdict(list)
    for key, group in groups.items():
        members[group].append(key)
    result: dict[str, Fold] = {}
    for group, keys in members.items():
        known = sorted(key for key in keys if key in frozen)
        name, number = (frozen[known[0]].group, frozen[known[0]].fold) if known else (group, fold_of(group, seed, folds))
        for key in keys:
            result[key] = frozen[key] if key in frozen else Fold(name, number, not frozen)
    return result


def read(path: Path) -> dict[str, Fold]:
    """Read ``folds.tsv``: id, group, fold, tested."""
    rows = (line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()[1:])
    return {key: Fold(group, int(fold), tested == "1") for key, group, fold, tested in rows}


def write(path: Path, folds: Mapping[str, Fold]) -> None:
    """Write ``folds.tsv``, sorted by id."""
    lines = ["id\tgroup\tfold\ttested"]
    lines += [f"{k}\t{folds[k].group}\t{folds[k].fold}\t{int(folds[k].tested)}" for k in sorted(folds)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
