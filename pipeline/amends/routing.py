"""The router: a trained classifier over the text's features and the tags' probabilities.

It sees probabilities, never hard tags, so what the taggers are unsure of reaches it as doubt. In training those are
out-of-fold probabilities, as good and as bad as the ones it will see.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from amends.tagging import Head, Linear


@dataclass(frozen=True)
class Router:
    """Gives the strategy's probabilities and, for each act, the probability that the plan holds it.

    Attributes
    ----------
    text : Linear
        The part that looks at the text's features, shape ``(features, width)``.
    tags : numpy.ndarray
        The part that looks at the tags' probabilities, shape ``(tag columns, width)``, float64.
    """

    text: Linear
    tags: np.ndarray

    @property
    def heads(self) -> tuple[Head, ...]:
        """The strategy's head, then one head for each act of the plan."""
        return self.text.heads

    def logits(self, features: sp.csr_matrix, tag_probabilities: np.ndarray) -> np.ndarray:
        """Return logits, shape ``(rows, width)``, for ``tag_probabilities`` of shape ``(rows, tag columns)``."""
        # A plain sum, not a matrix product: BLAS may order its sums by the batch's size, and a row's answer must not
        # hang on the rows beside it.
        from_tags = (tag_probabilities[:, :, None] * self.tags[None]).sum(axis=1)
        return self.text.logits(features) + from_tags


def tag_columns(heads: tuple[Head, ...], logits: np.ndarray) -> np.ndarray:
    """Return what the router sees of the tags: each head's probabilities side by side, of two labels only the second."""
    parts = [head.probabilities(logits)[:, -head.width :] for head in heads]
    return np.hstack(parts).astype(np.float64)


def probabilities_of_acts(heads: Sequence[Head], logits: np.ndarray) -> np.ndarray:
    """Return each act's probability of being in the plan, shape ``(rows, acts)``; a router without a plan has no acts."""
    return np.array([head.probabilities(logits)[:, 1] for head in heads]).reshape(len(heads), len(logits)).T


def plan(strategy: int, acts: np.ndarray, threshold: float, acknowledge: int, most: int = 4) -> list[int]:
    """Return the acts of the plan, the strategy first, then the others by falling probability.

    Parameters
    ----------
    strategy : int
        The recommended act.
    acts : numpy.ndarray
        Each act's probability of being in the plan, shape ``(acts,)``.
    threshold : float
        The least probability with which an act joins the plan.
    acknowledge : int
        The act that stands alone: where nothing failed there is nothing to recover.
    most : int
        The plan's greatest length; the codebook's plans hold usually two to four.
    """
    if strategy == acknowledge:
        return [strategy]
    others = [i for i in np.argsort(-acts, kind="stable") if i not in (strategy, acknowledge) and acts[i] >= threshold]
    return [strategy, *(int(i) for i in others[: most - 1])]
