"""The JSON Schema of an assessment, derived from the codebook."""

from __future__ import annotations

from typing import Any, get_args

from amends.assessment import Outlook, Status
from amends.codebook import codebook


def result_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) that `Assessment.to_dict` keeps to.

    Examples
    --------
    >>> result_schema()["properties"]["severity"]["anyOf"][0]["properties"]["label"]["enum"]
    ['minor', 'moderate', 'severe']
    """
    book = codebook()
    probability = {"type": "number", "minimum": 0, "maximum": 1}
    text = {"type": "string"}

    def of(names: tuple[str, ...]) -> dict[str, Any]:
        return {"enum": list(names)}

    def record(**properties: Any) -> dict[str, Any]:
        return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}

    def listed(items: dict[str, Any]) -> dict[str, Any]:
        return {"type": "array", "items": items, "uniqueItems": True}

    def field(name: str) -> dict[str, Any]:
        own = book[name]
        match own.kind:
            case "binary":
                return record(value={"type": "boolean"}, confidence=probability)
            case "multi":
                return record(concerns=listed(of(own.names)), **dict.fromkeys(own.names, probability))
            case "plan":
                return listed(of(own.names))
        extra: dict[str, Any] = {}
        if name == "failure_type":
            extra = {"group": of(tuple(book.groups))}
        elif name == "strategy":
            extra = {"second": of(own.names), "second_confidence": probability}
        return record(label=of(own.names), confidence=probability, **extra)

    span = {
        "type": "array",
        "prefixItems": [{"type": "integer", "minimum": 0}] * 2 + [{"type": "number"}],
        "minItems": 3,
        "maxItems": 3,
    }
    judged = {
        "complaint": {"type": "boolean"},
        **{name: field(name) for name in book.fields},
        "paradox": record(outlook=of(get_args(Outlook)), score=probability, reasons=listed(text)),
        "review": record(needed={"type": "boolean"}, reasons=listed(text)),
        "evidence": {"type": "object", "additionalProperties": {"type": "array", "items": span}},
    }
    # What a message that was not scored lacks is null; its plan is empty.
    nullable = {name: own if name == "actions" else {"anyOf": [own, {"type": "null"}]} for name, own in judged.items()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "amends assessment",
        "description": f"What amends says of one message; labels of codebook {book.version}.",
        **record(status=of(get_args(Status)), language=text, model=text, **nullable),
    }
