"""Values as text: what stands in a cell or a JSON record, encodable as UTF-8 and, where asked for, harmless in a spreadsheet."""

from __future__ import annotations

import base64
import json
import math
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: What a spreadsheet takes for the beginning of a formula.
_RISKY = frozenset("=+-@\t\r")


def render(value: Any) -> str:
    """Return ``value`` as it stands in a cell of text: nested values as JSON, dates by ISO 8601, bytes as text or base64."""
    match value:
        case str():
            return value
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case datetime() | date() | time():
            return value.isoformat()
        case bytes():
            return _text_of(value)
        case dict() | list() | tuple():
            return to_json(value)
    return str(value)


def to_json(value: Any) -> str:
    """Return ``value`` as JSON; what JSON cannot hold becomes null (NaN, infinities) or text."""
    try:
        found = json.dumps(value, ensure_ascii=False, allow_nan=False, default=render)
    except ValueError:
        found = json.dumps(_finite(value), ensure_ascii=False, default=render)
    return found if found.isascii() or encodable(found) is found else json.dumps(json.loads(found))


def encodable(text: str) -> str:
    """Return ``text`` with U+FFFD for lone surrogates, which no UTF-8 file can hold; the same object where there are none."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def all_encodable(texts: Iterable[str]) -> bool:
    """Tell whether no text holds a lone surrogate."""
    try:
        "".join(texts).encode()
    except UnicodeEncodeError:
        return False
    return True


def _finite(value: Any) -> Any:
    match value:
        case float():
            return value if math.isfinite(value) else None
        case dict():
            return {key: _finite(item) for key, item in value.items()}
        case list() | tuple():
            return [_finite(item) for item in value]
    return value


def _text_of(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return base64.b64encode(value).decode()


def safe(texts: Sequence[str]) -> list[str]:
    """Return ``texts`` with an apostrophe before those that a spreadsheet would take for a formula."""
    return [f"'{text}" if text[:1] in _RISKY and text else text for text in texts]
