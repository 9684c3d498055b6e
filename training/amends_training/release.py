"""The release of a model: fitted on everything that may train it, measured, written with a card made from the measurements."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from amends.model import CARD, Model, load_folder, save_folder
from amends_training import tables
from amends_training.agreement import annotators
from amends_training.corpora import Record, digest
from amends_training.fit import Progress, Settings, fit, with_manifest

_LIBRARIES = ("numpy", "scipy", "scikit-learn")


def described(records: Sequence[Record]) -> list[dict[str, object]]:
    """Return each training source with its number of records and the digest of their ids, texts and labels."""
    sources = sorted({record.source for record in records})
    result: list[dict[str, object]] = []
    for source in sources:
        own = [record for record in records if record.source == source]
        result.append({"name": source, "records": len(own), "sha256": digest(own)})
    return result


def release(
    records: Sequence[Record],
    folder: Path,
    *,
    name: str,
    version: str,
    results: Mapping[str, Any] | None,
    settings: Settings,
    progress: Progress,
) -> Model:
    """Fit, write and read back a model with its card.

    Parameters
    ----------
    records : sequence of Record
        Everything that trains the model.
    folder : pathlib.Path
        The model folder.
    name, version : str
        What the manifest calls the model.
    results : mapping, optional
        What ``amends-train compare`` measured; without it the card says that the model was not judged.
    settings, progress
        As for `amends_training.fit.fit`.
    """
    model = fit(records, settings, progress)
    model = with_manifest(
        model,
        name=name,
        version=version,
        libraries={library: metadata.version(library) for library in _LIBRARIES} | {"python": platform.python_version()},
        training=described(records),
        settings={key: getattr(settings, key) for key in settings.__slots__ if key not in ("jobs", "plan")},
        quality=summarised(results, name),
    )
    progress("writing")
    saved = save_folder(folder, model)
    (folder / CARD).write_text(card(saved, records, results), encoding="utf-8")
    return load_folder(folder)


def summarised(results: Mapping[str, Any] | None, name: str) -> dict[str, float]:
    """Return each test's headline for the model ``name``, rounded, for the manifest."""
    if results is None:
        return {}
    return {test: round(results[test][name]["headline"], 3) for test in tables.TESTS if name in results.get(test, {})}


def card(model: Model, records: Sequence[Record], results: Mapping[str, Any] | None) -> str:
    """Return the model card, Markdown: data, licences, provenance of the labels, quality, calibration, limits, intended use."""
    manifest = model.manifest
    name = manifest["name"]
    sources = tables.markdown(
        ("source", "records", "SHA-256"), [(s["name"], s["records"], s["sha256"][:16]) for s in manifest["training"]]
    )
    own = results and all(name in results[test] for test in results if test in tables.TESTS)
    return "\n".join([
        f"# Model card: {name} {manifest['version']}",
        "",
        "*Written by `amends-train release` from its measurements; do not edit.*",
        "",
        "## What it is",
        "",
        f"Calibrated linear heads over sparse words, word pairs and character n-grams ({model.encoder.vocabulary.size:,} features) for every field "
        f"of codebook {manifest['codebook']}, and a router that reads the same features and the tags' probabilities. Languages: {', '.join(manifest['languages'])}. "
        "Weights are 8-bit steps of one scale a column.",
        "",
        "## Intended use",
        "",
        "To sort and prioritise complaints and to suggest a recovery to the person who handles each. Not to decide a claim, to judge an employee or a "
        "customer, or to act without a person on complaints that are flagged for review. The paradox outlook speaks of satisfaction with the recovery, "
        "never of repurchase.",
        "",
        "## Data and licences",
        "",
        sources,
        "",
        "`authored-*`: written for this project, MIT. `cfpb`: CFPB Consumer Complaint Database, US public domain. `nhs_pe`: NHS patient feedback, "
        "pxtextmining by The Strategy Unit, MIT, with attribution. No other text trained this model.",
        "",
        "## Where the labels come from",
        "",
        "**A large language model read each message with the codebook and decided every field.** No person labelled them. "
        + _agreement_sentence(records),
        "",
        "## Quality",
        "",
        *(_measured(name, results, records) if own and results else ["Not judged: this folder was fitted without the protocol's results.", ""]),
        "## When to look first",
        "",
        f"A strategy is `unsure` when its confidence is under {model.unsure_below:.2f}. How often the kept strategies agree with the annotator, out of fold:",
        "",
        tables.markdown(
            ("coverage", "threshold", "right"),
            [(f"{p['coverage']:.0%}", f"{p['threshold']:.2f}", f"{p['right']:.0%}") for p in manifest["review"]["coverage"]],
        ),
        "",
        f"The plan overlaps with the annotated plan by {manifest.get('plan_overlap', 0):.0%} on average (Jaccard, out of fold).",
        "",
        "## Limits",
        "",
        "- Quality falls on sources unlike those it learnt from; the transfer and leave-one-out tables say by how much. Confidence is calibrated on the training mix and is too high there.",
        "- It sees words, not sense: irony, negation at a distance and several failures in one text mislead it.",
        "- Labels tell the customer's view as a language model reads it; two such readers share their habits.",
        "- The training text is English of the 2010s and 2020s, from finance, health care and invented firms of other sectors.",
        "",
        "## Made with",
        "",
        ", ".join(f"{library} {version}" for library, version in manifest["libraries"].items()) + f"; settings {json.dumps(manifest['settings'])}.",
        "",
    ])  # fmt: skip


def _agreement_sentence(records: Sequence[Record]) -> str:
    own = annotators(records)
    if not own["records"]:
        return "No record here was read twice."
    return (
        f"{own['records']:.0f} of these records were read twice, independently, by such a model: mean kappa over the eleven decided fields {own['mean']:.2f}. "
        "Two readers of one kind share their habits, so this is an upper line for a machine, not what two people would reach."
    )


def _measured(name: str, results: Mapping[str, Any], records: Sequence[Record]) -> list[str]:
    methods = [m for m in ("majority", "tfidf_logreg", "rules", name) if m in results["grouped"]]
    line = annotators(records)
    parts = [
        "Cohen's kappa with the annotator, mean over eleven decided fields; made by `amends-train compare`.",
        "",
        tables.headlines(results),
        "",
    ]
    for test, title in tables.TESTS.items():
        if test in results:
            parts += [f"### {title}", "", tables.by_head(results, test, [m for m in methods if m != "majority"], line), ""]
            parts += [tables.quality(results, test, name), "", tables.by_source(results, test, ["tfidf_logreg", name]), ""]
    return [*parts, "### F1 by label, grouped five-fold", "", tables.by_label(results, "grouped", name), ""]
