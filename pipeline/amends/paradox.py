"""The outlook for the service recovery paradox: a readable score with its reasons, not a model.

Magnini, Ford, Markowski and Honeycutt (2007, 10.1108/08876040710746561) found the paradox most likely when the failure is
not severe, the customer has had no earlier failure with the firm, the cause is unstable and the firm had little control.
Maxham and Netemeyer (2002, 10.1509/jmkg.66.4.57.18512) found it after one failure, not after two.

Limits: the evidence is for **satisfaction**; for repurchase, word of mouth and image the meta-analysis of de Matos, Henrique and
Rossi (2007, 10.1177/1094670507303012) found no significant effect. Magnini's is one role-play study of students. The score orders
complaints by how many of the four conditions the text meets; it is not a probability and promises nothing of a customer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from amends.assessment import Outlook, Paradox

#: What each label of a condition is worth: 1 meets the condition, 0 speaks against it, ½ where the text says nothing.
WORTH: Mapping[str, Mapping[str, float]] = {
    "severity": {"minor": 1.0, "moderate": 0.5, "severe": 0.0},
    "stability": {"unstable": 1.0, "unclear": 0.5, "stable": 0.0},
    "controllability": {"uncontrollable": 1.0, "unclear": 0.5, "controllable": 0.0},
    "prior_recovery": {"0": 1.0, "1": 0.0},
}
#: Severity and an earlier failed recovery are limits rather than shades (a large failure is rarely made good; after two
#: failures the paradox was gone), so they multiply; stability and control shade what is left.
LIMITS = ("severity", "prior_recovery")
SHADES = ("stability", "controllability")
LIKELY, POSSIBLE = 0.5, 0.25
#: What is said of a condition that is met, that is not, and that is the weakest where none is plainly unmet.
_SAID = {
    "severity": ("the loss is not severe", "the loss is severe", "the loss is more than minor"),
    "prior_recovery": ("a first failure", "an earlier recovery failed", "an earlier recovery may have failed"),
    "stability": ("the cause looks passing", "the customer expects it again", "nothing says that the cause is passing"),
    "controllability": (
        "the cause lies outside the firm",
        "the customer holds the firm responsible",
        "nothing says that the firm could not help it",
    ),
}


@dataclass(frozen=True)
class Outlooks:
    """A batch's outlooks: ``score`` of shape ``(n,)`` and for each condition its worth, 0 to 1, shape ``(n,)``."""

    score: np.ndarray
    worth: Mapping[str, np.ndarray]

    def one(self, row: int, complaint: bool) -> Paradox:
        """Return the outlook of one row; where nothing failed there is nothing to recover from."""
        if not complaint:
            return Paradox("not_applicable", 0.0, ())
        score = float(self.score[row])
        outlook: Outlook = "likely" if score >= LIKELY else "possible" if score >= POSSIBLE else "unlikely"
        reasons: list[str] = []
        for name, (met, unmet, _) in _SAID.items():
            worth = self.worth[name][row]
            if worth >= 2 / 3:
                reasons.append(f"for: {met}")
            elif worth <= 1 / 3:
                reasons.append(f"against: {unmet}")
        if outlook != "likely" and not any(reason.startswith("against") for reason in reasons):
            weakest = min(_SAID, key=lambda name: self.worth[name][row])
            reasons.append(f"against: {_SAID[weakest][2]}")
        return Paradox(outlook, round(score, 4), tuple(reasons))


def outlooks(probabilities: Mapping[str, np.ndarray], labels: Mapping[str, tuple[str, ...]]) -> Outlooks:
    """Return the outlook for a batch from the tags' probabilities, which carry the taggers' doubt into the score.

    Parameters
    ----------
    probabilities : mapping of str to numpy.ndarray
        For ``severity``, ``stability``, ``controllability`` and ``prior_recovery`` an array of shape ``(n, labels)``.
    labels : mapping of str to tuple of str
        Each field's labels in the order of the columns.

    Notes
    -----
    Each condition's worth is its expected value under the probabilities, 1 where the condition is surely met. The score is
    ``severity * prior_recovery * (stability + controllability) / 2``, between 0 and 1.

    Examples
    --------
    >>> import numpy as np
    >>> from amends.codebook import codebook
    >>> names = {name: codebook()[name].names for name in WORTH}
    >>> sure = {"severity": [[1, 0, 0]], "stability": [[1, 0, 0]], "controllability": [[0, 1, 0]], "prior_recovery": [[1, 0]]}
    >>> outlooks({k: np.array(v, float) for k, v in sure.items()}, names).one(0, complaint=True).outlook
    'likely'
    """
    worth = {
        name: probabilities[name] @ np.array([values[label] for label in labels[name]], dtype=np.float64)
        for name, values in WORTH.items()
    }
    limit = worth["severity"] * worth["prior_recovery"]
    return Outlooks(limit * (worth["stability"] + worth["controllability"]) / 2, worth)
