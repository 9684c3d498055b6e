"""What a release measures on its own training texts: the cost of 8-bit storage, what calls for a person, who is turned away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from amends.model import Model
from amends.pipeline import BATCH, Pipeline
from amends_training.corpora import Record
from amends_training.language import authored, turned_away
from amends_training.metrics import headline_heads


def decided(model: Model, texts: Sequence[str]) -> np.ndarray:
    """Return the label numbers that a model gives, shape ``(texts, 11)``: the decided fields in the protocol's order."""
    pipeline = Pipeline(model)
    parts = [pipeline.score(texts[start : start + BATCH]).chosen for start in range(0, len(texts), BATCH)]
    return np.column_stack([np.concatenate([part[name] for part in parts]) for name in headline_heads()])


def labels_changed(model: Model, stored: Model, texts: Sequence[str]) -> float:
    """Return the share of decided labels, over all fields and texts, that ``stored`` gives otherwise than ``model``."""
    return float(np.mean(decided(model, texts) != decided(stored, texts)))


def must_see(model: Model, records: Sequence[Record]) -> float:
    """Return the share of scored complaints (as labelled) that the model flags as ``must_see``, whatever it thinks of its strategy."""
    complaints = [record.text for record in records if record.labels["failure_type"] != "none"]
    scored = Pipeline(model).score_table(complaints, evidence=False)
    rows = zip(scored["amends_status"].to_pylist(), scored["amends_review_reasons"].to_pylist(), strict=True)
    flagged = ["must_see:" in (reasons or "") for status, reasons in rows if status in ("ok", "truncated")]
    return float(np.mean(flagged)) if flagged else 0.0


def measured(model: Model, stored: Model, records: Sequence[Record]) -> Mapping[str, object]:
    """Return the manifest's entries of all three, rounded."""
    languages = list(model.manifest["languages"])
    away = turned_away(records, languages)
    texts = sum(len(authored(records, language)) for language in languages)
    return {
        "quantisation": {"labels_changed": round(labels_changed(model, stored, [record.text for record in records]), 5)},
        "review": {**model.manifest["review"], "must_see": round(must_see(stored, records), 4)},
        "language": {"texts": texts, "turned_away": round(sum(map(len, away.values())) / texts, 5) if texts else 0.0},
    }
