"""Agreement and calibration, per head and over all heads.

``truth`` and ``predicted`` are label numbers of shape ``(n,)``; ``probabilities`` has shape ``(n, labels)``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.metrics import cohen_kappa_score, precision_recall_fscore_support

from amends.codebook import codebook
from amends_training.protocol import protocol, seed


@dataclass(frozen=True)
class Prediction:
    """What a model said of records: for each head the label numbers and, where it gives any, the probabilities."""

    chosen: Mapping[str, np.ndarray]
    probabilities: Mapping[str, np.ndarray]

    def rows(self, mask: np.ndarray) -> Prediction:
        """Return the prediction for the records of ``mask``."""
        return Prediction({k: v[mask] for k, v in self.chosen.items()}, {k: v[mask] for k, v in self.probabilities.items()})


def kappa(truth: np.ndarray, predicted: np.ndarray, weights: str | None = None) -> float:
    """Cohen's kappa; 0 where both are constant, since then nothing but chance is shown."""
    if len(truth) == 0 or (len(set(truth)) == 1 and len(set(predicted)) == 1):
        return 0.0
    value = float(cohen_kappa_score(truth, predicted, weights=weights))
    return 0.0 if np.isnan(value) else value


def headline_heads() -> tuple[str, ...]:
    """The eleven decided fields."""
    return tuple(protocol()["headline"]["fields"])


def headline(truth: Mapping[str, np.ndarray], prediction: Prediction) -> float:
    """The mean of Cohen's kappa over the eleven decided fields."""
    return float(np.mean([kappa(truth[name], prediction.chosen[name]) for name in headline_heads()]))


def calibration_error(probabilities: np.ndarray, truth: np.ndarray, chosen: np.ndarray, bins: int = 10) -> float:
    """Expected calibration error of the label given: mean gap of confidence and accuracy over equal-width bins."""
    confidence = probabilities[np.arange(len(chosen)), chosen]
    right = chosen == truth
    number = np.minimum((confidence * bins).astype(int), bins - 1)
    return float(sum(abs(confidence[number == b].mean() - right[number == b].mean()) * np.mean(number == b) for b in set(number)))


def brier(probabilities: np.ndarray, truth: np.ndarray) -> float:
    """Brier score over all labels, 0 to 2."""
    return float(np.mean(np.sum((probabilities - np.eye(probabilities.shape[1])[truth]) ** 2, axis=1)))


def of_head(name: str, truth: np.ndarray, prediction: Prediction) -> dict[str, object]:
    """Return every metric of the protocol for one head."""
    labels = names_of(name)
    chosen = prediction.chosen[name]
    _, _, f1, support = precision_recall_fscore_support(truth, chosen, labels=range(len(labels)), zero_division=0)
    present = support > 0
    result: dict[str, object] = {
        "kappa": kappa(truth, chosen),
        "macro_f1": float(f1[present].mean()) if present.any() else 0.0,
        "f1": {label: round(float(value), 4) for label, value in zip(labels, f1, strict=True)},
        "support": {label: int(value) for label, value in zip(labels, support, strict=True)},
    }
    if name in protocol()["metrics"]["ordered_heads"]["heads"]:
        result["quadratic_kappa"] = kappa(truth, chosen, "quadratic")
    if name in prediction.probabilities:
        result["ece"] = calibration_error(prediction.probabilities[name], truth, chosen, protocol()["metrics"]["ece_bins"])
        result["brier"] = brier(prediction.probabilities[name], truth)
    return result


def summary(truth: Mapping[str, np.ndarray], prediction: Prediction, drawn_by: int | None = None) -> dict[str, object]:
    """Return the headline with its bootstrap interval, mean macro-F1, and each head's metrics."""
    heads = {name: of_head(name, truth[name], prediction) for name in headline_heads()}
    return {
        "records": len(truth["strategy"]),
        "headline": headline(truth, prediction),
        "macro_f1": float(np.mean([head["macro_f1"] for head in heads.values()])),
        "interval": bootstrap(truth, [prediction], drawn_by)[0],
        "heads": heads,
    }


def bootstrap(
    truth: Mapping[str, np.ndarray], predictions: Sequence[Prediction], drawn_by: int | None = None
) -> list[tuple[float, float]]:
    """Return the 95% interval of the headline of each prediction and, after those, of each one's gain over the last.

    Records are drawn with replacement, the same draws for every prediction, so the gains are paired; ``drawn_by`` is the seed,
    by default the protocol's.
    """
    own = protocol()["metrics"]["bootstrap"]
    start = seed() if drawn_by is None else drawn_by
    draws = np.random.default_rng(start).integers(0, len(truth["strategy"]), (own["resamples"], len(truth["strategy"])))
    values = np.array([_resampled(truth, prediction, draws) for prediction in predictions])
    tail = 100 * (1 - own["interval"]) / 2
    series = [*values, *(values[:-1] - values[-1])]
    return [(float(np.percentile(one, tail)), float(np.percentile(one, 100 - tail))) for one in series]


def _resampled(truth: Mapping[str, np.ndarray], prediction: Prediction, draws: np.ndarray) -> np.ndarray:
    """The headline of each draw, from confusion counts rather than a thousand calls of a general kappa."""
    total = np.zeros(len(draws))
    for name in headline_heads():
        size = len(names_of(name))
        cell = truth[name] * size + prediction.chosen[name]
        counts = (
            np.stack([np.bincount(cell[draw], minlength=size * size) for draw in draws]).reshape(-1, size, size) / draws.shape[1]
        )
        agreed = np.trace(counts, axis1=1, axis2=2)
        chance = (counts.sum(axis=1) * counts.sum(axis=2)).sum(axis=1)
        total += np.where(chance < 1, (agreed - chance) / np.maximum(1 - chance, 1e-12), 0)
    return total / len(headline_heads())


def names_of(head: str) -> tuple[str, ...]:
    """The labels of a head: a field's, or ``0`` and ``1`` for a concern or an act."""
    book = codebook()
    return book[head].names if head in book.fields else ("0", "1")
