"""Evidence: the words that speak most for each label, as exact contributions of the linear heads.

A head's log-odds is a sum over features, and each feature belongs to words of the text: a word to itself, a pair half to each of its
two words, a character n-gram to the words that hold it, in equal parts. Given back in that way, the weights of all words of a text
add up to the label's log-odds (against the mean of the other labels) less the head's bias. For the strategy this is the part
of the router that reads the text; what it takes from the tags' probabilities belongs to no word.

Spans are runs of such words inside one sentence (spaCy's sentencizer), so that no span ends inside a word.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from amends.assessment import Span
from amends.encode import Encoded
from amends.tagging import Head
from amends.text import LOOKED_AT, WORD, fold

#: At most this many spans are shown for a field,
MOST_SPANS = 5
#: and only words that carry at least this share of the strongest span's weight.
LEAST_SHARE = 0.2
#: A contribution below this (log-odds) is noise.
LEAST_WEIGHT = 0.02


@dataclass(frozen=True)
class Question:
    """Whose evidence is wanted: ``head`` with, for each text, the number of its label, or -1 where none is asked."""

    field: str
    head: Head
    labels: np.ndarray


def token_weights(encoded: Encoded, weights: np.ndarray, questions: Sequence[Question]) -> np.ndarray:
    """Return each word's contribution to each question's label, shape ``(tokens, questions)``.

    Parameters
    ----------
    encoded : Encoded
        The batch.
    weights : numpy.ndarray
        The heads' weights, shape ``(features, width)``.
    questions : sequence of Question
        Heads and labels; a text that is not asked gets zeros.
    """
    features, tokens = encoded.features, encoded.tokens
    rows = features.shape[0]
    contrast = np.zeros((rows, weights.shape[1]), dtype=np.float32)
    for question in questions:
        table = np.vstack(
            [question.head.contrast(label) for label in range(len(question.head.labels))] + [np.zeros(question.head.width)]
        )
        contrast[:, question.head.columns] = table[question.labels]  # label -1 is the last row, the zeros
    # A feature's contribution per time that it stands in the text, to each question.
    row = np.repeat(np.arange(rows), np.diff(features.indptr))
    product = weights[features.indices] * contrast[row]
    first = [question.head.first for question in questions]
    share = np.add.reduceat(product, first, axis=1) if questions else np.zeros((len(row), 0), dtype=np.float32)
    share *= (features.data / encoded.counts)[:, None]
    keys = row.astype(np.int64) * features.shape[1] + features.indices  # ascending: rows in order, columns sorted

    def look_up(at_row: np.ndarray, column: np.ndarray) -> np.ndarray:
        """The stored value's number for each (row, column), -1 where the text has no such feature."""
        wanted = at_row.astype(np.int64) * features.shape[1] + column
        place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        return np.where((column >= 0) & (keys[place] == wanted), place, -1)

    result = np.zeros((len(tokens.ids), len(questions)), dtype=np.float32)
    if not len(keys):
        return result
    token_row = np.repeat(np.arange(rows), np.diff(tokens.starts))
    at = look_up(token_row, encoded.columns)
    result[at >= 0] += share[at[at >= 0]]
    at = look_up(token_row, encoded.pairs)
    hit = at >= 0
    half = share[at[hit]] / 2
    result[hit] += half
    result[encoded.following[hit]] += half  # a word follows at most one other, so no place is added to twice
    if encoded.cues:
        own = share[look_up(encoded.rows_of_cues(), encoded.cue_columns())]
        for cue, per_word in zip(encoded.cues, own, strict=True):
            result[cue.first : cue.last] += per_word
    # Character n-grams: once per distinct (text, word), then given to each place where the word stands.
    distinct, place = np.unique(token_row.astype(np.int64) * encoded.grams.shape[0] + tokens.ids, return_inverse=True)
    of_row, word = distinct // encoded.grams.shape[0], distinct % encoded.grams.shape[0]
    grams = encoded.grams[word]
    sizes = np.diff(grams.indptr)
    at = look_up(np.repeat(of_row, sizes), grams.indices)
    per_gram = share[at] * grams.data[:, None]
    starts = grams.indptr[:-1][sizes > 0]
    of_word = np.zeros((len(distinct), len(questions)), dtype=np.float32)
    if len(starts):
        of_word[sizes > 0] = np.add.reduceat(per_gram, starts, axis=0)
    result += of_word[place]
    return result


def spans(text: str, fields: Sequence[str], weights: np.ndarray, sentences: np.ndarray) -> dict[str, tuple[Span, ...]]:
    """Return for each field the spans of ``text`` that speak most for its label, strongest first.

    Parameters
    ----------
    text : str
        The caller's text, in which offsets count.
    fields : sequence of str
        A name for each column of ``weights``.
    weights : numpy.ndarray
        Each word's contributions, shape ``(words of text, fields)``, words as `amends.text.WORD` parts them.
    sentences : numpy.ndarray
        The number of each word's sentence, shape ``(words of text,)``.
    """
    if not len(weights):
        return dict.fromkeys(fields, ())
    places = [word.span() for word in WORD.finditer(text)]
    light = [_light(text[start : min(end, start + LOOKED_AT)]) for start, end in places]
    lines = np.searchsorted([match.end() for match in _LINE_END.finditer(text)], [start for start, _ in places], side="right")
    part = (sentences * (int(lines[-1]) + 1) + lines).tolist()  # a line break ends a sentence too
    cuts = np.maximum(LEAST_WEIGHT, LEAST_SHARE * weights.max(axis=0))
    found: dict[str, tuple[Span, ...]] = {}
    for column, field in enumerate(fields):
        own = weights[:, column].tolist()
        runs = _runs(np.flatnonzero(weights[:, column] >= cuts[column]).tolist(), part, light)
        telling = [run for run in runs if not all(light[run[0] : run[1]])] or runs
        strongest = sorted(((sum(own[first:last]), first, last) for first, last in telling), key=lambda run: (-run[0], run[1]))
        found[field] = tuple(
            Span(places[first][0], places[last - 1][1], round(weight, 4))
            for weight, first, last in strongest[:MOST_SPANS]
            if weight > 0
        )
    return found


def _runs(kept: Sequence[int], part: Sequence[int], light: Sequence[bool]) -> list[tuple[int, int]]:
    """Join kept words of one sentence that stand side by side, or with one light word between, into runs."""
    runs: list[tuple[int, int]] = []
    for i in kept:
        if runs:
            first, last = runs[-1]
            if part[i] == part[last - 1] and (i == last or (i == last + 1 and light[last])):
                runs[-1] = (first, i + 1)
                continue
        runs.append((i, i + 1))
    return [_stripped(run, light) for run in runs]


def _stripped(run: tuple[int, int], light: Sequence[bool]) -> tuple[int, int]:
    """Take light words off both ends of a run that holds others."""
    first, last = run
    if not all(light[first:last]):
        while light[first]:
            first += 1
        while light[last - 1]:
            last -= 1
    return first, last


@lru_cache(maxsize=50_000)
def _light(word: str) -> bool:
    """Whether ``word`` tells nothing by itself: a mark, or a function word that neither denies nor counts."""
    from spacy.lang.en.stop_words import STOP_WORDS

    folded = fold(word)
    return not folded[:1].isalnum() or (folded in STOP_WORDS and folded not in _TELLING)


_LINE_END = re.compile(r"\n+")
#: spaCy's stop words that do tell something in a complaint.
_TELLING = frozenset(
    [
        "again",
        "against",
        "always",
        "almost",
        "cannot",
        "did",
        "ever",
        "every",
        "first",
        "five",
        "four",
        "full",
        "move",
        "must",
        "neither",
        "never",
        "no",
        "nobody",
        "none",
        "nor",
        "not",
        "nothing",
        "nowhere",
        "often",
        "once",
        "only",
        "out",
        "over",
        "please",
        "several",
        "six",
        "still",
        "ten",
        "third",
        "three",
        "twelve",
        "twice",
        "two",
        "until",
        "used",
        "when",
        "why",
        "without",
        "yet",
    ]
)


def as_json(found: Mapping[str, tuple[Span, ...]]) -> str:
    """Return evidence as it stands in files: ``{"field": [[start, end, weight], …]}``."""
    return json.dumps({field: [[s.start, s.end, s.weight] for s in own] for field, own in found.items()}, separators=(",", ":"))
