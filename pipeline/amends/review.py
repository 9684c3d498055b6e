"""Which complaints a person should see before the strategy is acted on, in two tiers.

``must_see`` is what calls for a person whatever the model thinks: a severe loss after a failed recovery, danger,
discrimination, a legal or regulator threat. The first is decided on probabilities, the others on a deliberately wide lexical
rule in the codebook's data (``data/cues.toml``). ``unsure`` is the model's own doubt: a strategy whose calibrated confidence is under
the threshold that the release fitted on out-of-fold predictions.
"""

from __future__ import annotations

from collections.abc import Iterable

from amends.assessment import Review
from amends.cues import rules

#: Least product of the probabilities of a severe loss and of an earlier failed recovery that calls for a person. Low, because here a missed
#: complaint costs more than a glance at one too many.
SEVERE_AND_FAILED = 0.25
_SEVERE_REASON = "must_see: severe loss and an earlier recovery failed"


def review(cues: Iterable[int], severe_and_failed: float, confidence: float, unsure_below: float, complaint: bool) -> Review:
    """Join the two tiers into one verdict.

    Parameters
    ----------
    cues : iterable of int
        The numbers of the rules (`amends.cues.rules`) that the text meets; those of kind ``must_see`` count.
    severe_and_failed : float
        Probability of a severe loss times that of an earlier failed recovery.
    confidence : float
        Calibrated confidence of the strategy.
    unsure_below : float
        The released model's threshold for ``confidence``.
    complaint : bool
        Whether the message is a complaint at all.

    Examples
    --------
    >>> review((), 0.0, 0.3, 0.5, complaint=True).reasons
    ('unsure: strategy confidence 0.30 is under 0.50',)
    """
    reasons = [_SEVERE_REASON] if complaint and severe_and_failed >= SEVERE_AND_FAILED else []
    reasons += [f"must_see: {rules()[number].why}" for number in sorted(set(cues)) if rules()[number].kind == "must_see"]
    if confidence < unsure_below:
        reasons.append(f"unsure: strategy confidence {confidence:.2f} is under {unsure_below:.2f}")
    return Review(bool(reasons), tuple(reasons))
