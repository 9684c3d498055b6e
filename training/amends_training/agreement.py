"""Agreement between annotators: how far two independent readings of the same complaints agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from amends_training.corpora import Record, targets
from amends_training.metrics import headline_heads, kappa


def annotators(records: Sequence[Record]) -> dict[str, float]:
    """Return Cohen's kappa of first and second reading by field, over the records that were read twice, and their ``mean``.

    Both readings are by the same kind of reader (a language model following the codebook), so this is an upper line for a machine
    that learns from them, not what two people would reach.
    """
    twice = [record for record in records if record.second is not None]
    first = targets(twice)
    second = targets([replace(record, labels=record.second or {}) for record in twice])
    result = {name: kappa(first[name], second[name]) for name in headline_heads()}
    return {**result, "mean": float(np.mean(list(result.values()))), "records": float(len(twice))}
