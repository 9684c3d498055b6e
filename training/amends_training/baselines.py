"""The baselines that stand beside every model: majority, plain TF-IDF with logistic regression, and the rule table.

They are part of the protocol and are not tuned.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from joblib import Parallel, delayed
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_union

from amends.codebook import codebook
from amends_training.metrics import Prediction, headline_heads, names_of


def majority(truth: Mapping[str, np.ndarray], texts: Sequence[str], test: Sequence[str]) -> Prediction:
    """The commonest label of the training records, whatever the text says."""
    del texts
    chosen, probabilities = {}, {}
    for name in headline_heads():
        share = np.bincount(truth[name], minlength=len(names_of(name))) / len(truth[name])
        chosen[name] = np.full(len(test), share.argmax())
        probabilities[name] = np.tile(share, (len(test), 1))
    return Prediction(chosen, probabilities)


def tfidf_logreg(truth: Mapping[str, np.ndarray], texts: Sequence[str], test: Sequence[str], jobs: int = 2) -> Prediction:
    """TF-IDF of words 1-2 and characters 3-5 within words, balanced logistic regression, one per head, scikit-learn's defaults."""
    vectorizer = make_union(
        TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True),
        TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), min_df=2, sublinear_tf=True),
    )
    features, held = vectorizer.fit_transform(texts), vectorizer.transform(test)

    def one(name: str) -> np.ndarray:
        model = LogisticRegression(class_weight="balanced", C=1, max_iter=200).fit(features, truth[name])
        probabilities = np.zeros((len(test), len(names_of(name))))
        probabilities[:, model.classes_] = model.predict_proba(held)
        return probabilities

    names = headline_heads()
    probabilities = dict(zip(names, Parallel(n_jobs=jobs)(delayed(one)(name) for name in names), strict=True))
    return Prediction({name: p.argmax(axis=1) for name, p in probabilities.items()}, probabilities)


def rule_table(tags: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the strategy that the codebook's tie rules give for decided tags, as label numbers of shape ``(n,)``.

    The rules see tags alone, so what hangs on the text ("can the firm put it right now?") is settled by the failure type.

    Parameters
    ----------
    tags : mapping of str to numpy.ndarray
        Label numbers of each decided field but the strategy.
    """
    book = codebook()
    rows = len(tags["failure_type"])
    return np.array(
        [book["strategy"].index(_rule({name: names_of(name)[tags[name][row]] for name in tags})) for row in range(rows)]
    )


def _rule(tag: Mapping[str, str]) -> str:
    failure, severe, again = tag["failure_type"], tag["severity"] == "severe", tag["prior_recovery"] == "1"
    simple = {"none": "acknowledge", "unspecified": "apologize", "security": "protect", "unresponsive": "expedite"}
    if failure in simple:
        return simple[failure]
    if severe and again:
        return "correct" if failure == "record_error" else "escalate"
    if tag["controllability"] == "uncontrollable":
        return "explain"
    if failure == "rude":
        return "escalate" if severe else "apologize"
    if failure == "delay":
        return "expedite" if again or tag["severity"] != "minor" else "apologize"
    if tag["stability"] == "stable" and tag["severity"] == "minor":
        return "prevent"
    if failure == "careless":
        return "apologize" if tag["severity"] == "minor" else "correct"
    if failure == "billing":
        return "compensate"
    if failure == "deceptive":
        return "compensate" if tag["distributive"] == "1" else "explain"
    if failure == "defect" and tag["severity"] == "minor":
        return "apologize"
    return "correct"
