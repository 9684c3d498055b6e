"""Fitting of a whole linear model: encoder, tag heads, calibration, router, offsets and thresholds, from labelled records.

Every number that a later step learns from an earlier one is out of fold: tags' probabilities for the router, logits for the
calibration, probabilities for offsets, plan and review thresholds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp

from amends.codebook import codebook
from amends.model import Model
from amends.routing import Router, probabilities_of_acts, tag_columns
from amends.tagging import Head, Linear, heads
from amends_training.corpora import Record, language_of, targets
from amends_training.features import encoded
from amends_training.linear import Calibration, Fitted, calibrate, fit_heads, offsets
from amends_training.metrics import names_of
from amends_training.splits import fold_numbers

Progress = Callable[[str], None]


def silent(_: str) -> None:
    """Tell nothing of a step."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What was chosen on the training folds and the leave-one-out test (``docs/model.md`` tells the alternatives).

    Attributes
    ----------
    min_df : int
        Least number of records a feature stands in.
    strength : float
        ``C`` of the tag heads.
    router_strength : float
        ``C`` of the router.
    tag_scale : float
        By how much tags' probabilities are scaled before the router sees them: larger is less regularised.
    plan : bool
        Whether to fit the plan's heads; the protocol judges without them, which saves a third of the time.
    jobs : int
        Processes; changes no number.
    cache : pathlib.Path, optional
        Where encoded features are kept between runs (`amends_training.features.encoded`); changes no number.
    """

    min_df: int = 2
    strength: float = 3.0
    router_strength: float = 2.0
    tag_scale: float = 2.0
    plan: bool = True
    jobs: int = 2
    cache: Path | None = None

    def decisive(self) -> dict[str, float]:
        """Return the settings that a fitted model's numbers hang on."""
        names = ("min_df", "strength", "router_strength", "tag_scale")
        return {name: getattr(self, name) for name in names}


#: Out-of-fold predictions inside a fit are made in this many folds, each a union of the protocol's.
INNER_FOLDS = 3


def head_specs(plan: bool = True) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the tag heads and the router's heads, as a manifest lists them."""
    book = codebook()
    tags = [{"name": name, "labels": list(names_of(name))} for name in book.decided if name != "strategy"]
    router = [{"name": "strategy", "labels": list(book["strategy"].names)}]
    if plan:
        router += [{"name": f"act:{name}", "labels": ["0", "1"]} for name in book["actions"].names]
    return tags, router


def fit(records: Sequence[Record], settings: Settings = Settings(), progress: Progress = silent) -> Model:
    """Fit a model to ``records``.

    Returns
    -------
    Model
        With a manifest that holds heads and decisions; name, data and quality are the release's to add.
    """
    truth = targets(records)
    texts = [record.text for record in records]
    folds = fold_numbers(records)[0] % INNER_FOLDS
    progress("encoding")
    encoder, features = encoded(texts, settings.min_df, settings.cache)
    tag_specs, router_specs = head_specs(settings.plan)
    tag_heads, router_heads = heads(tag_specs), heads(router_specs)
    tag_truth = {head.name: truth[head.name] for head in tag_heads}
    router_truth = {head.name: truth[head.name] for head in router_heads}

    tags, tag_logits = _calibrated(features, tag_truth, tag_heads, folds, settings.strength, settings.jobs, progress, "tags")
    seen = tag_columns(tag_heads, tag_logits) * settings.tag_scale
    joined = sp.hstack([features, sp.csr_matrix(seen.astype(np.float32))], format="csr")
    strength = settings.router_strength
    router, route_logits = _calibrated(joined, router_truth, router_heads, folds, strength, settings.jobs, progress, "router")

    size = features.shape[1]
    weights = np.hstack([router[head.name].weights for head in router_heads])
    bias = np.concatenate([router[head.name].bias for head in router_heads]).astype(np.float32)
    probabilities = {head.name: head.probabilities(tag_logits) for head in tag_heads}
    probabilities["strategy"] = router_heads[0].probabilities(route_logits)
    chosen_offsets = {name: offsets(p, truth[name]) for name, p in probabilities.items()}
    acts = probabilities_of_acts(router_heads[1:], route_logits)
    threshold, overlap = plan_threshold(probabilities["strategy"], acts, truth) if settings.plan else (0.5, 0.0)
    unsure_below, curve = review_threshold(probabilities["strategy"], chosen_offsets["strategy"], truth["strategy"])
    manifest = {
        "codebook": codebook().version,
        "languages": sorted({language_of(record.id) for record in records}),
        "tags": tag_specs,
        "router": router_specs,
        "offsets": {name: values.tolist() for name, values in chosen_offsets.items()},
        "plan_threshold": threshold,
        "plan_overlap": overlap,
        "review": {"unsure_below": unsure_below, "coverage": curve},
    }
    return Model(
        encoder,
        Linear(
            tag_heads,
            np.hstack([tags[head.name].weights for head in tag_heads]),
            np.concatenate([tags[head.name].bias for head in tag_heads]).astype(np.float32),
        ),
        Router(
            Linear(router_heads, np.ascontiguousarray(weights[:size]), bias),
            weights[size:].astype(np.float64) * settings.tag_scale,
        ),
        chosen_offsets,
        threshold,
        unsure_below,
        manifest,
        "",
    )


def _calibrated(
    features: sp.csr_matrix,
    truth: Mapping[str, np.ndarray],
    own: Sequence[Head],
    folds: np.ndarray,
    strength: float,
    jobs: int,
    progress: Progress,
    what: str,
) -> tuple[dict[str, Fitted], np.ndarray]:
    """Fit heads on everything and, out of fold, the logits that calibrate them; return both, calibrated."""
    out = np.zeros((features.shape[0], sum(head.width for head in own)), dtype=np.float32)
    for number in sorted(set(folds)):
        progress(f"{what}, out of fold {number}")
        rest = folds != number
        fitted = fit_heads(features[rest], {name: values[rest] for name, values in truth.items()}, strength, jobs)
        held = features[~rest]
        for head in own:
            out[~rest, head.columns] = fitted[head.name].logits(held)
    progress(f"{what}, all records")
    fitted = fit_heads(features, truth, strength, jobs)
    result = {}
    for head in own:
        calibration: Calibration = calibrate(out[:, head.columns].astype(np.float64), truth[head.name])
        out[:, head.columns] = out[:, head.columns] * calibration.slope + calibration.shift
        result[head.name] = calibration.applied(fitted[head.name])
    return result, out


def review_threshold(probabilities: np.ndarray, offset: np.ndarray, truth: np.ndarray) -> tuple[float, list[dict[str, float]]]:
    """Return the confidence under which a strategy is ``unsure``, and how often the kept ones are right at each coverage.

    Coverage runs from 50% to 100%. The best threshold that keeps at least half is the one that keeps half, unless keeping
    more is as right.
    """
    chosen = (np.log(np.maximum(probabilities, 1e-12)) + offset).argmax(axis=1)
    confidence = probabilities[np.arange(len(chosen)), chosen]
    right = chosen == truth
    curve = []
    for percent in range(50, 101, 5):
        threshold = float(np.quantile(confidence, 1 - percent / 100))
        kept = confidence >= threshold
        curve.append({"coverage": percent / 100, "threshold": round(threshold, 4), "right": round(float(right[kept].mean()), 4)})
    best = max(curve, key=lambda point: (point["right"], point["coverage"]))
    return best["threshold"], curve


def plan_threshold(strategy: np.ndarray, acts: np.ndarray, truth: Mapping[str, np.ndarray]) -> tuple[float, float]:
    """Return the least probability of an act in the plan, and the mean overlap (Jaccard) with the annotated plans that it gives: the best."""
    names = codebook()["actions"].names
    wanted = np.column_stack([truth[f"act:{name}"] for name in names]).astype(bool)
    best = (0.0, 0.5)
    for threshold in np.arange(0.2, 0.71, 0.05):
        given = acts >= threshold
        given[np.arange(len(given)), strategy.argmax(axis=1)] = True
        overlap = float(np.mean((given & wanted).sum(axis=1) / np.maximum((given | wanted).sum(axis=1), 1)))
        best = max(best, (overlap, float(threshold)))
    return round(best[1], 2), round(best[0], 4)


def with_manifest(model: Model, **entries: object) -> Model:
    """Return ``model`` with ``entries`` added to its manifest."""
    return replace(model, manifest={**model.manifest, **entries})
