"""The outlook follows the four conditions of Magnini et al. (2007)."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amends.codebook import codebook
from amends.paradox import WORTH, outlooks

LABELS = {name: codebook()[name].names for name in WORTH}


def outlook(complaint: bool = True, **labels: str):
    sure = {name: np.eye(len(names))[[names.index(labels[name])]] for name, names in LABELS.items()}
    return outlooks(sure, LABELS).one(0, complaint)


BEST = {"severity": "minor", "stability": "unstable", "controllability": "uncontrollable", "prior_recovery": "0"}


def test_all_four_conditions_met_is_likely():
    result = outlook(**BEST)
    assert result.outlook == "likely"
    assert len(result.reasons) == 4
    assert all(reason.startswith("for:") for reason in result.reasons)


@pytest.mark.parametrize("limit", [{"severity": "severe"}, {"prior_recovery": "1"}])
def test_a_severe_loss_or_a_second_failure_rules_it_out(limit):
    result = outlook(**BEST | limit)
    assert result.outlook == "unlikely"
    assert any(reason.startswith("against:") for reason in result.reasons)


def test_a_stable_cause_that_the_firm_controls_is_unlikely():
    assert outlook(**BEST | {"stability": "stable", "controllability": "controllable"}).outlook == "unlikely"


def test_a_minor_first_failure_of_unknown_cause_is_at_least_possible():
    assert outlook(**BEST | {"stability": "unclear", "controllability": "unclear"}).outlook in ("possible", "likely")


@given(st.data())
def test_an_outlook_that_is_not_likely_says_what_speaks_against_it(data):
    draw = lambda size: np.array(data.draw(st.lists(st.floats(0.01, 1), min_size=size, max_size=size)))  # noqa: E731
    p = {name: (v := draw(len(names)))[None] / v.sum() for name, names in LABELS.items()}
    result = outlooks(p, LABELS).one(0, complaint=True)
    assert result.outlook == "likely" or any(reason.startswith("against:") for reason in result.reasons)


def test_nothing_to_recover_from_is_not_applicable():
    assert outlook(complaint=False, **BEST).outlook == "not_applicable"


@given(st.data())
def test_more_of_a_bad_label_never_helps(data):
    """Moving probability from a better to a worse label of any condition does not raise the score."""
    draw = lambda size: np.array(data.draw(st.lists(st.floats(0.01, 1), min_size=size, max_size=size)))  # noqa: E731
    p = {name: (v := draw(len(names)))[None] / v.sum() for name, names in LABELS.items()}
    name = data.draw(st.sampled_from(sorted(WORTH)))
    worth = np.array([WORTH[name][label] for label in LABELS[name]])
    better, worse = data.draw(st.permutations(range(len(worth))))[:2]
    if worth[better] < worth[worse]:
        better, worse = worse, better
    moved = {k: v.copy() for k, v in p.items()}
    moved[name][0, worse] += moved[name][0, better]
    moved[name][0, better] = 0
    assert outlooks(moved, LABELS).score[0] <= outlooks(p, LABELS).score[0] + 1e-9
