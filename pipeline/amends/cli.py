"""The command line: ``amends score``, ``amends explain`` and ``amends models``.

What a command needs is imported when it runs, so that ``amends --help`` is quick. Messages never hold complaint text: an error that
nobody foresaw is told by its type and place alone (``AMENDS_DEBUG=1`` shows the traceback, which may hold text).
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amends.batch.streams import fill_closed
from amends.errors import AmendsError, InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amends.batch.summary import Summary

_INTERRUPTED, _TERMINATED = 130, 143


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments; by default those of the process.

    Returns
    -------
    int
        0 done; 1 the run failed; 2 a usage error; 3 the input cannot be used; 130 interrupted; 143 terminated.
    """
    try:
        arguments = _parser().parse_args(argv)
    except SystemExit as leaving:  # argparse: --help, --version or a usage error
        return leaving.code if isinstance(leaving.code, int) else 2
    before = _on_termination()
    try:
        fill_closed()
        code = int(arguments.run(arguments))
        if sys.stdout is not None:
            sys.stdout.flush()
        return code
    except AmendsError as error:
        _tell(str(error))
        _debug()
        return error.exit_code
    except KeyboardInterrupt:
        _tell("interrupted")
        return _INTERRUPTED
    except _Terminated:
        _tell("terminated")
        return _TERMINATED
    except BrokenPipeError:
        # Whoever read our output has read enough. What is still buffered must not fail again when the interpreter ends.
        _silence_stdout()
        return 0
    except BaseException as error:  # noqa: BLE001 - the last resort, which must not show text
        _tell(f"failed: {_of_type(error)}")
        _debug()
        return 1
    finally:
        if before is not None:
            signal.signal(signal.SIGTERM, before)


# ---------------------------------------------------------------------------------------------------------- arguments
def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="amends", description="Reads customers' complaints and says how to win each customer back."
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and leave")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _score_arguments(commands.add_parser("score", help="score an export, row by row", description=_SCORE, formatter_class=_RAW))
    explain = commands.add_parser(
        "explain", help="explain one complaint", description="Show every tag of one complaint with the words behind it."
    )
    explain.add_argument("text", metavar="TEXT", help="the complaint, or - for standard input")
    explain.add_argument("--model", **_MODEL)
    explain.add_argument("--json", action="store_true", help="print JSON instead")
    explain.set_defaults(run=_explain)
    models = commands.add_parser("models", help="list the models", description="List the models that can be loaded.")
    models.add_argument("--json", action="store_true", help="print JSON instead")
    models.set_defaults(run=_models)
    return parser


_RAW = argparse.RawDescriptionHelpFormatter
#: Which model is the default is looked up when one is needed: where that is told, much is imported.
_MODEL: dict[str, Any] = {
    "default": argparse.SUPPRESS,
    "metavar": "NAME_OR_FOLDER",
    "help": "the model (default: the first that `amends models` lists)",
}
_SCORE = """Score an export: the same rows come out, in order, with the output columns appended.

Formats are told by the ending: .csv .tsv .jsonl .xlsx .parquet, text formats also with .gz or .zst. The output appears
under its name when it is complete; until then the work lies in a hidden folder beside it, from which --resume goes on."""


def _score_arguments(parser: argparse.ArgumentParser) -> None:
    from amends.batch.options import CHUNK_ROWS
    from amends.batch.paths import FORMATS

    add = parser.add_argument
    add("input", metavar="INPUT", help="a file, a folder, a quoted glob, or - for CSV on standard input")
    add(
        "-o",
        "--output",
        metavar="OUTPUT",
        help="a file, a folder for several, or - for CSV on standard output (default: NAME.scored.EXT beside INPUT)",
    )
    add("--text-column", metavar="NAME", help="the column that holds the complaints (default: found by name and content)")
    add("--id-column", metavar="NAME", help="the column that identifies a record; noted in the summary and metadata")
    add("--model", **_MODEL)
    add("--jobs", type=_positive, metavar="N", help="processes (default: the usable cores, at most 8; 1 for small inputs)")
    add("--resume", action="store_true", help="go on with an unfinished run of the same output")
    add("--no-evidence", dest="evidence", action="store_false", help="leave amends_evidence out, which halves the time")
    add("--overwrite", action="store_true", help="replace the output if it is there, and amends_* columns of the input")
    add(
        "--spreadsheet-safe",
        action="store_true",
        help="CSV: put an apostrophe before cells that a spreadsheet would take for a formula",
    )
    add("--summary", metavar="FILE", help="write a summary as one line of JSON")
    add("--sheet", metavar="NAME", help="XLSX: the sheet (default: the first with a text column)")
    add("--input-format", choices=FORMATS, help="the input's format, where its ending does not tell")
    add("--format", dest="output_format", choices=FORMATS, help="the output's format, where its ending does not tell")
    add("--encoding", metavar="NAME", help="the input's encoding (default: UTF-8 or UTF-16 by its bytes, else Windows-1252)")
    add("--delimiter", metavar="CHAR", help="CSV: what parts the cells of the input, for instance ';' or tab (default: found)")
    add(
        "--chunk-size",
        dest="chunk_rows",
        type=_positive,
        default=CHUNK_ROWS,
        metavar="N",
        help="rows that are scored together (default: %(default)s)",
    )
    add("--limit", type=_positive, metavar="N", help="score the first N rows only")
    add("--quiet", action="store_true", help="say nothing but errors")
    parser.set_defaults(run=_score)


def _positive(text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1")
    return number


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        from amends import __version__

        print(f"amends {__version__}")
        parser.exit()


# ----------------------------------------------------------------------------------------------------------- commands
def _score(arguments: argparse.Namespace) -> int:
    from dataclasses import fields

    from amends.batch.options import Options
    from amends.batch.paths import plan
    from amends.batch.run import score_file
    from amends.batch.summary import require_place, together, write

    given = vars(arguments)
    options = Options(**{field.name: given[field.name] for field in fields(Options) if field.name in given})
    if arguments.summary:
        require_place(Path(arguments.summary))
    pairs = plan(arguments.input, arguments.output, options.input_format, options.output_format)
    # A folder or glob is several files even where it holds but one.
    several = len(pairs) > 1 or pairs[0][0].path not in (None, Path(arguments.input))
    summaries: list[Summary] = []
    failed: dict[str, str] = {}
    code = 0
    for source, target in pairs:
        try:
            summary = score_file(source, target, options, (lambda _: None) if options.quiet else _tell)
        except AmendsError as error:
            if not several:
                raise
            # One bad file among many does not keep the others waiting; the exit code remembers it.
            _tell(f"{source}: not scored: {error}")
            failed[str(source)] = str(error)
            code = code or error.exit_code
            continue
        summaries.append(summary)
        for line in summary.told() if not options.quiet else ():
            _tell(line)
    if arguments.summary:
        found = together(arguments.input, summaries, failed) if several else summaries[0].to_dict()
        write(Path(arguments.summary), found)
    return code


def _explain(arguments: argparse.Namespace) -> int:
    import amends
    from amends.batch.options import default_model
    from amends.batch.streams import require_output, standard_input

    require_output()
    text = arguments.text
    if text == "-":
        text = standard_input().read().decode("utf-8-sig", "replace")
    if not text.strip():
        raise InputError("there is no text to explain")
    assessment = amends.load(vars(arguments).get("model") or default_model())(text)
    if arguments.json:
        print(json.dumps(assessment.to_dict(), ensure_ascii=True))
    else:
        from amends.batch.display import explanation

        sys.stdout.write(explanation(assessment, text).encode("utf-8", "replace").decode())
    return 0


def _models(arguments: argparse.Namespace) -> int:
    import amends
    from amends.batch.streams import require_output

    require_output()
    found = amends.models()
    if arguments.json:
        for model in found:
            entry = {
                "name": model.name,
                "version": model.version,
                "languages": sorted(model.languages),
                "size_bytes": model.size_bytes,
            }
            print(json.dumps({**entry, "quality": dict(model.quality), "card": str(model.card)}))
        return 0
    from amends.batch.display import described

    for model in found:
        sys.stdout.write(described(model))
    if not found:
        _tell("there are no models; a model folder can be named with --model")
    return 0


# ----------------------------------------------------------------------------------------------------------- messages
class _Terminated(BaseException):
    """SIGTERM, as an exception, so that a run that is told to end cleans up."""


def _on_termination() -> Any:
    def end(*_: object) -> None:
        raise _Terminated

    try:
        return signal.signal(signal.SIGTERM, end)
    except ValueError:  # not the main thread
        return None


def _tell(message: str) -> None:
    if sys.stderr is None:  # closed by the shell; `print` would take standard output instead
        return
    with contextlib.suppress(OSError, ValueError, AttributeError):  # nobody may be listening
        print(f"amends: {message.encode('utf-8', 'replace').decode()}", file=sys.stderr, flush=True)


def _of_type(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    system = f" ({os.strerror(error.errno)})" if isinstance(error, OSError) and error.errno else ""
    return f"{type(error).__name__}{system}{where}"


def _debug() -> None:
    if os.environ.get("AMENDS_DEBUG") == "1" and sys.stderr is not None:
        traceback.print_exc()


def _silence_stdout() -> None:
    with contextlib.suppress(OSError, ValueError, AttributeError):  # it may be a stand-in, as in tests
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
