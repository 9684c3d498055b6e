"""Encoding of training texts, kept on disk between runs where the user names a folder for it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import scipy.sparse as sp
from joblib import Memory

import amends.cues
import amends.encode
import amends.text
from amends.encode import Encoder
from amends.errors import InputError
from amends.model import cue_digest


def encoded(texts: Sequence[str], min_df: int, cache: Path | None = None) -> tuple[Encoder, sp.csr_matrix]:
    """Return an encoder fitted to ``texts`` and their features, shape ``(texts, features)``.

    Parameters
    ----------
    texts : sequence of str
        What the encoder is fitted to.
    min_df : int
        Least number of texts a feature stands in.
    cache : pathlib.Path, optional
        A folder that keeps results by the digests of texts, cues and the encoder's source: the same bytes as without it, in a
        fraction of the time, for some 3 MB a thousand records. Loading runs pickles: name only a folder of your own.

    Raises
    ------
    InputError
        If the folder cannot be written.
    """
    if cache is None:
        return _encoded(texts, min_df, "", "", "")
    try:
        cache.mkdir(parents=True, exist_ok=True)
        remembered = Memory(cache, verbose=0, compress=1).cache(_encoded, ignore=["texts"])
    except OSError as error:
        raise InputError(f"{cache}: features cannot be kept there ({error.strerror})") from error
    encoder, features = remembered(texts, min_df, _digest(texts), cue_digest(), source_digest())
    return encoder, features


def _encoded(texts: Sequence[str], min_df: int, of_texts: str, of_cues: str, of_source: str) -> tuple[Encoder, sp.csr_matrix]:
    """Encode; the three digests are the name under which the result is kept."""
    del of_texts, of_cues, of_source
    encoder = Encoder.fit(texts, min_df=min_df)
    return encoder, encoder.transform(texts)


def source_digest() -> str:
    """Return a digest of the code that turns texts into features."""
    total = hashlib.sha256()
    for module in (amends.text, amends.cues, amends.encode):
        total.update(Path(str(module.__file__)).read_bytes())
    return total.hexdigest()[:16]


def _digest(texts: Sequence[str]) -> str:
    return hashlib.sha256(json.dumps(list(texts)).encode()).hexdigest()
