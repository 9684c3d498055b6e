"""Fetching the public text that the labels refer to, from its publishers or from a local folder.

The repository holds labels by record id and none of the text (``docs/data.md`` says why). `fetch` fills a folder with
``public/nhs.jsonl`` and ``public/cfpb.jsonl``, only for labelled ids; `take` does so from a folder of the same layout. Where
``labels/public_text.tsv`` is there, each text is compared with the one that was labelled, by digest.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import hashlib
import http.client
import io
import json
import os
import re
import ssl
import time
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit, urlunsplit

from amends.errors import AmendsError, InputError, UsageError
from amends_training.corpora import DATA, PUBLIC, read_lines

#: Where NHS files lie; below it come the commit and the path in the repository.
NHS_BASE = "https://raw.githubusercontent.com/The-Strategy-Unit/pxtextmining"
#: The version of each file that the labelled ids were made from: other versions of ``text_data.csv`` number their rows otherwise.
NHS_V6 = "c62c79d74c7ba2f88d71a43386a2d36824e4633d/datasets/v6framework_230831.csv"
NHS_PHASE_1 = "005279dc1807f4ec511d725b933f9d2ea7e401f6/datasets/text_data.csv"
#: The labels, whose ids are wanted, and the digests of the texts that were labelled (may be missing).
LABELS = DATA / "labels" / "public.jsonl"
FINGERPRINTS = DATA / "labels" / "public_text.tsv"

#: Told what is being done, how many bytes of it are done, and how many there are (None: not known).
Progress = Callable[[str, int, int | None], None]

_SECTORS = {"cfpb": "banking_finance", "nhs": "healthcare"}
#: Our name of a column, and what publishers have called it, in lower case with underscores for all that is no letter or digit.
_CFPB = {
    "id": ("complaint_id", "complaintid", "id"),
    "text": ("consumer_complaint_narrative", "complaint_what_happened", "complaint_narrative", "consumer_narrative", "narrative"),
    "product": ("product",),
    "sub_product": ("sub_product",),
    "issue": ("issue",),
    "sub_issue": ("sub_issue",),
    "company": ("company",),
    "company_response": ("company_response_to_consumer", "company_response"),
    "company_public_response": ("company_public_response",),
    "consumer_disputed": ("consumer_disputed",),
    "timely": ("timely_response", "timely"),
    "date": ("date_received",),
}
_V6 = {
    "id": ("comment_id",),
    "text": ("fft_answer",),
    "trust": ("trust",),
    "service": ("service_type_1",),
    "fft_score_1good_5poor": ("fft_categorical_answer",),
    "question": ("fft_question",),
    "sentiment_1pos_5neg": ("comment_sentiment",),
    "date": ("date",),
}
_PHASE_1 = {
    "id": ("row_index",),
    "text": ("feedback",),
    "organization": ("organization",),
    "question": ("question",),
    "criticality_-5neg_5pos": ("criticality",),
    "label": ("label",),
    "subcategory": ("subcategory",),
}
#: The NHS files have under 2 MB each.
_MOST_NHS = 1 << 26
_CHUNK = 1 << 18
_LONGEST_LINE = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of a download, against a wrong address, a server that never ends and an archive that bursts.

    Attributes
    ----------
    download, expanded : int
        Most bytes of one file as it comes, and unpacked.
    timeout : float
        Seconds of silence after which a connection counts as broken.
    tries : int
        Tries without a mebibyte gained before giving up.
    pause : float
        Seconds before the second try; doubled for each further one, up to a minute.
    """

    download: int = 8 << 30
    expanded: int = 32 << 30
    timeout: float = 30.0
    tries: int = 5
    pause: float = 1.0


@dataclass(frozen=True, slots=True)
class SourceReport:
    """What came of one source.

    Attributes
    ----------
    wanted, found : int
        Labelled ids, and those whose text is now there.
    missing : tuple of str
        The labelled ids without text.
    characters : int
        Characters of text.
    digest, loose_digest : str
        SHA-256 over ids and texts in the order of the ids; the loose one does not see case and white space.
    same, alike, different, unknown : int
        Texts equal to those that were labelled; equal but for case and white space; other; without a digest to compare with.
    """

    name: str
    path: str
    wanted: int
    found: int
    missing: tuple[str, ...]
    characters: int
    digest: str
    loose_digest: str
    same: int
    alike: int
    different: int
    unknown: int


@dataclass(frozen=True, slots=True)
class FetchReport:
    """What a call of `fetch` or `take` brought; ``skipped`` names the sources that were not asked for or not there."""

    folder: Path
    sources: tuple[SourceReport, ...]
    skipped: tuple[str, ...] = field(default=())

    def summary(self) -> str:
        """Return the report in a few lines."""
        lines = []
        for one in self.sources:
            lines.append(f"{one.name}: {one.found} of {one.wanted} labelled texts, {one.path}, digest {one.digest[:12]}")
            if one.unknown < one.found:
                counts = f"{one.same} as labelled, {one.alike} but for case and white space, {one.different} different"
                lines.append(f"  {counts}" + (f", {one.unknown} not compared" if one.unknown else ""))
            if one.missing:
                lines.append(f"  missing: {', '.join(one.missing[:5])}" + (", …" if len(one.missing) > 5 else ""))
        lines += [f"{name}: not fetched" + _HINTS.get(name, "") for name in self.skipped]
        return "\n".join(lines)


_HINTS = {"cfpb": "; give the narratives archive with --cfpb-archive (docs/data.md says where it lies)"}


def _silent(what: str, done: int, total: int | None) -> None:
    """Show nothing."""


def fetch(
    folder: Path,
    *,
    cfpb_archive: str | None,
    cfpb_metadata: str | None = None,
    nhs_base: str = NHS_BASE,
    progress: Progress = _silent,
    labels: Path = LABELS,
    fingerprints: Path = FINGERPRINTS,
    limits: Limits = Limits(),
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
    wanted, known = _wanted(labels), _read_fingerprints(fingerprints)
    _prepare(folder)

    def obtain(where: str, limits: Limits = limits) -> Path:
        return _obtain(where, folder / "downloads", limits, progress)

    reports, skipped = [], ["cfpb"] if wanted["cfpb"] and not cfpb_archive else []
    if wanted["nhs"]:
        files = (("nhs_pe:v6:", NHS_V6, _from_v6), ("nhs_pe:p1:", NHS_PHASE_1, _from_phase_1))
        small = replace(limits, download=min(limits.download, _MOST_NHS), expanded=min(limits.expanded, _MOST_NHS))
        nhs: dict[str, dict[str, Any]] = {}
        for prefix, place, read in files:
            if ids := {key for key in wanted["nhs"] if key.startswith(prefix)}:
                nhs |= _best(read(obtain(f"{nhs_base.rstrip('/')}/{place}", small), small, progress), ids, known, place)
        reports.append(_write(folder, "nhs", wanted["nhs"], nhs, known))
    if wanted["cfpb"] and cfpb_archive:
        ids = set(wanted["cfpb"])
        found = _best(_from_cfpb(obtain(cfpb_archive), ids, limits, progress), ids, known, _shown(cfpb_archive))
        if cfpb_metadata:
            _add_meta(found, obtain(cfpb_metadata), limits, progress)
        reports.append(_write(folder, "cfpb", wanted["cfpb"], found, known))
    return _reported(FetchReport(folder, tuple(reports), tuple(skipped)))


def take(folder: Path, source: Path, *, labels: Path = LABELS, fingerprints: Path = FINGERPRINTS) -> FetchReport:
    """Copy the labelled records from ``source``, a folder with ``public/nhs.jsonl`` and ``public/cfpb.jsonl`` (or either), and check them.

    Raises
    ------
    InputError
        For a folder without such files, a line that is no record, two texts under one id, or a file without any labelled id.
    """
    if source.resolve() == folder.resolve():
        raise UsageError(f"{source}: is where the text should go; only labelled records would be left in it")
    wanted, known = _wanted(labels), _read_fingerprints(fingerprints)
    reports, skipped = [], []
    places = {
        name: [one for one in (source / "public", source) if (one / f"{name}.jsonl").is_file()] for name in PUBLIC if wanted[name]
    }
    if not any(places.values()):
        raise InputError(f"{source}: holds neither public/nhs.jsonl nor public/cfpb.jsonl")
    _prepare(folder)
    for name, at in places.items():
        if not at:
            skipped.append(name)
            continue
        path, ids = at[0] / f"{name}.jsonl", set(wanted[name])
        found: dict[str, dict[str, Any]] = {}
        for number, row in read_lines(path):
            record = _checked(row, name, f"{path}, line {number}")
            if found.setdefault(record["id"], record)["text"] != record["text"]:
                raise InputError(f"{path}, line {number}: another text for {record['id']}, which stands above already")
        _some(found.keys() & ids, path)
        reports.append(_write(folder, name, wanted[name], found, known))
    return _reported(FetchReport(folder, tuple(reports), tuple(skipped)))


def write_fingerprints(folder: Path, path: Path = FINGERPRINTS, labels: Path = LABELS) -> int:
    """Write the digests of the labelled texts in ``folder`` to ``path`` and return their number: for who adds labels."""
    wanted = {key for keys in _wanted(labels).values() for key in keys}
    files = [folder / "public" / f"{name}.jsonl" for name in PUBLIC]
    texts = {row["id"]: row["text"] for file in files if file.exists() for _, row in read_lines(file) if row["id"] in wanted}
    lines = [f"{key}\t{_fingerprint(texts[key])}\t{_fingerprint(_loose(texts[key]))}\n" for key in sorted(texts)]
    _replace(path, ["id\ttext\tloose\n", *lines])
    return len(lines)


# ------------------------------------------------------------------------------------------------------ command line
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


# ------------------------------------------------------------------------------------------- what the publishers have
def _from_v6(path: Path, limits: Limits, progress: Progress) -> Generator[dict[str, Any]]:
    """Read phase 2 (framework 6): an id is the ``Comment ID``; columns after the sentiment are themes, 1 where one is told."""
    for header, index, cells in _table(path, _V6, ("id", "text", "sentiment_1pos_5neg"), limits, progress):
        meta: dict[str, Any] = _meta(_V6, index, cells)
        first = index["sentiment_1pos_5neg"] + 1
        meta["framework_labels"] = [
            name for name, cell in zip(header[first:], cells[first:], strict=False) if _number(cell) == "1"
        ]
        key = cells[index["id"]].strip()
        yield _record("nhs", f"nhs_pe:v6:{key}", cells[index["text"]], {"comment_id": key, **meta, "source_set": "FFT phase 2"})


def _from_phase_1(path: Path, limits: Limits, progress: Progress) -> Generator[dict[str, Any]]:
    """Read phase 1: an id is the organisation without its space and the ``row_index``."""
    for _, index, cells in _table(path, _PHASE_1, ("id", "text", "organization"), limits, progress):
        key = f"nhs_pe:p1:{cells[index['organization']].replace(' ', '')}:{_number(cells[index['id']])}"
        yield _record("nhs", key, cells[index["text"]], {**_meta(_PHASE_1, index, cells), "source_set": "FFT phase 1"})


def _from_cfpb(path: Path, ids: set[str], limits: Limits, progress: Progress) -> Generator[dict[str, Any]]:
    """Read the narratives of ``ids``; of millions of rows only these are made into records."""
    for _, index, cells in _table(path, _CFPB, ("id", "text"), limits, progress):
        number = _number(cells[index["id"]])
        if (key := f"cfpb:{number}") in ids:
            yield _record("cfpb", key, cells[index["text"]], {"complaint_id": number, **_meta(_CFPB, index, cells)})


def _add_meta(records: Mapping[str, dict[str, Any]], path: Path, limits: Limits, progress: Progress) -> None:
    """Join the complaint file by complaint id; it may no longer have narratives, so only the id must be there."""
    left = set(records)
    with closing(_table(path, _CFPB, ("id", "product"), limits, progress)) as rows:
        for _, index, cells in rows:
            if (key := f"cfpb:{_number(cells[index['id']])}") in left:
                records[key]["meta"].update(_meta(_CFPB, index, cells))
                left.discard(key)
                if not left:
                    break


def _meta(columns: Mapping[str, Sequence[str]], index: Mapping[str, int], cells: Sequence[str]) -> dict[str, Any]:
    """Return what else the row tells."""
    pairs = {
        name: cells[index[name]] for name in columns if name in index and name not in ("id", "text") and index[name] < len(cells)
    }
    return {name: _number(_mended(cell)) for name, cell in pairs.items() if cell.strip()}


def _record(source: str, key: str, text: str, meta: dict[str, Any]) -> dict[str, Any]:
    text = _mended(text).replace("\r\n", "\n").replace("\r", "\n").strip()
    return {"id": key, "sector": _SECTORS[source], "lang": "en", "text": text, "meta": meta}


def _number(cell: str) -> str:
    """Return a whole number as such, for it may be written 12 or 12.0, and anything else as it is."""
    return re.sub(r"\A\s*(-?\d+)(\.0)?\s*\Z", r"\1", cell)


def _mended(text: str) -> str:
    """Read bytes that are not UTF-8 as Windows-1252, which is what they are in practice."""
    return re.sub("[\udc80-\udcff]", lambda one: bytes([ord(one[0]) - 0xDC00]).decode("cp1252", "replace"), text)


def _best(
    rows: Generator[dict[str, Any]], ids: set[str], known: Mapping[str, tuple[str, str]], where: str
) -> dict[str, dict[str, Any]]:
    """Return the records of ``ids``; of several under one id the one nearest to what was labelled. Stops when all are settled."""
    found: dict[str, dict[str, Any]] = {}
    left = set(ids)
    with closing(rows):
        for record in rows:
            key = record["id"]
            if key not in left or not record["text"]:
                continue
            rank = _rank(record, known)
            if key not in found or rank > _rank(found[key], known):
                found[key] = record
            if rank > 0 or key not in known:
                left.discard(key)
                if not left:
                    break
    _some(found, where)
    return found


def _some(found: Iterable[str], where: object) -> None:
    if not list(found):
        raise InputError(f"{where}: has none of the labelled ids; is it the right file?")


# ------------------------------------------------------------------------------------------------------------- tables
def _table(
    path: Path, columns: Mapping[str, Sequence[str]], required: Sequence[str], limits: Limits, progress: Progress
) -> Generator[tuple[list[str], dict[str, int], list[str]]]:
    """Yield header, place of our columns, and cells of each row that has the required ones, of every CSV file in ``path``."""
    refused, read, left = None, False, [limits.expanded]
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            for name, stream in _members(file, path):
                where = f"{path} ({name})" if name else str(path)
                bounded = io.BufferedReader(
                    _Bounded(
                        stream, left, f"{path}: more than {limits.expanded:,} bytes unpacked, which is more than the data has"
                    ),
                    _CHUNK,
                )
                with io.TextIOWrapper(bounded, encoding="utf-8-sig", errors="surrogateescape", newline="") as text:
                    lines = _lines(text, where)
                    first = next(lines, "")
                    try:
                        header, index, delimiter = _header(first, columns, required, where)
                    except InputError as error:  # in a zip it may be a table of another kind, such as the meanings of the columns
                        refused = error
                        continue
                    read = True
                    least = max(index[one] for one in required)
                    for number, cells in enumerate(csv.reader(lines, delimiter=delimiter)):
                        if number % 4096 == 0:
                            progress(f"reading {path.name}", file.tell(), size)
                        if len(cells) > least:
                            yield header, index, cells
        if refused and not read:
            raise refused
        progress(f"reading {path.name}", size, size)
    except (zipfile.BadZipFile, zlib.error, EOFError, gzip.BadGzipFile) as error:
        raise InputError(f"{path}: damaged ({error}); delete it and fetch it again") from error
    except (NotImplementedError, RuntimeError) as error:  # Deflate64, which some large zip files use; a password
        raise InputError(f"{path}: cannot be unpacked here ({error}); unpack it and give the CSV file inside") from error
    except csv.Error as error:
        raise InputError(f"{path}: not a CSV file as expected ({error})") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from error


def _members(file: IO[bytes], path: Path) -> Iterator[tuple[str, IO[bytes]]]:
    """Yield each table in ``file``, known as zip, gzip or plain by its first bytes."""
    magic = file.read(4)
    file.seek(0)
    if magic[:2] == b"\x1f\x8b":
        with gzip.open(file) as stream:
            yield "", stream  # type: ignore[misc]
    elif magic == b"PK\x03\x04":
        with zipfile.ZipFile(file) as archive:
            inside = [one for one in archive.namelist() if not one.startswith("__MACOSX/")]
            tables = [one for one in inside if one.lower().endswith((".csv", ".tsv"))]
            if not tables:
                raise InputError(f"{path}: no CSV file in it, but {', '.join(inside[:5]) or 'nothing'}")
            for one in tables:
                with archive.open(one) as stream:
                    yield one, stream
    else:
        yield "", file


class _Bounded(io.RawIOBase):
    """A stream that takes what it gives from ``left``, a budget shared by all files of an archive, and refuses to go beyond."""

    def __init__(self, stream: IO[bytes], left: list[int], refusal: str) -> None:
        self._stream, self._left, self._refusal = stream, left, refusal

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._stream.read(len(buffer))
        self._left[0] -= len(data)
        if self._left[0] < 0:
            raise InputError(self._refusal)
        buffer[: len(data)] = data
        return len(data)


def _lines(text: IO[str], where: str) -> Iterator[str]:
    while line := text.readline(_LONGEST_LINE):
        if len(line) == _LONGEST_LINE:
            raise InputError(f"{where}: a line of more than {_LONGEST_LINE:,} characters; not a CSV file as expected")
        yield line


def _header(
    line: str, columns: Mapping[str, Sequence[str]], required: Sequence[str], where: str
) -> tuple[list[str], dict[str, int], str]:
    """Return the names in the header line, the place of each of our columns, and the delimiter that shows them."""
    if line.lstrip()[:1] == "<":
        raise InputError(
            f"{where}: a web page, not the file itself; open the address in a browser and copy the link of the download"
        )
    for delimiter in (",", "\t", "|", ";"):
        header = [name.strip() for name in next(csv.reader([line], delimiter=delimiter), [])]
        plain = [re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") for name in header]
        index = {own: plain.index(name) for own, names in columns.items() for name in reversed(names) if name in plain}
        if all(one in index for one in required):
            return header, index, delimiter
    lacking = " and ".join(f"“{columns[one][0]}”" for one in required)
    seen = [name for name in next(csv.reader([line]), []) if len(name) < 40][:12]
    raise InputError(f"{where}: needs columns {lacking}; its first line has {', '.join(seen) or 'none'}")


# ---------------------------------------------------------------------------------------------------------- downloads
class _BrokenError(Exception):
    """A try that failed and may succeed when made again, after ``wait`` seconds at least."""

    def __init__(self, reason: str, wait: float = 0.0) -> None:
        super().__init__(reason)
        self.wait = wait


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows a redirect to the web only, and never from https to http."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        if not newurl.startswith(("https://", "http://") if req.type == "http" else "https://"):
            fp.close()
            raise InputError(f"{_shown(req.full_url)}: leads on to {_shown(newurl)}, which is not taken for safety's sake")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _obtain(where: str, downloads: Path, limits: Limits, progress: Progress) -> Path:
    """Return the path of a local file as it is, and of an address what was downloaded from it."""
    if where.startswith(("https://", "http://")):
        name = re.sub(r"[^\w.-]+", "_", urlsplit(where).path.rpartition("/")[2])[-80:]
        return download(where, downloads / f"{hashlib.sha256(where.encode()).hexdigest()[:8]}-{name or 'file'}", limits, progress)
    if "://" in where:
        raise UsageError(f"{_shown(where)}: only https and http addresses and paths of files are taken")
    path = Path(where).expanduser()
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    return path


def download(url: str, target: Path, limits: Limits = Limits(), progress: Progress = _silent) -> Path:
    """Download ``url`` to ``target``, unless that is there; tried again when it breaks, resumed where the server allows.

    What has come lies in ``target.part`` until it is whole, also after an error, for the next call.

    Raises
    ------
    InputError
        If the server has no such file, or it is larger than ``limits`` allow.
    AmendsError
        If it cannot be reached or keeps breaking off, or the file cannot be written.
    """
    if target.exists():
        return target
    part = target.with_name(target.name + ".part")
    failures, reached = 0, 0
    while True:
        try:
            _receive(url, part, limits, progress)
            break
        except _BrokenError as error:
            size = part.stat().st_size if part.exists() else 0
            failures = 1 if size >= reached + (1 << 20) else failures + 1
            reached = max(size, reached)
            if failures >= limits.tries:
                left = (
                    f"; {size:,} bytes are kept in {part}, the same command goes on from there"
                    if size and _noted(part)[0]
                    else ""
                )
                raise AmendsError(f"{_shown(url)}: {error}, {failures} times in a row{left}") from error
            time.sleep(min(max(limits.pause * 2 ** (failures - 1), error.wait), 60.0))
    with _writing(target):
        part.replace(target)
        _note(part).unlink(missing_ok=True)
    return target


def _receive(url: str, part: Path, limits: Limits, progress: Progress) -> None:
    """Make one try: append to ``part`` what is missing, or begin again where the server does not resume."""
    validator, total = _noted(part)
    start = part.stat().st_size if part.exists() and validator else 0
    headers = {"User-Agent": "amends-train", "Accept-Encoding": "identity"}
    if start:
        headers |= {"Range": f"bytes={start}-", "If-Range": validator}
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 (`_obtain` and `_Redirects` see to the scheme)
    try:
        with urllib.request.build_opener(_Redirects).open(request, timeout=limits.timeout) as response:
            if response.status == 206:
                span = re.fullmatch(rf"bytes {start}-\d+/(\d+|\*)", response.headers.get("Content-Range", ""))
                if span is None or not start:
                    part.unlink(missing_ok=True)
                    raise _BrokenError("the server sent another part than was asked for")
                total = int(span[1]) if span[1] != "*" else None
            else:
                start, length = 0, response.headers.get("Content-Length", "")
                total = int(length) if length.isdigit() else None
            _append(url, response, part, start, total, limits, progress)
    except urllib.error.HTTPError as error:
        with error:
            _refused(url, error, part, start, total)
    except urllib.error.URLError as error:
        if isinstance(error.reason, ssl.SSLCertVerificationError):
            raise InputError(f"{_shown(url)}: its certificate cannot be trusted ({error.reason.verify_message})") from error
        raise _BrokenError(f"cannot be reached ({error.reason})") from error
    except (http.client.InvalidURL, UnicodeError) as error:
        raise InputError(f"{_shown(url)}: not an address that can be asked for ({error})") from error
    except (http.client.HTTPException, TimeoutError, ConnectionError, ssl.SSLError) as error:
        raise _BrokenError(f"the connection broke ({error or type(error).__name__})") from error


def _refused(url: str, error: urllib.error.HTTPError, part: Path, start: int, total: int | None) -> None:
    """Deal with an answer that is an error: raise what it means, or return where all has come already."""
    if error.code == 416 and start:
        if start == total:
            return
        part.unlink(missing_ok=True)
        raise _BrokenError("the server's file changed") from error
    if error.code in (408, 425, 429) or error.code >= 500:
        after = error.headers.get("Retry-After", "") or ""
        raise _BrokenError(
            f"the server answered {error.code} {error.reason}", float(after) if after.isdigit() else 0.0
        ) from error
    meaning = "there is no such file" if error.code in (404, 410) else f"the server answered {error.code} {error.reason}"
    raise InputError(f"{_shown(url)}: {meaning}; has it moved? Download it by hand and give its path") from error


def _append(url: str, response: Any, part: Path, size: int, total: int | None, limits: Limits, progress: Progress) -> None:
    """Write the body behind the first ``size`` bytes of ``part``."""
    what = f"downloading {urlsplit(url).path.rpartition('/')[2] or urlsplit(url).netloc}"
    with _writing(part):
        part.parent.mkdir(parents=True, exist_ok=True)
        tag = response.headers.get("ETag") or ""
        validator = tag if tag.startswith('"') else response.headers.get("Last-Modified") or ""  # If-Range takes no weak tag
        validator = validator or (_noted(part)[0] if size else "")  # an answer to If-Range need not repeat it
        _note(part).write_text(json.dumps({"validator": validator, "total": total}), encoding="utf-8")
        file = part.open("ab" if size else "wb")
    with file:
        while size <= limits.download and (total or 0) <= limits.download:
            progress(what, size, total)
            block = response.read(_CHUNK)
            if not block:
                break
            with _writing(part):
                file.write(block)
                file.flush()
            size += len(block)
    if max(size, total or 0) > limits.download:
        part.unlink(missing_ok=True)
        raise InputError(f"{_shown(url)}: larger than {limits.download:,} bytes, which is more than the data has")
    if total is not None and size != total:
        if size > total:
            part.unlink(missing_ok=True)
        raise _BrokenError(f"the connection ended after {size:,} of {total:,} bytes")


def _note(part: Path) -> Path:
    return part.with_name(part.name + ".json")


def _noted(part: Path) -> tuple[str, int | None]:
    """Return the validator and the size that came with a part, so that it is never continued with another version."""
    try:
        noted = json.loads(_note(part).read_text(encoding="utf-8"))
        return str(noted["validator"]), noted["total"]
    except (OSError, ValueError, KeyError, TypeError):
        return "", None


def _shown(url: str) -> str:
    """Return an address as it may be shown: without user, password and query, which may hold a key."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


# ---------------------------------------------------------------------------------------------- records and the report
def _wanted(labels: Path) -> dict[str, list[str]]:
    """Return the labelled ids by file, in the order of the labels."""
    ids = [str(row.get("id")) for _, row in read_lines(labels)]
    return {name: [key for key in ids if key.startswith("nhs_pe:" if name == "nhs" else f"{name}:")] for name in PUBLIC}


def _checked(row: Any, name: str, where: str) -> dict[str, Any]:
    """Return a record with our keys only, or raise `InputError`."""
    if (
        not isinstance(row, dict)
        or not isinstance(row.get("id"), str)
        or not isinstance(row.get("text"), str)
        or not row["text"].strip()
    ):
        raise InputError(f"{where}: not a record with `id` and `text`")
    if not isinstance(row.get("meta", {}), dict):
        raise InputError(f"{where}: `meta` should be an object")
    return {"sector": _SECTORS[name], "lang": "en", "meta": {}} | {
        key: row[key] for key in ("id", "sector", "lang", "text", "meta") if key in row
    }


def _loose(text: str) -> str:
    return " ".join(text.casefold().split())


def _fingerprint(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _read_fingerprints(path: Path) -> dict[str, tuple[str, str]]:
    if not path.exists():
        return {}
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()[1:]]
    return {key: (exact, loose) for key, exact, loose in rows}


def _rank(record: Mapping[str, Any], known: Mapping[str, tuple[str, str]]) -> int:
    """Return 2 for the text that was labelled, 1 if only case and white space differ, 0 for another, -1 if that is not known."""
    if record["id"] not in known:
        return -1
    exact, loose = known[record["id"]]
    return 2 if _fingerprint(record["text"]) == exact else int(_fingerprint(_loose(record["text"])) == loose)


def _write(
    folder: Path, name: str, wanted: Sequence[str], found: Mapping[str, dict[str, Any]], known: Mapping[str, tuple[str, str]]
) -> SourceReport:
    """Write the found records in the order of the labels, and count."""
    records = [found[key] for key in wanted if key in found]
    path = folder / "public" / f"{name}.jsonl"
    _replace(path, map(_line, records))
    ranks = [_rank(one, known) for one in records]
    return SourceReport(
        name=name,
        path=str(path),
        wanted=len(wanted),
        found=len(records),
        missing=tuple(key for key in wanted if key not in found),
        characters=sum(len(one["text"]) for one in records),
        digest=_digest((one["id"], one["text"]) for one in records),
        loose_digest=_digest((one["id"], _loose(one["text"])) for one in records),
        same=ranks.count(2),
        alike=ranks.count(1),
        different=ranks.count(0),
        unknown=ranks.count(-1),
    )


def _line(record: Mapping[str, Any]) -> str:
    """Return a record as a JSON line, escaped where it holds half a character (a lone surrogate), which UTF-8 cannot write."""
    plain = {key: record[key] for key in ("id", "sector", "lang", "text", "meta")}
    line = json.dumps(plain, ensure_ascii=False)
    return (json.dumps(plain) if re.search("[\ud800-\udfff]", line) else line) + "\n"


def _digest(pairs: Iterable[tuple[str, str]]) -> str:
    total = hashlib.sha256()
    for pair in sorted(pairs):
        total.update(json.dumps(pair).encode())
    return total.hexdigest()


def _reported(report: FetchReport) -> FetchReport:
    """Write the report beside the text; what an earlier call said of a source that this one skipped stays."""
    path = report.folder / "public" / "fetched.json"
    try:
        before = dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        before = {}
    now = {one.name: {key: value for key, value in asdict(one).items() if key not in ("name", "path")} for one in report.sources}
    _replace(path, [json.dumps({**before, **now}, indent=1) + "\n"])
    return report


def _prepare(folder: Path) -> None:
    """Make our two folders, and keep git from taking in what may not be committed."""
    with _writing(folder):
        for own in (folder / "public", folder / "downloads"):
            own.mkdir(parents=True, exist_ok=True)
            (own / ".gitignore").write_text("*\n", encoding="utf-8")


def _replace(path: Path, lines: Iterable[str]) -> None:
    """Write ``path`` in one step: an interrupted call leaves the file that was there."""
    new = path.with_name(f"{path.name}.{os.getpid()}.new")
    with _writing(path):
        try:
            with new.open("w", encoding="utf-8", newline="\n") as file:
                file.writelines(lines)
            new.replace(path)
        finally:
            new.unlink(missing_ok=True)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise AmendsError(f"{path}: cannot be written ({error.strerror or error})") from error
