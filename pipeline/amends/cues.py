"""Cues: turns of phrase that the codebook names, found by a spaCy matcher.

The phrases are data (``data/cues.toml``). They are matched on folded words, the same words that the features are made of, so a cue
is a run of words of the text. Each kind of cue is also a feature: what the codebook says of "third time" or "never again" then
carries over to sectors of which the training complaints hold few.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import product
from typing import TYPE_CHECKING

from amends.text import WORD, fold

if TYPE_CHECKING:
    import numpy as np
    from spacy.matcher import PhraseMatcher
    from spacy.pipeline import Sentencizer
    from spacy.tokens import Doc
    from spacy.vocab import Vocab

_NUMBERS = "two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|2|3|10"
#: Stands for every word that is in no phrase, so that the matcher's vocabulary does not grow with what customers write.
OTHER = "\u00b7"
#: Stands between two texts of a batch.
BORDER = "\u2016"
#: Folded marks that end a sentence.
SENTENCE_ENDS = frozenset({".", "!", "?", "!!", "?!", "\u2026", "\u3002"})


@dataclass(frozen=True, slots=True)
class Rule:
    """One entry of ``cues.toml``: its kind (``cue`` or ``must_see``), its name, in words why, and its phrases.

    For ``cue`` also the field and the label that it speaks for.
    """

    kind: str
    name: str
    why: str
    phrases: tuple[str, ...]
    field: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True)
class Cue:
    """A found cue: the number of its rule, and the words that it spans, ``first`` up to but not including ``last``."""

    rule: int
    first: int
    last: int


@cache
def rules() -> tuple[Rule, ...]:
    """Return every rule of ``data/cues.toml``, in order (read once)."""
    raw = tomllib.loads(resources.files("amends").joinpath("data/cues.toml").read_text(encoding="utf-8"))
    return tuple(
        Rule(kind, name, entry["why"], tuple(entry["phrases"]), entry.get("field", ""), entry.get("label", ""))
        for kind, entries in raw.items()
        for name, entry in entries.items()
    )


def written_out(phrase: str) -> list[str]:
    """Return every word sequence that ``phrase`` of ``cues.toml`` stands for.

    Examples
    --------
    >>> written_out("every|each (single) time")
    ['every single time', 'every time', 'each single time', 'each time']
    """
    parts = []
    for part in phrase.replace("<n>", _NUMBERS).split(" "):
        forms = part.strip("()").split("|")
        parts.append([*forms, ""] if part.startswith("(") else forms)
    return [" ".join(filter(None, choice)) for choice in product(*parts)]


@cache
def known_words() -> frozenset[str]:
    """Return every folded word that stands in a phrase, and the marks that end a sentence."""
    return frozenset(word for form in _forms() for word in form) | SENTENCE_ENDS


def read(words: Sequence[str]) -> Doc:
    """Return folded words as a spaCy document, for `match` and `sentence_starts`.

    Parameters
    ----------
    words : sequence of str
        Folded words (`amends.text.fold`), those outside `known_words` as `OTHER`. Texts of a batch may follow one another, parted by
        `BORDER`, which no phrase holds and which ends a sentence.
    """
    from spacy.tokens import Doc

    return Doc(_vocab(), words=list(words))


def match(doc: Doc) -> list[Cue]:
    """Return the cues in a document, in order of appearance.

    Examples
    --------
    >>> [rules()[cue.rule].name for cue in match(read([OTHER, "third", "time"]))]
    ['recurrence']
    """
    number = _numbers()
    found = _matcher()(doc) if len(doc) else []
    return sorted((Cue(number[key], first, last) for key, first, last in found), key=lambda cue: (cue.first, cue.last, cue.rule))


def sentence_starts(doc: Doc) -> np.ndarray:
    """Return for each word whether a sentence begins with it, shape ``(words,)``, by spaCy's rule-based sentencizer."""
    import numpy as np

    if not len(doc):
        return np.zeros(0, dtype=bool)
    starts: np.ndarray = _sentencizer()(doc).to_array(["SENT_START"]) == 1
    return starts


def find(text: str) -> list[tuple[Rule, int, int]]:
    """Return the cues in one text with their offsets in code points.

    Examples
    --------
    >>> [(rule.name, "It broke for the third time"[start:end]) for rule, start, end in find("It broke for the third time")]
    [('recurrence', 'third time')]
    """
    places = [word.span() for word in WORD.finditer(text)]
    words = [fold(text[start:end]) for start, end in places]
    cues = match(read([word if word in known_words() else OTHER for word in words]))
    return [(rules()[cue.rule], places[cue.first][0], places[cue.last - 1][1]) for cue in cues]


@cache
def _forms() -> dict[tuple[str, ...], set[int]]:
    """Each word sequence with the rules that hold it."""
    forms: dict[tuple[str, ...], set[int]] = {}
    for number, rule in enumerate(rules()):
        for phrase in rule.phrases:
            for form in written_out(phrase):
                forms.setdefault(tuple(filter(None, map(fold, WORD.findall(form)))), set()).add(number)
    return forms


@cache
def _vocab() -> Vocab:
    from spacy.vocab import Vocab

    return Vocab()


@cache
def _matcher() -> PhraseMatcher:
    from spacy.matcher import PhraseMatcher
    from spacy.tokens import Doc

    matcher = PhraseMatcher(_vocab(), attr="ORTH")
    for number, rule in enumerate(rules()):
        matcher.add(rule.name, [Doc(_vocab(), words=list(form)) for form, own in _forms().items() if number in own])
    return matcher


@cache
def _sentencizer() -> Sentencizer:
    from spacy.pipeline import Sentencizer

    return Sentencizer(punct_chars=[*SENTENCE_ENDS, BORDER])


@cache
def _numbers() -> dict[int, int]:
    """Each rule's number by the key under which the matcher gives it back."""
    return {_vocab().strings[rule.name]: number for number, rule in enumerate(rules())}
