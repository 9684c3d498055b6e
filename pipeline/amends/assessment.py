"""What one complaint is given: plain, typed, frozen values."""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Literal

Status = Literal["ok", "truncated", "empty", "not_text", "unsupported_language", "malformed"]
#: Statuses of a row that was scored.
SCORED: frozenset[str] = frozenset({"ok", "truncated"})
#: Confidences are rounded to this many digits: more would tell nothing.
DIGITS = 4
Outlook = Literal["likely", "possible", "unlikely", "not_applicable"]


@dataclass(frozen=True, slots=True)
class Tag:
    """A decided field: ``label`` and the calibrated probability, 0 to 1, that it is right."""

    label: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Flag:
    """A yes-or-no field: ``value`` and the calibrated probability, 0 to 1, of that value."""

    value: bool
    confidence: float


@dataclass(frozen=True, slots=True)
class FailureType(Tag):
    """The failure type, with the ``group`` of Bitner et al. (1990) that it belongs to."""

    group: str


@dataclass(frozen=True, slots=True)
class Justice:
    """The concerns felt, and for each of the four the probability, 0 to 1, that it is felt."""

    concerns: tuple[str, ...]
    distributive: float
    procedural: float
    interpersonal: float
    informational: float


@dataclass(frozen=True, slots=True)
class Strategy(Tag):
    """The recommended recovery strategy, the runner-up and the probability, 0 to 1, of each."""

    second: str
    second_confidence: float


@dataclass(frozen=True, slots=True)
class Paradox:
    """The outlook for a recovery to leave this customer more satisfied than before, its score 0 to 1, and why.

    ``reasons`` name what decides the outlook, each beginning with ``for:`` or ``against:``.
    """

    outlook: Outlook
    score: float
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Review:
    """Whether a person should look first; ``reasons`` each begin with ``must_see:`` or ``unsure:``."""

    needed: bool
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Span:
    """Words that speak for a label: ``text[start:end]`` in code points of the caller's text.

    ``weight`` is the span's exact contribution to the label's log-odds against the mean of the other labels.
    """

    start: int
    end: int
    weight: float


@dataclass(frozen=True, slots=True)
class Assessment:
    """Everything said of one message.

    A message that was not scored (``status`` is neither ``ok`` nor ``truncated``) has ``None`` in every field from
    ``failure_type`` to ``review`` and no evidence.
    """

    status: Status
    language: str
    model: str
    complaint: bool | None = None
    failure_type: FailureType | None = None
    severity: Tag | None = None
    stability: Tag | None = None
    controllability: Tag | None = None
    justice: Justice | None = None
    prior_recovery: Flag | None = None
    churn: Flag | None = None
    strategy: Strategy | None = None
    actions: tuple[str, ...] = ()
    paradox: Paradox | None = None
    review: Review | None = None
    evidence: dict[str, tuple[Span, ...]] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the assessment as JSON-ready values (its schema: `amends.result_schema`).

        Evidence becomes ``{"field": [[start, end, weight], …]}``, the form it has in files.
        """
        return {field.name: _plain(getattr(self, field.name)) for field in fields(self)}


def _plain(value: Any) -> Any:
    if isinstance(value, Span):
        return [value.start, value.end, value.weight]
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value


class Malformed:
    """Stands in the place of a text whose record could not be parsed; it is given the status ``malformed``."""

    def __repr__(self) -> str:
        return "MALFORMED"

    def __reduce__(self) -> str:
        return "MALFORMED"  # one object in every process, so `is` holds after pickling


MALFORMED = Malformed()
