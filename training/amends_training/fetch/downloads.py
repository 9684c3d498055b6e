"""Downloads that are bounded, tried again when they break, and resumed where the server allows."""

from __future__ import annotations

import hashlib
import http.client
import json
import re
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from amends.errors import AmendsError, InputError, UsageError
from amends_training.fetch.files import writing

#: Told what is being done, how many bytes of it are done, and how many there are (None: not known).
Progress = Callable[[str, int, int | None], None]

_CHUNK = 1 << 18


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


USUAL = Limits()


def silent(what: str, done: int, total: int | None) -> None:
    """Show nothing."""


def shown(url: str) -> str:
    """Return an address as it may be shown: without user, password and query, which may hold a key."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def obtain(where: str, downloads: Path, limits: Limits, progress: Progress) -> Path:
    """Return the path of a local file as it is, and of an address what was downloaded from it."""
    if where.startswith(("https://", "http://")):
        name = re.sub(r"[^\w.-]+", "_", urlsplit(where).path.rpartition("/")[2])[-80:]
        return download(where, downloads / f"{hashlib.sha256(where.encode()).hexdigest()[:8]}-{name or 'file'}", limits, progress)
    if "://" in where:
        raise UsageError(f"{shown(where)}: only https and http addresses and paths of files are taken")
    path = Path(where).expanduser()
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    return path


def download(url: str, target: Path, limits: Limits = USUAL, progress: Progress = silent) -> Path:
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
    part = _Part(target.with_name(target.name + ".part"))
    failures, reached = 0, 0
    while True:
        try:
            _receive(url, part, limits, progress)
            break
        except _BrokenError as error:
            failures = 1 if part.size >= reached + (1 << 20) else failures + 1
            reached = max(part.size, reached)
            if failures >= limits.tries:
                kept = f"; {part.size:,} bytes are kept in {part.path}, the same command goes on from there"
                left = kept if part.size and part.note().validator else ""
                raise AmendsError(f"{shown(url)}: {error}, {failures} times in a row{left}") from error
            time.sleep(min(max(limits.pause * 2 ** (failures - 1), error.wait), 60.0))
    with writing(target):
        part.become(target)
    return target


class _BrokenError(Exception):
    """A try that failed and may succeed when made again, after ``wait`` seconds at least."""

    def __init__(self, reason: str, wait: float = 0.0) -> None:
        super().__init__(reason)
        self.wait = wait


@dataclass(frozen=True, slots=True)
class _Note:
    """What the server said of the file: a mark of its version (empty: none that is good for resuming), and its size."""

    validator: str = ""
    total: int | None = None


@dataclass(frozen=True, slots=True)
class _Part:
    """What has come of a file, with the note beside it, so that it is never continued with another version."""

    path: Path

    @property
    def size(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0

    @property
    def _beside(self) -> Path:
        return self.path.with_name(self.path.name + ".json")

    def note(self) -> _Note:
        try:
            return _Note(**json.loads(self._beside.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return _Note()

    def begin(self, note: _Note) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._beside.write_text(json.dumps(asdict(note)), encoding="utf-8")

    def drop(self) -> None:
        self.path.unlink(missing_ok=True)

    def become(self, target: Path) -> None:
        self.path.replace(target)
        self._beside.unlink(missing_ok=True)


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows a redirect to the web only, and never from https to http."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        if not newurl.startswith(("https://", "http://") if req.type == "http" else "https://"):
            fp.close()
            raise InputError(f"{shown(req.full_url)}: leads on to {shown(newurl)}, which is not taken for safety's sake")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _receive(url: str, part: _Part, limits: Limits, progress: Progress) -> None:
    """Make one try: append to ``part`` what is missing, or begin again where the server does not resume."""
    note = part.note()
    start = part.size if note.validator else 0
    headers = {"User-Agent": "amends-train", "Accept-Encoding": "identity"}
    if start:
        headers |= {"Range": f"bytes={start}-", "If-Range": note.validator}
    try:
        request = urllib.request.Request(url, headers=headers)  # noqa: S310 (`obtain` and `_Redirects` see to the scheme)
        with urllib.request.build_opener(_Redirects).open(request, timeout=limits.timeout) as response:
            _append(url, response, part, start, limits, progress)
    except urllib.error.HTTPError as error:
        with error:
            if error.code != 416 or not start:
                raise _refusal(url, error) from error
            if start != note.total:  # else all has come already
                part.drop()
                raise _BrokenError("the server's file changed") from error
    except urllib.error.URLError as error:
        if isinstance(error.reason, ssl.SSLCertVerificationError):
            raise InputError(f"{shown(url)}: its certificate cannot be trusted ({error.reason.verify_message})") from error
        raise _BrokenError(f"cannot be reached ({error.reason})") from error
    except (http.client.InvalidURL, UnicodeError) as error:
        raise InputError(f"{shown(url)}: not an address that can be asked for ({error})") from error
    except (http.client.HTTPException, OSError) as error:  # no OSError of the disk: `writing` turns those into another
        raise _BrokenError(f"the connection broke ({error or type(error).__name__})") from error


def _refusal(url: str, error: urllib.error.HTTPError) -> _BrokenError | InputError:
    """Return what an answer that is an error means: try again, or not."""
    answer = f"the server answered {error.code} {error.reason}"
    if error.code in (408, 425, 429) or error.code >= 500:
        after = error.headers.get("Retry-After") or ""
        return _BrokenError(answer, float(after) if after.isdigit() else 0.0)
    meaning = "there is no such file" if error.code in (404, 410) else answer
    return InputError(f"{shown(url)}: {meaning}; has it moved? Download it by hand and give its path")


def _append(url: str, response: Any, part: _Part, asked: int, limits: Limits, progress: Progress) -> None:
    """Write the body: behind the first ``asked`` bytes of ``part`` where the server sends what follows them, else from the start."""
    size, total = _span(response, part, asked)
    tag = response.headers.get("ETag") or ""
    validator = tag if tag.startswith('"') else response.headers.get("Last-Modified") or ""  # If-Range takes no weak tag
    validator = validator or (part.note().validator if size else "")  # an answer to If-Range need not repeat it
    what = f"downloading {urlsplit(url).path.rpartition('/')[2] or urlsplit(url).netloc}"
    with writing(part.path):
        part.begin(_Note(validator, total))
        file = part.path.open("ab" if size else "wb")
    with file:
        while max(size, total or 0) <= limits.download:
            progress(what, size, total)
            block = response.read(_CHUNK)
            if not block:
                break
            with writing(part.path):
                file.write(block)
                file.flush()
            size += len(block)
    if max(size, total or 0) > limits.download:
        part.drop()
        raise InputError(f"{shown(url)}: larger than {limits.download:,} bytes, which is more than the data has")
    if total is not None and size != total:
        if size > total:
            part.drop()
        raise _BrokenError(f"the connection ended after {size:,} of {total:,} bytes")


def _span(response: Any, part: _Part, asked: int) -> tuple[int, int | None]:
    """Return after how many bytes the body begins, and how many the file has."""
    if response.status != 206:
        length = response.headers.get("Content-Length", "")
        return 0, int(length) if length.isdigit() else None
    span = re.fullmatch(rf"bytes {asked}-\d+/(\d+|\*)", response.headers.get("Content-Range", ""))
    if span is None or not asked:
        part.drop()
        raise _BrokenError("the server sent another part than was asked for")
    return asked, None if span[1] == "*" else int(span[1])
