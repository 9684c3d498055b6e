"""How many authored texts the language identifier would keep from a model of their own language."""

from __future__ import annotations

from collections.abc import Sequence

from amends.language import identify
from amends_training.corpora import Record, is_authored, language_of

#: Languages of the authored corpora.
LANGUAGES = ("en", "ko", "zh")


def turned_away(records: Sequence[Record], languages: Sequence[str]) -> dict[str, list[str]]:
    """Return by language the ids of the authored records that the identifier would not let a model of ``languages`` score."""
    known = frozenset(languages)
    return {
        language: [record.id for record in authored(records, language) if not identify(record.text, known)[1]]
        for language in languages
    }


def authored(records: Sequence[Record], language: str) -> list[Record]:
    """Return the authored records of one language."""
    return [record for record in records if is_authored(record.id) and language_of(record.id) == language]
