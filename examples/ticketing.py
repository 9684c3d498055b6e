"""A ticketing integration in one function: what a help desk calls when a ticket arrives.

Run it: python examples/ticketing.py
"""

from __future__ import annotations

import json
from typing import Any

import amends

# Load once, when the service starts; a pipeline may be shared between threads.
PIPELINE = amends.load()

QUEUES = {"protect": "fraud-and-safety", "escalate": "senior-recovery", "acknowledge": "no-action"}


def on_ticket_created(ticket: dict[str, Any]) -> dict[str, Any]:
    """Return the fields to set on the ticket."""
    assessment = PIPELINE(ticket["body"])
    if assessment.strategy is None or assessment.review is None:  # empty, not text, or a language that the model does not know
        return {"queue": "manual", "note": f"not scored: {assessment.status}"}
    evidence = (assessment.evidence or {}).get("strategy", ())
    return {
        "queue": "manual" if assessment.review.needed else QUEUES.get(assessment.strategy.label, "recovery"),
        "priority": {"minor": 3, "moderate": 2, "severe": 1}[assessment.severity.label] if assessment.severity else 3,
        "suggested_recovery": list(assessment.actions),
        "confidence": assessment.strategy.confidence,
        "because": [ticket["body"][span.start : span.end] for span in evidence],
        "look_first": list(assessment.review.reasons),
    }


if __name__ == "__main__":
    print(
        json.dumps(
            on_ticket_created({"id": 7, "body": "I was charged twice for one ticket. Please refund the second charge."}), indent=2
        )
    )
