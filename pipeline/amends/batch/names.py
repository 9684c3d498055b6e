"""Column names in messages: those that there are, and first rows that are no names at all.

Where a file has no header line its first complaint would be taken for names, lost as a row and printed wherever a name is; so what
reads like a sentence is told by its place (``column 2``) and never quoted.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from amends.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

#: A name of more words or characters than this is a sentence; the longest of common exports ("Company response to consumer") has four words.
_MOST_WORDS, _MOST_CHARACTERS = 6, 60
#: Beside nothing but numbers even so many words are no name, nor is what ends as sentences do.
_FEW_WORDS, _ENDS = 4, (".", "!", "?", "…")
_MOST_LISTED = 40


def told(name: str, names: Sequence[str]) -> str:
    """Return ``name``, one of ``names``, as a message may show it.

    Examples
    --------
    >>> told("narrative", ["id", "narrative"])
    "'narrative'"
    """
    return f"column {names.index(name) + 1}" if reads_like_sentence(name) else repr(name)


def listed(names: Sequence[str], *, what: str = "column") -> str:
    """Return ``names`` as one line, cut where they are many."""
    shown = [f"{what} {number}" if reads_like_sentence(name) else name for number, name in enumerate(names[:_MOST_LISTED], 1)]
    return ", ".join(shown) + (f" and {len(names) - _MOST_LISTED} more" if len(names) > _MOST_LISTED else "")


def require(name: str, names: Sequence[str], *, option: str) -> str:
    """Return ``name`` if it is among ``names``.

    Raises
    ------
    InputError
        If it is not; the message names the closest and all there are.
    """
    if name in names:
        return name
    folded = {other.strip().casefold(): other for other in reversed(names)}
    near = difflib.get_close_matches(name.strip().casefold(), list(folded), 1, 0.6)
    meant = f" (did you mean {told(folded[near[0]], names)}?)" if near else ""
    wanted = "no such column" if reads_like_sentence(name) else f"no column {name!r}"
    raise InputError(f"{option}: {wanted}{meant}; there are {listed(names)}")


def reads_like_sentence(name: str) -> bool:
    """Tell whether ``name`` is longer than the name of a column is.

    Examples
    --------
    >>> reads_like_sentence("Consumer complaint narrative"), reads_like_sentence("They charged my card twice and then hung up")
    (False, True)
    """
    return len(name) > _MOST_CHARACTERS or len(name.split()) > _MOST_WORDS


def refuse_data(names: Sequence[str], text_column: str) -> None:
    """Raise `InputError` where ``names``, the first row of a file, are data: its text is a sentence, or one beside mere numbers."""
    others = [name for name in names if name != text_column]
    short = len(text_column.split()) >= _FEW_WORDS or text_column.rstrip().endswith(_ENDS)
    if reads_like_sentence(text_column) or (short and others and all(map(_is_no_name, others))):
        raise InputError(
            "the first row looks like data, not column names: put a header line first "
            f"(column {names.index(text_column) + 1} reads like a sentence; if it is a name, choose it with --text-column)"
        )


def _is_no_name(name: str) -> bool:
    """Tell whether ``name`` is empty or a number, a date, an amount: digits and no letter."""
    return not name.strip() or (any(map(str.isdigit, name)) and not any(map(str.isalpha, name)))
