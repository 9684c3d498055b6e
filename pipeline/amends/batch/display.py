"""An assessment and a model as plain text, for a person at a terminal."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from amends.codebook import Field, codebook

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amends.assessment import Assessment, Span
    from amends.released import ModelInfo

_WIDTH = 100


def explanation(assessment: Assessment, text: str) -> str:
    """Return ``assessment`` of ``text`` as readable lines: tags with their confidence, strategy, plan, paradox outlook, review.

    Below a tag stand the words that speak most for it, quoted from ``text``.
    """
    lines: list[str] = []
    status = {"truncated": "only the beginning was read, as the text is very long"}.get(assessment.status, assessment.status)
    if assessment.strategy is None or assessment.failure_type is None or assessment.paradox is None or assessment.review is None:
        return f"not scored: {status}{f' ({assessment.language})' if assessment.language else ''}\nmodel  {assessment.model}\n"
    if assessment.status != "ok":
        lines.append(status)
    book = codebook()
    for field in book.fields.values():
        lines += _field(field, assessment, text)
    lines += _row("plan", " → ".join(_shown(book["strategy"], name) for name in assessment.actions))
    paradox = assessment.paradox
    lines += _row("paradox outlook", f"{paradox.outlook.replace('_', ' ')}  ({paradox.score:.2f})", paradox.reasons)
    lines += _row("review", "a person should look first" if assessment.review.needed else "not needed", assessment.review.reasons)
    lines += _row("language", assessment.language)
    lines += _row("model", assessment.model)
    return "\n".join([*lines, ""])


def _field(field: Field, assessment: Assessment, text: str) -> list[str]:
    spans = (assessment.evidence or {}).get(field.name, ())
    quoted = _quoted(spans, text)
    title = field.display.lower()
    if field.kind == "plan":
        return []
    if field.kind == "multi":
        justice = assessment.justice
        if justice is None:
            return []
        for name in field.names:
            quoted += _quoted((assessment.evidence or {}).get(name, ()), text, f"{name}: ")
        shown = [f"{_shown(field, name)} {getattr(justice, name):.0%}" for name in justice.concerns]
        return _row(title, ", ".join(shown) or "none felt", quoted)
    value = getattr(assessment, field.name)
    if field.kind == "binary":
        return _row(title, f"{'yes' if value.value else 'no'}  {value.confidence:.0%}", quoted)
    label = field[value.label]
    group = f"  ({codebook().groups.get(label.group, label.group)})" if label.group and label.group != label.name else ""
    second = getattr(value, "second", "")
    runner_up = f"  then {_shown(field, second)} {value.second_confidence:.0%}" if second else ""
    return _row(title, f"{label.display}{group}  {value.confidence:.0%}{runner_up}", quoted)


def _shown(field: Field, name: str) -> str:
    return field[name].display


def _quoted(spans: Sequence[Span], text: str, prefix: str = "") -> list[str]:
    if not spans:
        return []
    # Control characters of a hostile text must not reach the terminal.
    words = ("".join(c if c.isprintable() else " " for c in text[span.start : span.end]) for span in spans)
    return [prefix + "  ".join(f"“{' '.join(word.split())}”" for word in words)]


def _row(title: str, value: str, below: Sequence[str] = ()) -> list[str]:
    indent = " " * 20
    lines = textwrap.wrap(
        value, _WIDTH - 20, initial_indent=f"{title:<18}  ", subsequent_indent=indent, break_on_hyphens=False
    ) or [title]
    for more in below:
        lines += textwrap.wrap(more, _WIDTH - 20, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)
    return lines


def described(model: ModelInfo) -> str:
    """Return what there is to know of a model as readable lines."""
    rows = [("languages", ", ".join(sorted(model.languages))), ("size", f"{model.size_bytes / 1e6:.1f} MB")]
    rows += [("quality", line) for line in textwrap.wrap(_measured(model.quality), _WIDTH) or ["not measured"]]
    rows.append(("card", str(model.card)))
    return "\n".join([f"{model.name} {model.version}", *(f"  {title:<10} {value}" for title, value in rows), ""])


def _measured(quality: Any, prefix: str = "") -> str:
    """Return measured values as ``name value``, those of a group under the group's name."""
    parts = []
    for name, value in quality.items():
        if hasattr(value, "items"):
            parts.append(_measured(value, f"{prefix}{name} "))
        else:
            parts.append(f"{prefix}{name} {value:.3f}" if isinstance(value, float) else f"{prefix}{name} {value}")
    return ", ".join(parts)
