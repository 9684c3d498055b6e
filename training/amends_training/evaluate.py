"""Judging: the protocol's splits, and any model or predictions against any labelled records."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from amends.errors import InputError
from amends.model import Model
from amends.pipeline import Pipeline
from amends_training import baselines
from amends_training.corpora import Record, checked, read_lines, targets
from amends_training.fit import Progress, Settings, fit, silent
from amends_training.metrics import Prediction, bootstrap, headline, headline_heads, summary
from amends_training.splits import Split, fold_numbers, grouped, leave_one_out, place

#: Fits on some records and predicts others.
Method = Callable[[Sequence[Record], Sequence[Record]], Prediction]


def predict(model: Model, texts: Sequence[str]) -> Prediction:
    """Return what a model says of ``texts``: the labels that it gives and its probabilities."""
    scored = Pipeline(model).score(texts)
    return Prediction(scored.chosen, scored.probabilities)


def fast(settings: Settings = Settings(), progress: Progress = silent) -> Method:  # noqa: B008
    """The linear model as a method."""
    return lambda train, test: predict(fit(train, settings, progress), [record.text for record in test])


def _baseline(method: Callable[..., Prediction]) -> Method:
    return lambda train, test: method(targets(train), [r.text for r in train], [r.text for r in test])


def with_rules(prediction: Prediction) -> Prediction:
    """Return ``prediction`` with the rule table's strategy over its own predicted tags."""
    tags = {name: prediction.chosen[name] for name in headline_heads() if name != "strategy"}
    kept = {name: p for name, p in prediction.probabilities.items() if name != "strategy"}
    return Prediction({**prediction.chosen, "strategy": baselines.rule_table(tags)}, kept)


#: What every other method's gain is taken over.
BASELINE = "tfidf_logreg"
#: What is compared but never released; ``rules`` is judged with ``fast``, over its tags.
BASELINES = ("majority", BASELINE, "rules")


def methods(settings: Settings) -> dict[str, Method]:
    """Return what the protocol compares, by name; ``fast`` with ``settings`` but for the plan, which is not judged."""
    return {
        "majority": _baseline(baselines.majority),
        BASELINE: _baseline(partial(baselines.tfidf_logreg, jobs=settings.jobs)),
        "fast": fast(replace(settings, plan=False)),
    }


def over_splits(records: Sequence[Record], splits: Sequence[Split], method: Method, progress: Progress = silent) -> Prediction:
    """Return predictions for every record, each by a model trained without the record's split."""
    parts: list[tuple[np.ndarray, Prediction]] = []
    for split in splits:
        progress(split.name)
        train = [record for record, held in zip(records, split.test, strict=True) if not held]
        test = [record for record, held in zip(records, split.test, strict=True) if held]
        parts.append((np.flatnonzero(split.test), method(train, test)))
    order = np.argsort(np.concatenate([rows for rows, _ in parts]))
    names = parts[0][1].chosen
    known = parts[0][1].probabilities
    return Prediction(
        {name: np.concatenate([p.chosen[name] for _, p in parts])[order] for name in names},
        {name: np.concatenate([p.probabilities[name] for _, p in parts])[order] for name in known},
    )


def judged(
    records: Sequence[Record], prediction: Prediction, mask: np.ndarray | None = None, drawn_by: int | None = None
) -> dict[str, Any]:
    """Return the protocol's metrics of ``prediction``, over the records of ``mask``; ``drawn_by`` as for `bootstrap`."""
    mask = np.ones(len(records), dtype=bool) if mask is None else mask
    truth = {name: values[mask] for name, values in targets(records).items()}
    return summary(truth, prediction.rows(mask), drawn_by)


def slices(
    records: Sequence[Record], prediction: Prediction, by: Callable[[Record], str], least: int = 15
) -> dict[str, dict[str, float]]:
    """Return records and headline for each value of ``by`` that at least ``least`` records have."""
    values = np.array([by(record) for record in records])
    truth = targets(records)
    result = {}
    for value in sorted(set(values)):
        mask = values == value
        if mask.sum() >= least:
            own = {name: column[mask] for name, column in truth.items()}
            result[value] = {"records": int(mask.sum()), "headline": headline(own, prediction.rows(mask))}
    return result


def run(
    records: Sequence[Record],
    research: Sequence[Record],
    methods: Mapping[str, Method],
    progress: Progress,
    drawn_by: int | None = None,
) -> dict[str, Any]:
    """Run the whole protocol for ``methods`` and return its tables, JSON-ready.

    Parameters
    ----------
    records : sequence of Record
        Everything that may train.
    research : sequence of Record
        The transfer test; empty where its text is not at hand.
    methods : mapping of str to Method
        What is compared. With ``fast`` among them the rule table over its tags is judged too.
    progress : callable
        Told of each step.
    drawn_by : int, optional
        The seed of the bootstrap; by default the protocol's.
    """
    _, tested = fold_numbers(records)
    everything = np.ones(len(research), dtype=bool)
    result: dict[str, Any] = {}
    for test, own, mask, splits in (
        ("grouped", records, tested, grouped(records)),
        ("leave_one_out", records, tested, leave_one_out(records)),
        ("transfer", research, everything, []),
    ):
        if not len(own):
            continue
        predictions = {}
        for name, method in methods.items():
            progress(f"{name}, {test}")
            predictions[name] = over_splits(records, splits, method, progress) if splits else method(records, research)
            if name == "fast":
                predictions["rules"] = with_rules(predictions[name])
        result[test] = {name: _judged_with_gain(own, mask, name, predictions, test, drawn_by) for name in predictions}
    return result


def _judged_with_gain(
    records: Sequence[Record],
    mask: np.ndarray,
    name: str,
    predictions: Mapping[str, Prediction],
    test: str,
    drawn_by: int | None,
) -> dict[str, Any]:
    prediction = predictions[name]
    truth = targets(records)
    result = judged(records, prediction, mask, drawn_by)
    kept = [record for record, inside in zip(records, mask, strict=True) if inside]
    result["by_source"] = slices(kept, prediction.rows(mask), lambda record: record.source)
    if test != "transfer":
        result["by_place"] = slices(kept, prediction.rows(mask), place)
        if not mask.all():
            added = {key: values[~mask] for key, values in truth.items()}
            result["added_records"] = {"records": int((~mask).sum()), "headline": headline(added, prediction.rows(~mask))}
    if BASELINE in predictions and name != BASELINE:
        inside = {key: values[mask] for key, values in truth.items()}
        pair = [prediction.rows(mask), predictions[BASELINE].rows(mask)]
        low, high = bootstrap(inside, pair, drawn_by)[2]
        result["gain"] = [headline(inside, pair[0]) - headline(inside, pair[1]), low, high]
    return result


def read_predictions(path: Path, records: Sequence[Record]) -> Prediction:
    """Read a file of predictions, JSON lines of ``id`` and ``labels``, for ``records``, which it must all hold."""
    given = {row.get("id"): checked(row.get("labels"), f"{path}, line {number}") for number, row in read_lines(path)}
    missing = [record.id for record in records if record.id not in given]
    if missing:
        raise InputError(f"{path}: no prediction for {len(missing)} of {len(records)} records, the first is {missing[0]}")
    return Prediction(targets([replace(record, labels=given[record.id]) for record in records]), {})
