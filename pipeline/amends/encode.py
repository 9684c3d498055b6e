"""The encoder: texts to sparse TF-IDF features of words, word pairs and the character n-grams inside words, and cues.

What scikit-learn's vectorisers count text by text is counted here word by word. A character n-gram never crosses a word's
border, so the n-grams of a text are the n-grams of its words, times how often each word stands in it: one sparse matrix
product over a table of words that is filled once per distinct word. The result is the same (a test compares the two).
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp

from amends.cues import BORDER, OTHER, Cue, known_words, match, read, rules, sentence_starts
from amends.text import LOOKED_AT, WORD, fold

if TYPE_CHECKING:
    from spacy.tokens import Doc

#: Distinct words remembered before the table is emptied, so that memory stays bounded whatever customers write.
REMEMBERED = 150_000
CHAR_NGRAMS = (3, 5)
#: What a cue that stands in the text weighs beside the two blocks of unit length. The only weight judged on the training folds
#: (against no cues, ``docs/model.md``); others remain to be tried.
CUE_WEIGHT = 0.55


def char_ngrams(word: str, sizes: tuple[int, int] = CHAR_NGRAMS) -> list[str]:
    """Return the character n-grams of a folded word padded by one space on each side, repeats included.

    A padded word shorter than the n-gram is itself counted once, as scikit-learn's ``char_wb`` does.

    Examples
    --------
    >>> char_ngrams("late", (3, 4))
    [' la', 'lat', 'ate', 'te ', ' lat', 'late', 'ate ']
    """
    padded = f" {word} "
    grams: list[str] = []
    for size in range(sizes[0], sizes[1] + 1):
        if size >= len(padded):
            grams.append(padded)
            break
        grams.extend(padded[i : i + size] for i in range(len(padded) - size + 1))
    return grams


@dataclass(frozen=True)
class Vocabulary:
    """The features in column order, each block sorted: words, pairs of words, character n-grams; and their IDF weights.

    After them stands one column for each rule of `amends.cues.rules`, in that order.
    """

    words: tuple[str, ...]
    pairs: tuple[tuple[str, str], ...]
    chars: tuple[str, ...]
    idf: np.ndarray

    def __post_init__(self) -> None:
        if len(self.idf) != self.weighted:
            raise ValueError(f"{self.weighted} features but {len(self.idf)} IDF weights")

    @property
    def weighted(self) -> int:
        """Number of features with an IDF weight."""
        return len(self.words) + len(self.pairs) + len(self.chars)

    @property
    def size(self) -> int:
        """Number of features."""
        return self.weighted + len(rules())


@dataclass(frozen=True)
class Tokens:
    """The words of a batch: ``ids`` index the encoder's table, those of text ``i`` at ``starts[i]:starts[i + 1]``."""

    ids: np.ndarray
    starts: np.ndarray


@dataclass(frozen=True)
class Encoded:
    """A batch's features, and what evidence needs to trace them back to words.

    Attributes
    ----------
    features : scipy.sparse.csr_matrix
        Weighted features, float32, shape ``(texts, features)``, columns sorted within a row.
    counts : numpy.ndarray
        How often the feature stands in the text, for each stored value of ``features``; for a cue, over how many words.
    tokens : Tokens
        The words, as numbers.
    columns : numpy.ndarray
        Per token the column of its word, or a negative number where the word is no feature.
    grams : scipy.sparse.csr_matrix
        Character n-gram counts, one row per remembered word (indexed by ``tokens.ids``).
    pairs : numpy.ndarray
        Per token the column of the pair that it makes with the next word of its text, or -1.
    following : numpy.ndarray
        Per token the index of that next word among the tokens, or -1.
    cues : list of Cue
        The cues found, as runs of the batch's tokens.
    document : spacy.tokens.Doc
        The batch as the matcher read it, a border before each text.
    """

    features: sp.csr_matrix
    counts: np.ndarray
    tokens: Tokens
    columns: np.ndarray
    grams: sp.csr_matrix
    pairs: np.ndarray
    following: np.ndarray
    cues: list[Cue]
    document: Doc

    def rows_of_cues(self) -> np.ndarray:
        """Return the text that each cue stands in, shape ``(cues,)``."""
        return np.searchsorted(self.tokens.starts, [cue.first for cue in self.cues], side="right") - 1

    def cue_columns(self) -> np.ndarray:
        """Return the column of each cue's rule, shape ``(cues,)``."""
        return np.array([cue.rule for cue in self.cues], dtype=np.int64) + (self.features.shape[1] - len(rules()))

    def sentences(self) -> np.ndarray:
        """Return for each token the number of its sentence in the batch, shape ``(tokens,)``."""
        number = np.cumsum(sentence_starts(self.document))
        border = self.tokens.starts[:-1] + np.arange(len(self.tokens.starts) - 1)
        return np.delete(number, border)


class Encoder:
    """Turns texts into a sparse matrix of features; safe to share between threads.

    The two blocks, words with their pairs and character n-grams, are each scaled to unit length, with sublinear term
    frequency ``1 + log(tf)``, as ``TfidfVectorizer(sublinear_tf=True)`` would.

    Parameters
    ----------
    vocabulary : Vocabulary
        Features and their weights.

    Examples
    --------
    >>> encoder = Encoder.fit(["late again", "late and rude", "rude again"], min_df=2)
    >>> encoder.transform(["so rude"]).shape[0], encoder.vocabulary.words
    (1, ('again', 'late', 'rude'))
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self._word_column = {word: i for i, word in enumerate(vocabulary.words)}
        offset = len(vocabulary.words) + len(vocabulary.pairs)
        self._char_column = {gram: offset + i for i, gram in enumerate(vocabulary.chars)}
        self._first_char = offset
        # A pair is looked up by number, first word * number of words + second, among sorted numbers.
        numbers = [self._word_column[a] * len(vocabulary.words) + self._word_column[b] for a, b in vocabulary.pairs]
        self._pair_numbers = np.asarray(numbers, dtype=np.int64)
        if np.any(np.diff(self._pair_numbers) <= 0):
            raise ValueError("word pairs are not sorted by their words' columns")
        self._lock = threading.Lock()
        self._forget()

    # ------------------------------------------------------------------------------------------------- fitting
    @classmethod
    def fit(cls, texts: Iterable[str], *, min_df: int = 2) -> Encoder:
        """Return an encoder with every feature that stands in at least ``min_df`` of ``texts``."""
        words: dict[str, int] = {}
        pairs: dict[tuple[str, str], int] = {}
        chars: dict[str, int] = {}
        grams_of: dict[str, frozenset[str]] = {}
        count = 0
        for text in texts:
            count += 1
            folded = [word for word in map(fold, WORD.findall(text)) if word]
            distinct = set(folded)
            for word in distinct:
                words[word] = words.get(word, 0) + 1
                if word not in grams_of:
                    grams_of[word] = frozenset(char_ngrams(word))
            for pair in set(pairwise(folded)):
                pairs[pair] = pairs.get(pair, 0) + 1
            for gram in frozenset().union(*(grams_of[word] for word in distinct)):
                chars[gram] = chars.get(gram, 0) + 1
        kept_words = sorted(word for word, df in words.items() if df >= min_df)
        kept_pairs = sorted(pair for pair, df in pairs.items() if df >= min_df)
        kept_chars = sorted(gram for gram, df in chars.items() if df >= min_df)
        df = [words[w] for w in kept_words] + [pairs[p] for p in kept_pairs] + [chars[c] for c in kept_chars]
        idf = np.log((1 + count) / (1 + np.asarray(df, dtype=np.float64))) + 1
        return cls(Vocabulary(tuple(kept_words), tuple(kept_pairs), tuple(kept_chars), idf.astype(np.float32)))

    # ------------------------------------------------------------------------------------------------ encoding
    def tokens(self, texts: Sequence[str]) -> Tokens:
        """Return the words of ``texts`` as numbers; words never seen before are added to the table."""
        ids: list[int] = []
        starts = np.zeros(len(texts) + 1, dtype=np.int64)
        number = self._numbers.__getitem__
        find = WORD.findall
        for i, text in enumerate(texts):
            ids.extend(map(number, find(text)))
            starts[i + 1] = len(ids)
        return Tokens(np.asarray(ids, dtype=np.int32), starts)

    def transform(self, texts: Sequence[str]) -> sp.csr_matrix:
        """Return the features of ``texts``, float32, shape ``(len(texts), vocabulary.size)``, rows in order.

        A row does not hang on the other rows, nor on what was encoded before.
        """
        return self.encode(texts).features

    def encode(self, texts: Sequence[str]) -> Encoded:
        """Return the features of ``texts`` with their counts and words; see `transform`."""
        with self._lock:  # the table grows while it is read
            if len(self._numbers) > REMEMBERED:
                self._forget()
            tokens = self.tokens(texts)
            grams = self._gram_table()
            columns = np.asarray(self._columns, dtype=np.int64)[tokens.ids]
            document = self._document(tokens)
        rows = len(texts)
        cues = _in_tokens(match(document), tokens)
        ones = np.ones(len(tokens.ids), dtype=np.float32)
        held = sp.csr_matrix((ones, tokens.ids.copy(), tokens.starts.copy()), shape=(rows, grams.shape[0]))  # reordered in place
        held.sum_duplicates()
        pairs, following = self._pairs(tokens, columns, rows)
        words, chars = self._word_features(tokens, columns, pairs, rows), held @ grams
        for block in (words, chars):
            block.sort_indices()
        counted = _side_by_side(words, chars)
        lengths = (np.diff(words.indptr), np.diff(chars.indptr))
        weighed = counted.copy()
        weighed.data = _weighed(counted, counted.data, self.vocabulary.idf, lengths)
        spread = self._cue_features(tokens, cues, rows)
        lit = spread.copy()
        lit.data = np.full(len(lit.data), CUE_WEIGHT, dtype=np.float32)
        features, counts = _side_by_side(weighed, lit), _side_by_side(counted, spread)
        return Encoded(features, counts.data, tokens, columns, grams, pairs, following, cues, document)

    def _document(self, tokens: Tokens) -> Doc:
        """All texts as one document for the matcher, a border before each."""
        said = np.empty(len(tokens.ids) + len(tokens.starts) - 1, dtype=object)
        border = tokens.starts[:-1] + np.arange(len(tokens.starts) - 1)
        inside = np.ones(len(said), dtype=bool)
        inside[border] = False
        said[border] = BORDER
        said[inside] = self._said_words()[tokens.ids]
        return read(said.tolist())

    def _cue_features(self, tokens: Tokens, cues: list[Cue], rows: int) -> sp.csr_matrix:
        """Return over how many words the cues of each rule stand in each text."""
        row = np.searchsorted(tokens.starts, [cue.first for cue in cues], side="right") - 1
        column = np.array([self.vocabulary.weighted + cue.rule for cue in cues], dtype=np.int64)
        length = np.array([cue.last - cue.first for cue in cues], dtype=np.float32)
        features = sp.csr_matrix((length, (row, column)), shape=(rows, self.vocabulary.size))
        features.sort_indices()
        return features

    def _pairs(self, tokens: Tokens, columns: np.ndarray, rows: int) -> tuple[np.ndarray, np.ndarray]:
        """For each token the column of its pair with the next heard word of the same text, and which token that is."""
        pairs = np.full(len(columns), -1, dtype=np.int64)
        following = np.full(len(columns), -1, dtype=np.int64)
        row = np.repeat(np.arange(rows), np.diff(tokens.starts))
        heard = np.flatnonzero(columns != _SILENT)
        first, second = heard[:-1], heard[1:]
        together = row[first] == row[second]
        first, second = first[together], second[together]
        following[first] = second
        known = (columns[first] >= 0) & (columns[second] >= 0)
        first, second = first[known], second[known]
        if len(self._pair_numbers) and len(first):
            number = columns[first] * len(self.vocabulary.words) + columns[second]
            place = np.minimum(np.searchsorted(self._pair_numbers, number), len(self._pair_numbers) - 1)
            hit = self._pair_numbers[place] == number
            pairs[first[hit]] = place[hit] + len(self.vocabulary.words)
        return pairs, following

    def _word_features(self, tokens: Tokens, columns: np.ndarray, pairs: np.ndarray, rows: int) -> sp.csr_matrix:
        """Counts of words and of pairs."""
        row = np.repeat(np.arange(rows), np.diff(tokens.starts))
        all_rows = np.concatenate([row[columns >= 0], row[pairs >= 0]])
        all_columns = np.concatenate([columns[columns >= 0], pairs[pairs >= 0]])
        ones = np.ones(len(all_rows), dtype=np.float32)
        return sp.csr_matrix((ones, (all_rows, all_columns)), shape=(rows, self.vocabulary.size))

    # ------------------------------------------------------------------------------------------ the word table
    def _forget(self) -> None:
        self._columns: list[int] = []  # per remembered word: its column, _UNKNOWN or _SILENT
        self._grams: list[list[int]] = []  # per remembered word: the columns of its character n-grams
        self._said: list[str] = []  # per remembered word: itself folded where a cue's phrase may hold it
        self._said_array = np.zeros(0, dtype=object)
        self._numbers = _Numbers(self._remember)
        self._table: sp.csr_matrix | None = None

    def _remember(self, word: str) -> int:
        folded = fold(word)
        self._columns.append(self._word_column.get(folded, _UNKNOWN) if folded else _SILENT)
        self._said.append(folded if folded in known_words() else OTHER)
        grams = char_ngrams(folded) if folded else []
        self._grams.append([self._char_column[gram] for gram in grams if gram in self._char_column])
        return len(self._columns) - 1

    def _gram_table(self) -> sp.csr_matrix:
        """The table of character n-gram counts, one row per remembered word; only new rows are made."""
        done = 0 if self._table is None else self._table.shape[0]
        if self._table is None or done < len(self._grams):
            new = self._grams[done:]
            starts = np.concatenate([[0], np.cumsum([len(grams) for grams in new])]).astype(np.int64)
            columns = np.fromiter((column for grams in new for column in grams), dtype=np.int64, count=starts[-1])
            rows = sp.csr_matrix(
                (np.ones(len(columns), dtype=np.float32), columns, starts), shape=(len(new), self.vocabulary.size)
            )
            rows.sum_duplicates()
            self._table = rows if self._table is None else sp.vstack([self._table, rows], format="csr")
            for i in range(done, len(self._grams)):
                self._grams[i] = []  # the table holds them now
        return self._table

    def _said_words(self) -> np.ndarray:
        if len(self._said_array) < len(self._said):
            self._said_array = np.array(self._said, dtype=object)
        return self._said_array

    def __getstate__(self) -> Mapping[str, Any]:
        return {"vocabulary": self.vocabulary}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        self.__init__(state["vocabulary"])  # type: ignore[misc]


_UNKNOWN = -1
_SILENT = -2


class _Numbers(dict[str, int]):
    """Numbers words in the order in which they are first asked for."""

    def __init__(self, remember: Any) -> None:
        super().__init__()
        self._remember_word = remember

    def __missing__(self, word: str) -> int:
        if len(word) > LOOKED_AT:  # what folding does not look at is not kept: a word may be a megabyte long
            return self[word[:LOOKED_AT]]
        number: int = self._remember_word(word)
        self[word] = number
        return number


def _in_tokens(cues: list[Cue], tokens: Tokens) -> list[Cue]:
    """Return cues counted in words of the document as cues counted in tokens of the batch."""
    border = tokens.starts[:-1] + np.arange(len(tokens.starts) - 1)
    before = np.searchsorted(border, [cue.first for cue in cues]).tolist()
    return [Cue(cue.rule, cue.first - by, cue.last - by) for cue, by in zip(cues, before, strict=True)]


def _side_by_side(left: sp.csr_matrix, right: sp.csr_matrix) -> sp.csr_matrix:
    """Join two blocks of sorted rows and the same shape; every column of ``left`` comes before any of ``right``."""
    starts = left.indptr.astype(np.int64) + right.indptr
    data = np.empty(starts[-1], dtype=np.float32)
    indices = np.empty(starts[-1], dtype=np.int32)
    for block, before in ((left, right.indptr[:-1]), (right, left.indptr[1:])):
        place = np.arange(block.nnz) + np.repeat(before, np.diff(block.indptr))
        data[place], indices[place] = block.data, block.indices
    return sp.csr_matrix((data, indices, starts), shape=left.shape)


def _weighed(features: sp.csr_matrix, counts: np.ndarray, idf: np.ndarray, lengths: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Return TF-IDF values, each block of each row scaled to unit length."""
    values = (1 + np.log(counts)) * idf[features.indices]
    sizes = np.column_stack(lengths).ravel()  # the stretches of the data, a row's words and then its characters
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    squares = np.add.reduceat(np.append(values**2, np.float32(0)), starts)
    norms = np.sqrt(np.where(sizes == 0, 1, squares))
    scaled: np.ndarray = values / np.repeat(norms, sizes)
    return scaled.astype(np.float32)
