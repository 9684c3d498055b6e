"""Training of linear heads with scikit-learn: fits, out-of-fold logits, calibration and decision offsets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from joblib import Parallel, delayed
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from amends_training.metrics import kappa, names_of

#: Exponents tried for the decision offsets: 0 takes the likeliest label, 1 weighs each label by the inverse of its share.
OFFSET_GRID = np.linspace(0, 1.2, 13)


@dataclass(frozen=True)
class Fitted:
    """One head's weights, shape ``(features, width)``, and bias, shape ``(width,)``."""

    weights: np.ndarray
    bias: np.ndarray

    def logits(self, features: sp.csr_matrix) -> np.ndarray:
        """Return logits of shape ``(rows, width)``."""
        return np.asarray(features @ self.weights) + self.bias


def fit_head(name: str, features: sp.csr_matrix, truth: np.ndarray, strength: float) -> Fitted:
    """Fit one head: multinomial (or, for two labels, binary) logistic regression, labels weighed as ``class_weight="balanced"`` does.

    Parameters
    ----------
    name : str
        The head.
    features, truth
        Shapes ``(n, features)`` and ``(n,)``.
    strength : float
        scikit-learn's ``C``.
    """
    size = len(names_of(name))
    share = np.bincount(truth, minlength=size) / len(truth)
    weight = np.where(share > 0, np.maximum(share, 1e-9) ** -1.0, 0)[truth]
    width = 1 if size == 2 else size
    present = np.flatnonzero(share)
    weights = np.zeros((features.shape[1], width), dtype=np.float32)
    bias = np.full(width, 0.0 if size == 2 else -12.0, dtype=np.float32)  # a label never seen is all but ruled out
    if len(present) == 1:
        bias[:] = 0.0
        bias[0 if size == 2 else present[0]] = (12.0 if present[0] else -12.0) if size == 2 else 12.0
        return Fitted(weights, bias)
    model = LogisticRegression(C=strength, max_iter=300, tol=3e-4)
    model.fit(features, truth, sample_weight=weight / weight.mean())
    if len(present) == 2 and size > 2:  # scikit-learn gives one column for two labels
        weights[:, present] = np.hstack([-model.coef_.T, model.coef_.T]) / 2
        bias[present] = np.concatenate([-model.intercept_, model.intercept_]) / 2
    elif size == 2:
        weights[:], bias[:] = model.coef_.T, model.intercept_
    else:
        weights[:, present], bias[present] = model.coef_.T, model.intercept_
    return Fitted(weights, bias)


def fit_heads(features: sp.csr_matrix, truths: Mapping[str, np.ndarray], strength: float, jobs: int) -> dict[str, Fitted]:
    """Fit each head of ``truths``, in parallel."""
    fitted = Parallel(n_jobs=jobs, prefer="processes")(
        delayed(fit_head)(name, features, truth, strength) for name, truth in truths.items()
    )
    return dict(zip(truths, fitted, strict=True))


@dataclass(frozen=True)
class Calibration:
    """One slope for a head and a shift for each column: calibrated logits are ``slope * logits + shift``."""

    slope: float
    shift: np.ndarray

    def applied(self, fitted: Fitted) -> Fitted:
        """Return the head with its calibration folded into weights and bias."""
        return Fitted(
            (fitted.weights * self.slope).astype(np.float32), (fitted.bias * self.slope + self.shift).astype(np.float32)
        )


def calibrate(logits: np.ndarray, truth: np.ndarray, prior: float = 1e-2) -> Calibration:
    """Fit slope and shifts to out-of-fold ``logits``, shape ``(n, width)``, by likelihood with a weak pull to (1, 0)."""
    width = logits.shape[1]

    def loss(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        moved = np.exp(parameters[0]) * logits + parameters[1:]
        if width == 1:
            p = 1 / (1 + np.exp(-moved[:, 0]))
            value = -np.mean(np.where(truth == 1, np.log(p + 1e-12), np.log(1 - p + 1e-12)))
            slope = (p - truth)[:, None]
        else:
            moved = moved - moved.max(axis=1, keepdims=True)
            p2 = np.exp(moved)
            p2 /= p2.sum(axis=1, keepdims=True)
            value = -np.mean(np.log(p2[np.arange(len(truth)), truth] + 1e-12))
            slope = p2 - np.eye(width)[truth]
        gradient = np.concatenate([[np.mean(np.sum(slope * logits, axis=1)) * np.exp(parameters[0])], slope.mean(axis=0)])
        pull = prior * parameters / 10
        return float(value + pull @ parameters / 2), gradient + pull

    best = minimize(loss, np.zeros(width + 1), jac=True, method="L-BFGS-B")
    return Calibration(float(np.exp(best.x[0])), best.x[1:])


def offsets(probabilities: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return what to add to each label's log-probability before the largest is taken, shape ``(labels,)``.

    The offsets are ``-g * log(share of the label)``; ``g`` is the exponent of `OFFSET_GRID` with the best sum of kappa and
    macro-F1 on these (out-of-fold) probabilities: one number a head, so that little can be overfitted.
    """
    from sklearn.metrics import f1_score

    size = probabilities.shape[1]
    share = np.maximum(np.bincount(truth, minlength=size) / len(truth), 1 / len(truth))
    case = np.log(np.maximum(probabilities, 1e-12))
    scores = []
    for exponent in OFFSET_GRID:
        chosen = (case - exponent * np.log(share)).argmax(axis=1)
        scores.append(kappa(truth, chosen) + f1_score(truth, chosen, average="macro", zero_division=0))
    best = OFFSET_GRID[int(np.argmax(scores))]
    result: np.ndarray = -best * np.log(share)
    return np.round(result - result.min(), 4)
