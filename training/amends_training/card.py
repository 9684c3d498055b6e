"""The model card: Markdown, made from the manifest and the protocol's results."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from amends.model import Model
from amends_training import tables
from amends_training.agreement import annotators
from amends_training.corpora import Record, is_authored

#: Where the text of a source is from and under which licence it trains, by the source's name; ``authored`` for any language.
PROVENANCE = {
    "authored": "written for this project about invented firms; MIT",
    "cfpb": "CFPB Consumer Complaint Database; US public domain",
    "nhs_pe": "NHS patient feedback, pxtextmining by The Strategy Unit; MIT, with attribution",
}
_LANGUAGES = {"en": "English", "zh": "Chinese", "ko": "Korean"}
_SHORT = {"grouped": "grouped five-fold", "leave_one_out": "one source or sector left out", "transfer": "transfer"}


def card(model: Model, records: Sequence[Record], results: Mapping[str, Any] | None) -> str:
    """Return the model card: data, licences, provenance of the labels, quality, calibration, limits, intended use."""
    manifest = model.manifest
    name = manifest["name"]
    judged = {test: results[test] for test in tables.TESTS if name in (results or {}).get(test, {})} if results else {}
    return "\n".join([
        f"# Model card: {name} {manifest['version']}",
        "",
        "*Written by `amends-train release` from its measurements; do not edit.*",
        "",
        "## What it is",
        "",
        f"Calibrated linear heads over sparse words, word pairs and character n-grams ({model.encoder.vocabulary.size:,} features) for every field "
        f"of codebook {manifest['codebook']}, and a router that reads the same features and the tags' probabilities. Languages: {', '.join(manifest['languages'])}.",
        "",
        f"Weights are 8-bit steps of one scale a column. Against the weights as fitted that changes {manifest['quantisation']['labels_changed']:.2%} of the labels "
        "of the eleven decided fields on the training texts.",
        "",
        "## Intended use",
        "",
        "To sort and prioritise complaints and to suggest a recovery to the person who handles each. Not to decide a claim, to judge an employee or a "
        "customer, or to act without a person on complaints that are flagged for review. The paradox outlook speaks of satisfaction with the recovery, "
        "never of repurchase.",
        "",
        "## Data and licences",
        "",
        _sources(manifest["training"]),
        "",
        "No other text trained this model.",
        "",
        "## Where the labels come from",
        "",
        "**A large language model read each message with the codebook and decided every field.** No person labelled them. "
        + _agreement_sentence(records),
        "",
        "## Quality",
        "",
        *(_measured(name, judged, records) if judged else ["Not judged: this folder was fitted without the protocol's results.", ""]),
        "## When to look first",
        "",
        f"`must_see` flags {manifest['review']['must_see']:.1%} of the complaints among the training texts, whatever the confidence in their strategy.",
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
        *(f"- {line}" for line in _limits(manifest, judged)),
        "",
        "## Made with",
        "",
        ", ".join(f"{library} {version}" for library, version in manifest["libraries"].items()) + f"; settings {json.dumps(manifest['settings'])}.",
        "",
    ])  # fmt: skip


def _sources(training: Sequence[Mapping[str, Any]]) -> str:
    return tables.markdown(
        ("source", "language", "records", "text and licence", "SHA-256"),
        [
            (f"`{own['name']}`", own["language"], own["records"], PROVENANCE.get(_kind(own), "not recorded"), own["sha256"][:16])
            for own in training
        ],
    )


def _kind(source: Mapping[str, Any]) -> str:
    return "authored" if is_authored(source["name"]) else str(source["name"])


def _limits(manifest: Mapping[str, Any], judged: Mapping[str, Any]) -> list[str]:
    name = manifest["name"]
    kappas = _by_test({test: own[name]["headline"] for test, own in judged.items()})
    errors = _by_test({test: _calibration_error(own[name]) for test, own in judged.items()}, digits=3)
    quality = f"mean kappa is {kappas}" if judged else "by how much was not measured"
    calibrated = (
        f"the mean calibration error (ECE) over the decided fields is {errors}" if judged else "how far off was not measured"
    )
    return [
        f"Quality hangs on how like the sources it learnt from a text is: {quality}.",
        f"Confidence is calibrated out of fold on the training mix: {calibrated}.",
        "It sees words, not sense: irony, negation at a distance and several failures in one text mislead it.",
        "Labels tell the customer's view as a language model reads it; two such readers share their habits.",
        _training_text(manifest["training"]),
        _language(manifest),
    ]


def _by_test(values: Mapping[str, float], digits: int = 2) -> str:
    return ", ".join(f"{value:.{digits}f} in {_SHORT[test]}" for test, value in values.items())


def _calibration_error(own: Mapping[str, Any]) -> float:
    """Mean ECE over the heads that give probabilities."""
    return float(np.mean([head["ece"] for head in own["heads"].values() if "ece" in head]))


def _training_text(training: Sequence[Mapping[str, Any]]) -> str:
    """Say in which languages and from which sectors the training text is."""
    languages = sorted({_LANGUAGES.get(own["language"], own["language"]) for own in training})
    total = sum(own["records"] for own in training)
    invented = sum(own["records"] for own in training if _kind(own) == "authored")
    sectors: Counter[str] = Counter()
    for own in training:
        sectors.update(own["sectors"])
    shares = ", ".join(f"{sector.replace('_', ' and ')} {count / total:.0%}" for sector, count in sectors.most_common())
    return (
        f"The training text is {' and '.join(languages)}, {invented / total:.0%} of it about invented firms. By sector: {shares}."
    )


def _language(manifest: Mapping[str, Any]) -> str:
    own = manifest["language"]
    if not own["texts"]:
        return "How many texts of its languages the language identifier turns away was not measured."
    return f"The language identifier turns away {own['turned_away']:.2%} of the {own['texts']:,} authored texts in the languages that the model knows."


def _agreement_sentence(records: Sequence[Record]) -> str:
    own = annotators(records)
    if not own["records"]:
        return "No record here was read twice."
    return (
        f"{own['records']:.0f} of these records were read twice, independently, by such a model: mean kappa over the eleven decided fields {own['mean']:.2f}. "
        "Two readers of one kind share their habits, so this is an upper line for a machine, not what two people would reach."
    )


def _measured(name: str, judged: Mapping[str, Any], records: Sequence[Record]) -> list[str]:
    line = annotators(records)
    parts = [
        "Cohen's kappa with the annotator, mean over eleven decided fields; made by `amends-train compare`.",
        "",
        tables.headlines(judged),
        "",
    ]
    for test, title in tables.TESTS.items():
        if test in judged:
            shown = [method for method in ("tfidf_logreg", "rules", name) if method in judged[test]]
            beside = [method for method in shown if method != "rules"]
            parts += [f"### {title}", "", tables.by_head(judged, test, shown, line), ""]
            parts += [tables.quality(judged, test, name), "", tables.by_source(judged, test, beside), ""]
    first = next(iter(judged))
    return [*parts, f"### F1 by label, {_SHORT[first]}", "", tables.by_label(judged, first, name), ""]
