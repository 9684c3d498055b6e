"""Which column holds the complaints: found by its name and by what stands in it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from statistics import fmean, median
from typing import TYPE_CHECKING

from amends.batch.names import listed
from amends.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: Words in a column's name that promise a message from a customer, with how much they promise.
_WORDS = {
    "narrative": 4, "complaint": 4, "text": 4, "verbatim": 4, "transcript": 4, "comment": 3.5, "comments": 3.5, "feedback": 3.5,
    "message": 3.5, "review": 3.5, "body": 3, "description": 3, "content": 3, "tweet": 3.5, "post": 2, "details": 2, "detail": 2, "complaints": 3,
    "story": 3, "letter": 2.5, "email": 1, "note": 1.5, "notes": 1.5, "document": 1.5, "opinion": 2, "reviews": 3, "utterance": 3,
    "summary": 1, "subject": 0.5, "title": 0.5,
    "beschwerde": 4, "kommentar": 3.5, "nachricht": 3.5, "bewertung": 3, "beschreibung": 3, "inhalt": 3, "reklamation": 4,
    "plainte": 4, "reclamation": 4, "réclamation": 4, "commentaire": 3.5, "texte": 4, "avis": 3, "queja": 4, "reclamo": 4, "comentario": 3.5,
    "texto": 4, "mensaje": 3.5, "klacht": 4, "tekst": 4, "recensione": 3, "testo": 4, "messaggio": 3.5, "opmerking": 3,
}  # fmt: skip
#: Words that say it is something about the message, or the company's side of it.
_AGAINST = {
    "id", "no", "number", "nr", "date", "time", "type", "category", "code", "count", "status", "lang", "language", "url", "link", "author", "name",
    "user", "rating", "score", "stars", "length", "response", "reply", "answer", "company", "agent", "internal", "resolution", "source", "channel",
    "label", "labels", "tag", "tags", "hash", "address", "consent", "by", "at", "owner", "phone", "product", "issue",
}  # fmt: skip
_SAMPLE = 500
_LEAST = 1.5
#: A runner-up this close makes the choice worth telling.
_CLOSE = 1.5
_WORD = re.compile(r"[^\W\d_]{2,}")
_NAME_PART = re.compile(r"[A-Z]?[^\W\d_A-Z]+|[A-Z]+(?![a-z])|[^\W\d_]+")


@dataclass(frozen=True)
class TextColumn:
    """The column found: its name and, where that was close, the runner-up."""

    name: str
    runner_up: str = ""


def find_text_column(columns: Mapping[str, Sequence[object]], names: Sequence[str] | None = None) -> TextColumn:
    """Return the column that most likely holds the complaints.

    Parameters
    ----------
    columns : mapping
        Column names with some of their values (the first hundreds are looked at).
    names : sequence of str, optional
        All columns of the file, for the message; by default those of ``columns``.

    Raises
    ------
    InputError
        If none looks like one; the message lists the columns.

    Examples
    --------
    >>> find_text_column({"Complaint ID": ["17"], "Consumer complaint narrative": ["They charged me twice and hung up."]}).name
    'Consumer complaint narrative'
    """
    scores = {name: _score(name, values) for name, values in columns.items()}
    ranked = sorted((name for name in scores if scores[name] >= _LEAST), key=lambda name: -scores[name])
    if not ranked and len(columns) == 1:
        ranked = [name for name, values in columns.items() if not values or any(isinstance(value, str) for value in values)]
    if not ranked:
        raise InputError(
            f"no column looks like the text of complaints; name one with --text-column: {listed(names or list(columns))}"
        )
    close = len(ranked) > 1 and scores[ranked[1]] > scores[ranked[0]] - _CLOSE
    return TextColumn(ranked[0], ranked[1] if close else "")


def _score(name: str, values: Sequence[object]) -> float:
    parts = [part.casefold() for part in _NAME_PART.findall(name)]
    promised = max((_WORDS.get(part, 0.0) for part in parts), default=0.0) - 1.5 * sum(part in _AGAINST for part in parts)
    if not values:
        return promised
    texts = [value for value in values if isinstance(value, str) and value.strip()][:_SAMPLE]
    if not texts:
        return promised - 3 if any(value not in (None, "") for value in values) else promised - 1
    words = [_WORD.findall(text[:2000]) for text in texts]
    several = fmean(len(found) >= 3 for found in words)
    distinct = len(set(texts)) / len(texts)
    # Length in words counts by its order of magnitude: 4 words tell little, 40 a lot, 400 no more than that.
    typical = median(len(found) for found in words)
    length = min(3.0, 0.8 * len(f"{int(typical):b}") - 1) if typical else -2.0
    return promised + length * (0.3 + 0.7 * distinct) + 2 * several - (3 if several < 0.1 else 0)
