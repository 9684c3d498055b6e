"""The command line of ``amends-train fetch``."""

from __future__ import annotations

import argparse
from contextlib import closing
from pathlib import Path
from typing import Any

from amends.errors import UsageError
from amends_training.fetch.gather import fetch, take
from amends_training.fetch.publishers import NHS_BASE


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``amends-train fetch``."""
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="where the text goes; give it to `fit` with --text")
    parser.add_argument(
        "--from", dest="source", type=Path, metavar="FOLDER", help="take the text from this folder, not from the net"
    )
    archive = "the CFPB's archive of narratives: CSV, .csv.gz or .zip (without it: NHS only)"
    parser.add_argument("--cfpb-archive", metavar="URL_OR_FILE", help=archive)
    live = "the CFPB's complaint file, to add product, issue and response"
    parser.add_argument("--cfpb-metadata", metavar="URL_OR_FILE", help=live)
    parser.add_argument("--nhs-base", default=NHS_BASE, metavar="URL_OR_FOLDER", help="a mirror of %(default)s")


def run(arguments: argparse.Namespace) -> int:
    """Run ``amends-train fetch``: print the report and return 0, or raise `AmendsError`."""
    if arguments.source:
        if arguments.cfpb_archive or arguments.cfpb_metadata or arguments.nhs_base != NHS_BASE:
            raise UsageError("--from takes the text from a folder: leave out --cfpb-archive, --cfpb-metadata and --nhs-base")
        report = take(arguments.folder, arguments.source)
    else:
        with closing(_Bar()) as bar:
            report = fetch(
                arguments.folder,
                cfpb_archive=arguments.cfpb_archive,
                cfpb_metadata=arguments.cfpb_metadata,
                nhs_base=arguments.nhs_base,
                progress=bar,
            )
    print(report.summary())
    return 0


class _Bar:
    """Progress in bytes, one bar for each thing done; silent where standard error is no terminal."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._what = ""

    def __call__(self, what: str, done: int, total: int | None) -> None:
        from tqdm import tqdm

        if what != self._what:
            self.close()
            self._bar = tqdm(desc=what, unit="B", unit_scale=True, unit_divisor=1024, disable=None, leave=False)
            self._what = what
        self._bar.total = total
        self._bar.update(done - self._bar.n)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
