"""Words of a complaint: how the caller's text is parted into words and how a word is folded.

Nothing here changes the text, so every offset is one of the caller's own string. Folding works on one word at a time
and so can be remembered: complaints are written in a few ten thousand words.
"""

from __future__ import annotations

import re
import unicodedata

# Zero-width characters and marks of direction stand inside words in the wild; they belong to the word they stand in.
_IN = r"[\w\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]"
_TAIL = rf"(?:['’‘`´]{_IN}+)*"
#: A word: letters and digits with inner apostrophes, a number, a web address, a handle, a markup tag, or one other mark. The
#: commonest comes first, for speed.
WORD = re.compile(
    rf"(?!https?://|www\.)[^\W\d_]{_IN}*{_TAIL}"
    r"|\d+(?:[.,]\d+)*(?![^\W_])"
    r"|(?:https?://|www\.)[^\s<>\"]+"
    rf"|{_IN}+{_TAIL}"
    r"|@\w+"
    r"|</?(?:br|p|b|i|u|em|strong|div|span)\b[^<>]{0,80}>"
    r"|&(?:amp|quot|nbsp|lt|gt|#39|#x27);"
    r"|[!?]+|[^\w\s]"
)
_INVISIBLE = dict.fromkeys([0xAD, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2065), 0xFEFF])
_QUOTES = str.maketrans("’‘`´“”", "''''\"\"")
_DIGITS = re.compile(r"\d")
_NUMBER = re.compile(r"[\d.,]+")
_FRACTION = re.compile(r"[.,]\d{1,2}$")
_REDACTED = re.compile(r"x{2,}")
#: Words beyond this are cut when folded: nobody writes them, and a megabyte of one word must not cost a megabyte of n-grams.
LONGEST_WORD = 40
#: So much of a word is looked at. Whoever remembers words remembers them by these first code points.
LOOKED_AT = 64
#: Numbers of this many digits or more are alike: account and order numbers.
_LARGEST = 7


def fold(word: str) -> str:
    """Return the form under which ``word`` is looked up, or ``""`` for one that carries nothing.

    Lower case, compatibility forms unified, numbers of one length alike, addresses, handles and redactions each as one word.

    Examples
    --------
    >>> fold("Don’t"), fold("1,200.50"), fold("2019"), fold("@AcmeHelp"), fold("XXXX"), fold("<br />")
    ("don't", '0000', '0000', '@user', 'xxxx', '')
    """
    word = word[:LOOKED_AT]
    if word[0] == "<" and len(word) > 1:
        return ""
    if word[0] == "&" and len(word) > 1:
        return "'" if "39" in word or "27" in word else ""
    if word[0] == "@" and len(word) > 1:
        return "@user"
    lowered = word.lower()
    if lowered.startswith(("http://", "https://", "www.")):
        return "url"
    if not lowered.isascii():
        lowered = unicodedata.normalize("NFKC", lowered.translate(_INVISIBLE)).translate(_QUOTES).lower()
    if _REDACTED.fullmatch(lowered):
        return "xxxx"
    if lowered[:1] in "!?" and len(lowered) > 1:
        return "!!" if "?" not in lowered else "?!"
    if len(lowered) > 1 and _NUMBER.fullmatch(lowered):  # as many zeros as digits before the point: how large it is
        return "0" * min(sum(map(str.isdigit, _FRACTION.sub("", lowered))), _LARGEST)
    return _DIGITS.sub("0", lowered.replace("`", "'")[:LONGEST_WORD])
