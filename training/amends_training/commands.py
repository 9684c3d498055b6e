"""What each command of ``amends-train`` does; `amends_training.cli` reads its arguments and tells its errors."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from amends.errors import InputError
from amends_training.corpora import DATA, Record, training_records

if TYPE_CHECKING:
    from amends_training.fit import Settings


def fit(arguments: argparse.Namespace) -> int:
    """Fit a model that is not released."""
    from amends_training.release import release

    records, settings = _records(arguments.text), _settings(arguments)
    model = release(records, arguments.output, name=arguments.name, version="0", results=None, settings=settings, progress=_Bar())
    print(f"{arguments.output}: model {arguments.name}, {model.digest}", file=sys.stderr)
    return 0


def release(arguments: argparse.Namespace) -> int:
    """Release a model whose results are at hand; refuse results of anything else."""
    from amends_training import results
    from amends_training.release import release

    records, settings = _records(arguments.text), _settings(arguments)
    measured = results.read(arguments.results)
    name = arguments.output.resolve().name
    results.refuse_others(arguments.results, measured, name, results.stamp(records, settings))
    model = release(
        records, arguments.output, name=name, version=arguments.version, results=measured, settings=settings, progress=_Bar()
    )
    print(f"{arguments.output}: {name} {arguments.version}, {model.digest}", file=sys.stderr)
    return 0


def compare(arguments: argparse.Namespace) -> int:
    """Run the protocol, write its results and print its tables."""
    from amends_training import results, tables
    from amends_training.agreement import annotators
    from amends_training.evaluate import methods, run
    from amends_training.splits import research_records

    settings = _settings(arguments)
    known = methods(settings)
    unknown = sorted(set(arguments.methods or ()) - set(known))
    if unknown:
        raise InputError(f"no method {', '.join(unknown)}; there are {', '.join(known)}")
    chosen = {name: method for name, method in known.items() if name in (arguments.methods or known)}
    records = _records(arguments.text)
    research = research_records(arguments.research) if arguments.research else []
    found = {
        **results.stamp(records, settings, arguments.seed),
        **results.rounded(run(records, research, chosen, _Bar(), arguments.seed)),
    }
    results.write(arguments.output, found)
    print(tables.headlines(found))
    shown = [name for name in ("tfidf_logreg", "rules", "fast") if name in found["grouped"]]
    for test, title in tables.TESTS.items():
        if test in found and shown:
            print(f"\n**{title}, by field**\n\n{tables.by_head(found, test, shown, annotators(records))}")
            print(f"\n{tables.by_source(found, test, shown)}")
    return 0


def evaluate(arguments: argparse.Namespace) -> int:
    """Judge a model or predictions against a file of labelled records."""
    from amends_training import results, tables
    from amends_training.corpora import read_labelled, read_texts
    from amends_training.evaluate import judged, predict, read_predictions

    records = read_labelled(arguments.labelled, read_texts(arguments.text))
    if Path(arguments.what).is_file():
        prediction = read_predictions(Path(arguments.what), records)
    else:
        from amends.model import load_folder
        from amends.released import find

        prediction = predict(load_folder(find(arguments.what)), [record.text for record in records])
    result = results.rounded(judged(records, prediction, drawn_by=arguments.seed))
    if arguments.json:
        print(json.dumps(result))
    else:
        low, high = result["interval"]
        print(f"{len(records)} records, mean kappa {result['headline']:.3f} (95% {low:.3f} to {high:.3f})\n")
        print(tables.quality({"given": {"model": result}}, "given", "model"))
    return 0


def folds(arguments: argparse.Namespace) -> int:
    """Give new records their folds."""
    from amends_training import folds
    from amends_training.protocol import protocol, seed

    own = protocol()["grouped"]
    known = folds.read(DATA / "folds.tsv")
    texts = {record.id: record.text for record in training_records(arguments.text)}
    given = folds.assign(
        texts, known, seed=seed(), folds=own["folds"], words=own["shingle_words"], containment=own["containment"]
    )
    folds.write(DATA / "folds.tsv", {**known, **given})
    print(f"{len(given.keys() - known.keys())} records were given a fold", file=sys.stderr)
    return 0


def language(_: argparse.Namespace) -> int:
    """Tell which authored texts the language identifier would turn away from a model of their language."""
    from amends_training.language import LANGUAGES, turned_away

    for name in LANGUAGES:
        records = training_records(languages=[name])
        away = turned_away(records, [name])[name]
        print(
            f"{name}: {len(away)} of {len(records)} authored texts turned away ({len(away) / len(records):.2%}) {' '.join(away)}".rstrip()
        )
    return 0


class _Bar:
    """A progress bar of steps whose number is not known beforehand; silent in a pipe."""

    def __init__(self) -> None:
        self._bar = tqdm(disable=None, unit="step", bar_format="{n_fmt} steps, {elapsed}: {desc}", file=sys.stderr)

    def __call__(self, step: str) -> None:
        self._bar.set_description_str(step, refresh=False)
        self._bar.update()


def _settings(arguments: argparse.Namespace) -> Settings:
    from amends_training.fit import Settings

    return Settings(jobs=arguments.jobs, cache=arguments.cache)


def _records(text: Path | None) -> Sequence[Record]:
    records = training_records(text)
    sources = {record.source for record in records}
    print(f"{len(records)} labelled records of {', '.join(sorted(sources))}", file=sys.stderr)
    return records
