"""``amends-train``: fetch | fit | evaluate | compare | release | folds."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from amends.errors import AmendsError, InputError

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "docs" / "results.json"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return the exit code: 0 done, 1 failed, 2 a usage error, 3 the input cannot be used."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    try:
        return int(arguments.run(arguments))
    except AmendsError as error:
        print(f"amends-train: {error}", file=sys.stderr)
        return error.exit_code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="amends-train", description="Make and judge the models of amends.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Callable[[argparse.Namespace], int], summary: str) -> argparse.ArgumentParser:
        own = commands.add_parser(name, help=summary, description=summary)
        own.set_defaults(run=run)
        return own

    def text_option(own: argparse.ArgumentParser) -> None:
        own.add_argument(
            "--text",
            type=Path,
            metavar="FOLDER",
            help="fetched text: public/cfpb.jsonl, public/nhs.jsonl (default: authored corpora only)",
        )
        own.add_argument("--jobs", type=int, default=2, help="processes (default: %(default)s)")

    from amends_training import fetch

    own = command("fetch", fetch.run, "Fetch the public text that the labels refer to, or take it from a folder.")
    fetch.add_arguments(own)

    own = command("fit", _fit, "Fit a linear model and write its folder.")
    text_option(own)
    own.add_argument(
        "-o", "--output", type=Path, default=Path("fitted"), metavar="FOLDER", help="the model folder (default: %(default)s)"
    )
    own.add_argument("--name", default="custom", help="the model's name (default: %(default)s)")

    own = command("evaluate", _evaluate, "Judge a model folder, or a file of predictions, against labelled records.")
    own.add_argument(
        "what", metavar="MODEL_OR_PREDICTIONS", help="a released model's name, a model folder, or JSON lines of `id` and `labels`"
    )
    own.add_argument(
        "labelled", type=Path, metavar="LABELLED", help="JSON lines of `id`, `labels` and, unless --text has it, `text`"
    )
    own.add_argument(
        "--text", type=Path, action="append", default=[], metavar="FILE", help="JSON lines of `id` and `text` (may be repeated)"
    )
    own.add_argument("--json", action="store_true", help="print everything as JSON")

    own = command("compare", _compare, "Run the protocol for the baselines and `fast`, and print its tables.")
    text_option(own)
    own.add_argument(
        "--research",
        type=Path,
        metavar="FOLDER",
        help="folder with labels/research.jsonl and research/*.jsonl: adds the transfer test",
    )
    own.add_argument("--methods", nargs="+", metavar="NAME", help="which to run (default: all)")
    own.add_argument(
        "-o", "--output", type=Path, default=RESULTS, metavar="FILE", help="the results as JSON (default: docs/results.json)"
    )

    own = command("release", _release, "Fit, measure and write a released model with its card.")
    text_option(own)
    own.add_argument(
        "--results", type=Path, default=RESULTS, metavar="FILE", help="what `compare` wrote (default: docs/results.json)"
    )
    own.add_argument("--version", required=True, help="the model's version")
    own.add_argument(
        "-o",
        "--output",
        type=Path,
        default=ROOT / "models" / "fast",
        metavar="FOLDER",
        help="the model folder (default: models/fast)",
    )

    own = command("folds", _folds, "Give records that were added since their folds; those that have one keep it.")
    own.add_argument("--text", type=Path, metavar="FOLDER", help="fetched text, as for fit")

    own = command("language", _language, "Measure how many authored English texts the language identifier would turn away.")
    return parser


class _Bar:
    """A progress bar of steps whose number is not known beforehand; silent in a pipe."""

    def __init__(self) -> None:
        self._bar = tqdm(disable=None, unit="step", bar_format="{n_fmt} steps, {elapsed}: {desc}", file=sys.stderr)

    def __call__(self, step: str) -> None:
        self._bar.set_description_str(step, refresh=False)
        self._bar.update()


def _records(arguments: argparse.Namespace) -> list[Any]:
    from amends_training.corpora import training_records

    records = training_records(arguments.text)
    sources = {record.source for record in records}
    print(f"{len(records)} labelled records of {', '.join(sorted(sources))}", file=sys.stderr)
    return records


def _fit(arguments: argparse.Namespace) -> int:
    from amends_training.fit import Settings
    from amends_training.release import release

    records = _records(arguments)
    settings = Settings(jobs=arguments.jobs)
    model = release(records, arguments.output, name=arguments.name, version="0", results=None, settings=settings, progress=_Bar())
    print(f"{arguments.output}: model {arguments.name}, {model.digest}", file=sys.stderr)
    return 0


def _release(arguments: argparse.Namespace) -> int:
    from amends_training.corpora import digest
    from amends_training.fit import Settings
    from amends_training.release import release

    records = _records(arguments)
    if not arguments.results.exists():
        raise InputError(f"{arguments.results}: no results; run `amends-train compare` first")
    results = json.loads(arguments.results.read_text(encoding="utf-8"))
    if results["data"] != digest(records):
        raise InputError(f"{arguments.results} was measured on other records than these; run `amends-train compare` again")
    name = arguments.output.name
    settings = Settings(jobs=arguments.jobs)
    model = release(
        records, arguments.output, name=name, version=arguments.version, results=results, settings=settings, progress=_Bar()
    )
    print(f"{arguments.output}: {name} {arguments.version}, {model.digest}", file=sys.stderr)
    return 0


def _compare(arguments: argparse.Namespace) -> int:
    from amends_training import tables
    from amends_training.agreement import annotators
    from amends_training.corpora import digest
    from amends_training.evaluate import METHODS, run
    from amends_training.splits import research_records

    records = _records(arguments)
    research = research_records(arguments.research) if arguments.research else []
    unknown = set(arguments.methods or ()) - set(METHODS)
    if unknown:
        raise InputError(f"no method {', '.join(sorted(unknown))}; there are {', '.join(METHODS)}")
    methods = {name: method for name, method in METHODS.items() if name in (arguments.methods or METHODS)}
    results = {"data": digest(records), "records": len(records), **run(records, research, methods, _Bar())}
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(json.dumps(_rounded(results), indent=1) + "\n", encoding="utf-8")
    print(tables.headlines(results))
    shown = [name for name in ("tfidf_logreg", "rules", "fast") if name in results["grouped"]]
    for test, title in tables.TESTS.items():
        if test in results and shown:
            print(f"\n**{title}, by field**\n\n{tables.by_head(results, test, shown, annotators(records))}")
            print(f"\n{tables.by_source(results, test, shown)}")
    return 0


def _evaluate(arguments: argparse.Namespace) -> int:
    from amends_training import tables
    from amends_training.corpora import read_labelled, read_texts
    from amends_training.evaluate import judged, predict, read_predictions

    records = read_labelled(arguments.labelled, read_texts(arguments.text))
    if Path(arguments.what).is_file():
        prediction = read_predictions(Path(arguments.what), records)
    else:
        from amends.model import load_folder
        from amends.released import find

        prediction = predict(load_folder(find(arguments.what)), [record.text for record in records])
    result = judged(records, prediction)
    if arguments.json:
        print(json.dumps(_rounded(result)))
    else:
        low, high = result["interval"]
        print(f"{len(records)} records, mean kappa {result['headline']:.3f} (95% {low:.3f} to {high:.3f})\n")
        print(tables.quality({"given": {"model": result}}, "given", "model"))
    return 0


def _folds(arguments: argparse.Namespace) -> int:
    from amends_training import folds
    from amends_training.corpora import DATA, training_records
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


def _language(_: argparse.Namespace) -> int:
    from amends.language import identify
    from amends_training.corpora import training_records

    records = training_records()
    away = [record.id for record in records if not identify(record.text, frozenset({"en"}))[1]]
    print(f"{len(away)} of {len(records)} authored English texts turned away ({len(away) / len(records):.2%}): {', '.join(away)}")
    return 0


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_rounded(item) for item in value]
    return value


if __name__ == "__main__":
    sys.exit(main())
