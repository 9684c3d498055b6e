"""``amends-train``: fetch | fit | evaluate | compare | release | folds | language.

What a command needs is imported when it runs. An error that nobody foresaw is told by its type and place alone, since its message may
hold complaint text; ``AMENDS_DEBUG=1`` shows the traceback.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from amends.errors import AmendsError
from amends_training import commands, fetch
from amends_training.checkout import ROOT, training_folder

RESULTS = ROOT / "docs" / "results.json"
_INTERRUPTED = 130
#: What the extra ``train`` installs, by import name.
_EXTRA = {"sklearn": "scikit-learn"}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments; by default those of the process.

    Returns
    -------
    int
        0 done; 1 failed; 2 a usage error; 3 the input cannot be used; 130 interrupted.
    """
    try:
        arguments = _parser().parse_args(argv)
    except SystemExit as leaving:  # argparse: --help or a usage error
        return leaving.code if isinstance(leaving.code, int) else 2
    try:
        training_folder()
        code = int(arguments.run(arguments))
        sys.stdout.flush()
        return code
    except AmendsError as error:
        return _failed(str(error), error.exit_code)
    except KeyboardInterrupt:
        return _failed("interrupted", _INTERRUPTED)
    except BrokenPipeError:  # whoever read our output has read enough
        with contextlib.suppress(OSError, ValueError, AttributeError):  # standard output may be a stand-in
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except ModuleNotFoundError as error:
        missing = _EXTRA.get((error.name or "").partition(".")[0])
        return _failed(f"{missing} is not installed: pip install 'amends[train]'" if missing else _place(error), 1)
    except Exception as error:  # noqa: BLE001 - the last resort, which must not show text
        return _failed(_place(error), 1)


def _failed(message: str, code: int) -> int:
    with contextlib.suppress(OSError, ValueError, AttributeError):  # nobody may be listening
        print(f"amends-train: {message.encode('utf-8', 'replace').decode()}", file=sys.stderr, flush=True)
    if os.environ.get("AMENDS_DEBUG") == "1":
        traceback.print_exc()
    return code


def _place(error: Exception) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1]
    system = f" ({os.strerror(error.errno)})" if isinstance(error, OSError) and error.errno else ""
    named = f" ({error.name})" if isinstance(error, ModuleNotFoundError) else ""
    return (
        f"failed: {type(error).__name__}{system}{named} at {Path(last.filename).name}:{last.lineno} (AMENDS_DEBUG=1 tells more)"
    )


# ---------------------------------------------------------------------------------------------------------- arguments
def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="amends-train", description="Make and judge the models of amends.")
    own = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Callable[[argparse.Namespace], int], summary: str, more: str = "") -> argparse.ArgumentParser:
        one = own.add_parser(name, help=summary, description=f"{summary} {more}".strip())
        one.set_defaults(run=run)
        return one

    fetching = command("fetch", fetch.run, "Fetch the public text that the labels refer to, or take it from a folder.")
    fetch.add_arguments(fetching)
    _fit_arguments(command("fit", commands.fit, "Fit a linear model and write its folder.", _DETERMINISTIC))
    _evaluate_arguments(
        command("evaluate", commands.evaluate, "Judge a model folder, or a file of predictions, against labelled records.")
    )
    _compare_arguments(
        command("compare", commands.compare, "Run the protocol for the baselines and `fast`, and print its tables.")
    )
    _release_arguments(
        command("release", commands.release, "Fit, measure and write a released model with its card.", _DETERMINISTIC)
    )
    folds = command("folds", commands.folds, "Give records that were added since their folds; those that have one keep it.")
    folds.add_argument("--text", type=Path, metavar="FOLDER", help="fetched text, as for fit")
    command(
        "language", commands.language, "Measure how many authored texts the language identifier would turn away, by language."
    )
    return parser


_DETERMINISTIC = "Nothing is drawn at random, so there is no seed: the same records and versions give the same bytes."


def _fit_arguments(parser: argparse.ArgumentParser) -> None:
    _training_arguments(parser)
    parser.add_argument(
        "-o", "--output", type=Path, default=Path("fitted"), metavar="FOLDER", help="the model folder (default: %(default)s)"
    )
    parser.add_argument("--name", default="custom", help="the model's name (default: %(default)s)")


def _evaluate_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "what", metavar="MODEL_OR_PREDICTIONS", help="a released model's name, a model folder, or JSON lines of `id` and `labels`"
    )
    add("labelled", type=Path, metavar="LABELLED", help="JSON lines of `id`, `labels` and, unless --text has it, `text`")
    add("--text", type=Path, action="append", default=[], metavar="FILE", help="JSON lines of `id` and `text` (may be repeated)")
    add("--json", action="store_true", help="print everything as JSON")
    _seed_argument(parser)


def _compare_arguments(parser: argparse.ArgumentParser) -> None:
    _training_arguments(parser)
    add = parser.add_argument
    add(
        "--research",
        type=Path,
        metavar="FOLDER",
        help="folder with labels/research.jsonl and research/*.jsonl: adds the transfer test",
    )
    add("--methods", nargs="+", metavar="NAME", help="which to run (default: all)")
    add("-o", "--output", type=Path, default=RESULTS, metavar="FILE", help="the results as JSON (default: docs/results.json)")
    _seed_argument(parser)


def _release_arguments(parser: argparse.ArgumentParser) -> None:
    _training_arguments(parser)
    add = parser.add_argument
    add("--results", type=Path, default=RESULTS, metavar="FILE", help="what `compare` wrote (default: docs/results.json)")
    add("--version", required=True, help="the model's version")
    add(
        "-o",
        "--output",
        type=Path,
        default=ROOT / "models" / "fast",
        metavar="FOLDER",
        help="the model folder, called as the results call the model (default: models/fast)",
    )


def _training_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "--text",
        type=Path,
        metavar="FOLDER",
        help="fetched text: public/cfpb.jsonl, public/nhs.jsonl (default: authored corpora only)",
    )
    add("--jobs", type=_positive, default=2, metavar="N", help="processes (default: %(default)s); changes no number")
    add(
        "--cache",
        type=Path,
        metavar="FOLDER",
        help="keep encoded features here between runs (default: not kept); read as pickles, so only a folder of your own",
    )


def _seed_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--seed",
        type=_natural,
        metavar="N",
        help="of the bootstrap's draws, the only thing that is drawn (default: the protocol's; a release asks for that one)",
    )


def _positive(value: str) -> int:
    return _whole(value, 1)


def _natural(value: str) -> int:
    return _whole(value, 0)


def _whole(value: str, least: int) -> int:
    if not value.isdecimal() or int(value) < least:
        raise argparse.ArgumentTypeError(f"{value!r} should be a whole number from {least}")
    return int(value)


if __name__ == "__main__":
    sys.exit(main())
