"""Heads: linear maps from features to calibrated probabilities, all heads in one sparse product.

A head's calibration (one slope for the head, one shift for each label, fitted out of fold) is folded into its weights when
the model is released, so what stands here are plain logits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp


@dataclass(frozen=True)
class Head:
    """One output: a field or a justice concern, its labels, and where its columns lie in the logits.

    A head of two labels has one column, the log-odds of the second; any other has one column a label.
    """

    name: str
    labels: tuple[str, ...]
    first: int

    @property
    def width(self) -> int:
        """Number of columns."""
        return 1 if len(self.labels) == 2 else len(self.labels)

    @property
    def columns(self) -> slice:
        """The head's columns in the logits."""
        return slice(self.first, self.first + self.width)

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        """Return probabilities, shape ``(n, len(labels))``, from all heads' ``logits``, shape ``(n, total width)``."""
        own = logits[:, self.columns]
        if self.width == 1:
            positive = 1 / (1 + np.exp(-own))
            return np.hstack([1 - positive, positive])
        raised = np.exp(own - own.max(axis=1, keepdims=True))
        return raised / raised.sum(axis=1, keepdims=True)

    def contrast(self, label: int) -> np.ndarray:
        """Return the combination of the head's columns that is the case for ``label`` against the others' mean.

        Shape ``(width,)``. For two labels it is the log-odds of the label.
        """
        if self.width == 1:
            return np.array([1.0 if label == 1 else -1.0])
        others = np.full(self.width, -1 / (self.width - 1))
        others[label] = 1.0
        return others


def heads(spec: Sequence[Mapping[str, object]]) -> tuple[Head, ...]:
    """Make heads from ``[{"name": …, "labels": […]}, …]``, their columns side by side in that order."""
    made: list[Head] = []
    first = 0
    for entry in spec:
        head = Head(str(entry["name"]), tuple(str(label) for label in entry["labels"]), first)  # type: ignore[attr-defined]
        made.append(head)
        first += head.width
    return tuple(made)


@dataclass(frozen=True)
class Linear:
    """A bank of linear heads: ``weights`` of shape ``(features, width)``, ``bias`` of shape ``(width,)``, float32."""

    heads: tuple[Head, ...]
    weights: np.ndarray
    bias: np.ndarray

    def logits(self, features: sp.csr_matrix) -> np.ndarray:
        """Return logits, float32, shape ``(rows, width)``.

        A row's sum runs over its own features in order, so it is the same bits in whatever batch the row stands.
        """
        return np.asarray(features @ self.weights, dtype=np.float32) + self.bias
