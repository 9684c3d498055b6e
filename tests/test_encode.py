"""The encoder gives what scikit-learn's vectorisers give, whatever the batch."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amends.encode import Encoder
from amends.text import WORD, fold

TEXTS = [
    "The parcel came late, again.", "Late again! And the driver was rude.", "Why was I charged twice? I don’t know.",
    "I was charged £20 twice and nobody answers the phone", "nobody answers. nobody cares.", "Great service, thank you",
    "", "!!!", "<br/>late<br/>late late", "ok",
]  # fmt: skip


def folded(text: str) -> list[str]:
    return [word for word in map(fold, WORD.findall(text)) if word]


def test_features_are_those_of_scikit_learn():
    vectorizers = pytest.importorskip("sklearn.feature_extraction.text")
    words = vectorizers.TfidfVectorizer(
        tokenizer=folded, lowercase=False, token_pattern=None, ngram_range=(1, 2), min_df=2, sublinear_tf=True
    )
    chars = vectorizers.TfidfVectorizer(
        analyzer="char_wb",
        lowercase=False,
        preprocessor=lambda text: " ".join(folded(text)),
        ngram_range=(3, 5),
        min_df=2,
        sublinear_tf=True,
    )
    encoder = Encoder.fit(TEXTS, min_df=2)
    ours = encoder.transform(TEXTS)
    first, second = words.fit_transform(TEXTS), chars.fit_transform(TEXTS)
    ours = ours[:, : encoder.vocabulary.weighted]  # after these come the cues
    assert ours.shape[1] == first.shape[1] + second.shape[1]
    vocabulary = encoder.vocabulary
    names = [*vocabulary.words, *(" ".join(pair) for pair in vocabulary.pairs)]
    theirs = np.hstack([
        first.toarray()[:, [words.vocabulary_[name] for name in names]],
        second.toarray()[:, [chars.vocabulary_[gram] for gram in vocabulary.chars]],
    ])  # fmt: skip
    np.testing.assert_allclose(ours.toarray(), theirs, atol=1e-6)


@given(st.lists(st.one_of(st.sampled_from(TEXTS), st.text(max_size=60)), min_size=1, max_size=8), st.integers(0, 7))
def test_a_row_does_not_hang_on_its_batch(texts: list[str], place: int):
    text = texts[place % len(texts)]
    encoder = Encoder.fit(TEXTS, min_df=1)
    alone = encoder.transform([text]).toarray()
    together = encoder.transform(texts).toarray()[place % len(texts)]
    assert (alone[0] == together).all()  # to the bit


def test_rows_have_two_blocks_of_unit_length():
    encoder = Encoder.fit(TEXTS, min_df=1)
    features = encoder.transform(["nobody answers the phone", ""])[:, : encoder.vocabulary.weighted]
    assert features[0].multiply(features[0]).sum() == pytest.approx(2, abs=1e-5)
    assert features[1].nnz == 0


def test_an_encoder_travels_to_other_processes():
    encoder = Encoder.fit(TEXTS, min_df=1)
    copy = pickle.loads(pickle.dumps(encoder))
    assert (copy.transform(TEXTS) != encoder.transform(TEXTS)).nnz == 0
