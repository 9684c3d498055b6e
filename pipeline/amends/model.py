"""The model folder: a manifest, weights in a format that cannot run code, a vocabulary and a card.

``FORMAT`` is raised when a reader of the old format would misread the new one; adding a manifest key does not raise it.
Loading checks the SHA-256 digest of every file that the manifest lists, before any is read.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from amends.codebook import codebook
from amends.cues import rules
from amends.encode import Encoder, Vocabulary
from amends.errors import ModelError
from amends.routing import Router
from amends.tagging import Linear, heads

FORMAT = 1
MANIFEST = "manifest.json"
WEIGHTS = "weights.safetensors"
VOCABULARY = "vocabulary.json"
CARD = "README.md"
#: What every manifest of this format has.
_KEYS = frozenset(
    {"codebook", "cues", "files", "languages", "name", "offsets", "plan_threshold", "review", "router", "tags", "version"}
)


@dataclass(frozen=True)
class Model:
    """A loaded model: how texts become features, features tags, and both a strategy; and what the release decided.

    Attributes
    ----------
    encoder, tagger, router
        The three trained parts.
    offsets : mapping of str to numpy.ndarray
        Per head, what is added to the log-probability of each label before the largest is taken. Calibrated
        probabilities of a rare label seldom lead; the offsets, fitted out of fold, weigh rare labels as the protocol does.
    plan_threshold, unsure_below : float
        The least probability of an act in the plan; the confidence under which a strategy is ``unsure``.
    manifest : mapping
        All of ``manifest.json``.
    digest : str
        The first twelve hex digits of the manifest's SHA-256.
    """

    encoder: Encoder
    tagger: Linear
    router: Router
    offsets: Mapping[str, np.ndarray]
    plan_threshold: float
    unsure_below: float
    manifest: Mapping[str, Any]
    digest: str


def read_manifest(folder: Path) -> tuple[dict[str, Any], str]:
    """Return the manifest of ``folder`` and its digest; a folder that cannot be a model of ours raises `ModelError`."""
    path = folder / MANIFEST
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{folder} is no model folder: {MANIFEST} cannot be read ({error.strerror})") from error
    try:
        manifest = json.loads(raw)
        written = manifest["format"]
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{path} is damaged: it is not a manifest with a `format`") from error
    if written != FORMAT:
        raise ModelError(
            f"{folder} has model format {written}, this version of amends reads format {FORMAT}: "
            + (
                "upgrade amends"
                if isinstance(written, int) and written > FORMAT
                else "make the model anew with amends-train release"
            )
        )
    missing = sorted(_KEYS - manifest.keys())
    if missing or not {WEIGHTS, VOCABULARY} <= set(manifest["files"]):
        what = f"no {', '.join(missing)}" if missing else f"`files` does not list {WEIGHTS} and {VOCABULARY}"
        raise ModelError(f"{path} is damaged: it has {what}")
    return manifest, hashlib.sha256(raw).hexdigest()[:12]


def verify(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Raise `ModelError` naming the first file of the manifest that is missing or not as it was released."""
    for name, expected in manifest["files"].items():
        try:
            found = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        except OSError as error:
            raise ModelError(f"{folder}: {name} cannot be read ({error.strerror}); the manifest lists it") from error
        if found != expected:
            raise ModelError(
                f"{folder}: {name} is not the file that was released (SHA-256 {found[:12]}…, the manifest says {expected[:12]}…); get the model again"
            )


def load_folder(folder: Path) -> Model:
    """Load the model in ``folder``, digests checked.

    Raises
    ------
    ModelError
        If a file is missing, damaged or changed, of another format, or learnt from another codebook's labels.
    """
    from safetensors.numpy import load_file

    manifest, digest = read_manifest(folder)
    verify(folder, manifest)
    _check_labels(folder, manifest)
    if manifest["cues"] != cue_digest():
        raise ModelError(f"{folder} learnt from other cues than this version of amends has: fit it anew with amends-train fit")
    try:
        return _assembled(
            manifest, digest, load_file(folder / WEIGHTS), json.loads((folder / VOCABULARY).read_text(encoding="utf-8"))
        )
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise ModelError(f"{folder} is damaged: its files do not fit together ({type(error).__name__}: {error})") from error


def _assembled(manifest: Mapping[str, Any], digest: str, tensors: Mapping[str, np.ndarray], words: Mapping[str, Any]) -> Model:
    names = words["words"]
    pairs = tuple((names[a], names[b]) for a, b in tensors["pairs"].tolist())
    vocabulary = Vocabulary(tuple(names), pairs, tuple(words["chars"]), tensors["idf"])

    def linear(part: str) -> Linear:
        own = heads(manifest[part])
        weights = tensors[f"{part}_weights"].astype(np.float32) * tensors[f"{part}_scale"]
        expected = (vocabulary.size, sum(head.width for head in own))
        if weights.shape != expected:
            raise ValueError(f"{part} weights of shape {weights.shape}, heads and features of shape {expected}")
        return Linear(own, weights, tensors[f"{part}_bias"])

    return Model(
        Encoder(vocabulary),
        linear("tags"),
        Router(linear("router"), tensors["router_tags"]),
        {name: np.asarray(values) for name, values in manifest["offsets"].items()},
        manifest["plan_threshold"],
        manifest["review"]["unsure_below"],
        manifest,
        digest,
    )


def save_folder(folder: Path, model: Model) -> Model:
    """Write ``model`` to ``folder`` and return it as loading gives it back.

    Weights are stored as 8-bit steps of a scale per column (the card says how many labels that changes).
    """
    from safetensors.numpy import save_file

    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = model.encoder.vocabulary
    place = {word: i for i, word in enumerate(vocabulary.words)}
    tensors = {
        "idf": vocabulary.idf,
        "pairs": np.array([(place[a], place[b]) for a, b in vocabulary.pairs], dtype=np.int32).reshape(-1, 2),
        "router_tags": model.router.tags,
    }
    for part, linear in (("tags", model.tagger), ("router", model.router.text)):
        tensors |= quantised(part, linear)
    save_file(tensors, folder / WEIGHTS)
    (folder / WEIGHTS).chmod(0o644)  # safetensors makes a file that only its owner can read
    text = json.dumps({"words": vocabulary.words, "chars": vocabulary.chars}, ensure_ascii=False, separators=(",", ":"))
    (folder / VOCABULARY).write_text(text + "\n", encoding="utf-8")
    files = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in (WEIGHTS, VOCABULARY)}
    manifest = {**model.manifest, "format": FORMAT, "cues": cue_digest(), "files": files}
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return load_folder(folder)


def quantised(part: str, linear: Linear) -> dict[str, np.ndarray]:
    """Return the tensors of one bank of heads, its weights in 8-bit steps of one scale per column."""
    scale = np.abs(linear.weights).max(axis=0) / 127
    scale[scale == 0] = 1
    steps = np.rint(linear.weights / scale).astype(np.int8)
    return {f"{part}_weights": steps, f"{part}_scale": scale.astype(np.float32), f"{part}_bias": linear.bias}


def cue_digest() -> str:
    """Return a digest of the cues' names and phrases in order: a model's weights belong to these."""
    return hashlib.sha256(json.dumps([(rule.name, rule.phrases) for rule in rules()]).encode()).hexdigest()[:16]


def _check_labels(folder: Path, manifest: Mapping[str, Any]) -> None:
    book = codebook()
    acts = [entry["name"] for entry in manifest["router"][1:]]
    expected_acts = [f"act:{name}" for name in book["actions"].names]
    if acts and acts != expected_acts:
        raise ModelError(f"{folder}: the plan's acts are {', '.join(acts)}, this version has {', '.join(expected_acts)}")
    for entry in [*manifest["tags"], manifest["router"][0]]:
        name, labels = entry["name"], tuple(entry["labels"])
        expected = ("0", "1") if name in book.concerns else book[name].names
        if labels != expected:
            raise ModelError(
                f"{folder}: head {name} learnt the labels {', '.join(labels)} of codebook {manifest['codebook']}, "
                f"this version has {', '.join(expected)} of codebook {book.version}"
            )
