"""Filling a folder with the text of the labelled records."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from amends.errors import InputError, UsageError
from amends_training.corpora import PUBLIC, read_lines
from amends_training.fetch.downloads import USUAL, Limits, Progress, obtain, shown, silent
from amends_training.fetch.files import prepare
from amends_training.fetch.fingerprints import FINGERPRINTS, read_fingerprints
from amends_training.fetch.publishers import (
    NHS_BASE,
    NHS_PHASE_1,
    NHS_V6,
    add_cfpb_meta,
    from_cfpb,
    from_phase_1,
    from_v6,
    nearest,
)
from amends_training.fetch.records import LABELS, checked, refuse_none, wanted_ids
from amends_training.fetch.report import FetchReport, write_source

#: The NHS files have under 2 MB each.
_MOST_NHS = 1 << 26


def fetch(
    folder: Path,
    *,
    cfpb_archive: str | None,
    cfpb_metadata: str | None = None,
    nhs_base: str = NHS_BASE,
    progress: Progress = silent,
    labels: Path = LABELS,
    fingerprints: Path = FINGERPRINTS,
    limits: Limits = USUAL,
) -> FetchReport:
    """Fetch the text of the labelled records from the publishers.

    Downloads are kept in ``folder/downloads``, whole ones used again, broken ones resumed. Sources are written one after the other,
    each in one step: after an error those before it are complete.

    Parameters
    ----------
    folder : pathlib.Path
        Gets ``public/nhs.jsonl``, ``public/cfpb.jsonl``, ``public/fetched.json`` (the report) and ``downloads/``.
    cfpb_archive : str, optional
        Address or path of the CFPB's archive of narratives: CSV, plain, gzipped or zipped. None: only the NHS text is fetched.
    cfpb_metadata : str, optional
        Address or path of the live complaint file; it adds product, issue, company and response to the records' ``meta``, no text.
    nhs_base : str
        Address or folder that holds `NHS_V6` and `NHS_PHASE_1`.
    progress : callable
        See `Progress`.
    labels, fingerprints : pathlib.Path
        Whose ids are wanted, and the digests of the labelled texts (need not exist).
    limits : Limits
        Bounds of the downloads.

    Raises
    ------
    InputError
        For an address that holds no such file, or a file that is none, is damaged, too large, or has none of the labelled ids.
    AmendsError
        For a server that cannot be reached or a folder that cannot be written.
    """
    if cfpb_metadata and not cfpb_archive:
        raise UsageError("the CFPB's complaint file alone has no text: give the archive of narratives too")
    wanted, known = wanted_ids(labels), read_fingerprints(fingerprints)
    prepare(folder)
    get = partial(obtain, downloads=folder / "downloads", limits=limits, progress=progress)
    reports, skipped = [], []
    if wanted["nhs"]:
        small = replace(limits, download=min(limits.download, _MOST_NHS), expanded=min(limits.expanded, _MOST_NHS))
        nhs: dict[str, dict[str, Any]] = {}
        for prefix, place, read in (("nhs_pe:v6:", NHS_V6, from_v6), ("nhs_pe:p1:", NHS_PHASE_1, from_phase_1)):
            if ids := [key for key in wanted["nhs"] if key.startswith(prefix)]:
                path = get(f"{nhs_base.rstrip('/')}/{place}", limits=small)
                nhs |= nearest(read(path, small, progress), ids, known, place)
        reports.append(write_source(folder, "nhs", wanted["nhs"], nhs, known))
    if wanted["cfpb"] and cfpb_archive:
        ids = wanted["cfpb"]
        cfpb = nearest(from_cfpb(get(cfpb_archive), ids, limits, progress), ids, known, shown(cfpb_archive))
        if cfpb_metadata:
            add_cfpb_meta(cfpb, get(cfpb_metadata), limits, progress)
        reports.append(write_source(folder, "cfpb", ids, cfpb, known))
    elif wanted["cfpb"]:
        skipped.append("cfpb")
    report = FetchReport(folder, tuple(reports), tuple(skipped))
    report.save()
    return report


def take(folder: Path, source: Path, *, labels: Path = LABELS, fingerprints: Path = FINGERPRINTS) -> FetchReport:
    """Copy the labelled records from ``source``, a folder with ``public/nhs.jsonl`` and ``public/cfpb.jsonl`` (or either), and check them.

    Raises
    ------
    InputError
        For a folder without such files, a line that is no record, two texts under one id, or a file without any labelled id.
    """
    if source.resolve() == folder.resolve():
        raise UsageError(f"{source}: is where the text should go; only labelled records would be left in it")
    wanted, known = wanted_ids(labels), read_fingerprints(fingerprints)
    names = [name for name in PUBLIC if wanted[name]]
    places = {name: [one / f"{name}.jsonl" for one in (source / "public", source)] for name in names}
    files = {name: next(filter(Path.is_file, paths), None) for name, paths in places.items()}
    if not any(files.values()):
        raise InputError(f"{source}: holds neither public/nhs.jsonl nor public/cfpb.jsonl")
    prepare(folder)
    reports, skipped = [], []
    for name, path in files.items():
        if path is None:
            skipped.append(name)
            continue
        found = _read_records(path, name)
        refuse_none(found.keys() & set(wanted[name]), path)
        reports.append(write_source(folder, name, wanted[name], found, known))
    report = FetchReport(folder, tuple(reports), tuple(skipped))
    report.save()
    return report


def _read_records(path: Path, name: str) -> dict[str, dict[str, Any]]:
    """Read the records of one file by id; the first of several that say the same counts."""
    found: dict[str, dict[str, Any]] = {}
    for number, row in read_lines(path):
        where = f"{path}, line {number}"
        record = checked(row, name, where)
        if found.setdefault(record["id"], record)["text"] != record["text"]:
            raise InputError(f"{where}: another text for {record['id']}, which stands above already")
    return found
