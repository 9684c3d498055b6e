"""Fetching against a server of our own: nothing here asks the publishers, and every text is invented."""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import json
import re
import threading
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from amends.errors import AmendsError, InputError, UsageError
from amends_training import fetch as fetching
from amends_training.corpora import read_lines, read_texts
from amends_training.fetch import NHS_PHASE_1, NHS_V6, FetchReport, Limits, download, fetch, take, write_fingerprints

FAST = Limits(timeout=5, tries=3, pause=0.001)
BOILER = "My boiler went cold on Monday.\nNobody rang me back, “twice”."
KETTLE = "The kettle I bought sings off key, and the till boy laughed."
LADDER = "A ladder was left in my porch for nine days."


@dataclass
class Page:
    """What the server answers under one path."""

    body: bytes
    tag: str = '"one"'
    ranges: bool = True
    length: bool = True
    repeats: bool = True
    location: str = ""
    #: For each coming answer in turn: how many bytes of the body until the line is cut, or a status in place of the answer.
    cuts: list[int] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)


class Server:
    """The pages, and what was asked: path and Range header."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.pages: dict[str, Page] = {}
        self.asked: list[tuple[str, str | None]] = []

    def put(self, path: str, body: bytes | str, **options: object) -> str:
        self.pages[path] = Page(body.encode() if isinstance(body, str) else body, **options)  # type: ignore[arg-type]
        return self.address + path


def handler(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def answer(self, status: int, headers: dict[str, str], body: bytes, length: int | None) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if length is not None:
                self.send_header("Content-Length", str(length))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(body)
            self.close_connection = True

        def do_GET(self) -> None:
            asked = self.headers.get("Range")
            server.asked.append((self.path, asked))
            page = server.pages.get(self.path)
            if page is None:
                return self.answer(404, {}, b"", 0)
            if page.statuses and (status := page.statuses.pop(0)) != 200:
                return self.answer(status, {"Retry-After": "0"}, b"", 0)
            if page.location:
                return self.answer(302, {"Location": page.location}, b"", 0)
            body, status, headers = page.body, 200, {"ETag": page.tag} if page.tag else {}
            if asked and page.ranges and self.headers.get("If-Range") == page.tag:
                start = int(asked.removeprefix("bytes=").rstrip("-"))
                if start >= len(body):
                    return self.answer(416, {"Content-Range": f"bytes */{len(body)}"}, b"", 0)
                headers["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
                body, status = body[start:], 206
                headers = headers if page.repeats else {"Content-Range": headers["Content-Range"]}
            sent = body[: page.cuts.pop(0)] if page.cuts else body
            return self.answer(status, headers, sent, len(body) if page.length else None)

    return Handler


@pytest.fixture
def server() -> Iterator[Server]:
    holder = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    own = Server(f"http://127.0.0.1:{holder.server_port}")
    holder.RequestHandlerClass = handler(own)
    thread = threading.Thread(target=holder.serve_forever, args=(0.01,))
    thread.start()
    yield own
    holder.shutdown()
    thread.join()
    holder.server_close()


def table(*rows: Sequence[object], delimiter: str = ",") -> str:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter).writerows(rows)
    return text.getvalue()


V6 = table(
    ["Comment ID", "Trust", "Service type 1", "FFT categorical answer", "FFT question", "FFT answer", "Person identifiable info?",
     "Comment sentiment", "Cold, heat & draughts", "Being rung back", "Parking"],
    ["AB 7 - Q1", "AB", "Boilers", "5", "Why?", BOILER.replace("\n", "\r\n") + " ", "", "4.0", "1.0", "1", ""],
    ["AB 8 - Q1", "AB", "", "1", "Why?", "Did not answer", "", "", "", "", ""],
)  # fmt: skip
PHASE_1 = table(
    ["code", "label", "subcategory", "feedback", "criticality", "organization", "question", "row_index"],
    ["xx", "Things", "Sound ", f"  {KETTLE}", "-3", "Trust Z", "Trust Z - Q1", 41],
    ["xx", "Things", "Sound ", "Another matter.", "-3", "Trust Y", "Trust Y - Q1", 41],
)  # fmt: skip
CFPB = table(
    ["Complaint ID", "Consumer complaint narrative"],
    [10, "Nobody labelled this one about a lost umbrella."],
    [11, LADDER],
    [12, ""],
)
IDS = ("cfpb:11", "nhs_pe:v6:AB 7 - Q1", "cfpb:12", "nhs_pe:p1:TrustZ:41")


@pytest.fixture(autouse=True)
def short_fields() -> Iterator[None]:
    """The csv module's own bound, which batch scoring widens for its whole process."""
    before = csv.field_size_limit(1 << 17)
    yield
    csv.field_size_limit(before)


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    path = tmp_path / "labels.jsonl"
    path.write_text("".join(json.dumps({"id": key}) + "\n" for key in IDS), encoding="utf-8")
    return path


class Fetcher:
    """Calls `fetch` with the fixtures' labels, without digests unless they are given."""

    def __init__(self, folder: Path, labels: Path, server: Server) -> None:
        self.folder, self.labels, self.server = folder, labels, server
        server.put(f"/{NHS_V6}", V6)
        server.put(f"/{NHS_PHASE_1}", PHASE_1)

    def __call__(self, archive: str | None, metadata: str | None = None, **options: object) -> FetchReport:
        known = {"labels": self.labels, "fingerprints": self.folder / "none.tsv", "limits": FAST, "nhs_base": self.server.address}
        return fetch(self.folder, cfpb_archive=archive, cfpb_metadata=metadata, **{**known, **options})  # type: ignore[arg-type]

    def records(self, name: str) -> dict[str, dict[str, object]]:
        return {key: dict(row) for key, row in read_texts([self.folder / "public" / f"{name}.jsonl"]).items()}


@pytest.fixture
def fetcher(tmp_path: Path, labels: Path, server: Server) -> Fetcher:
    return Fetcher(tmp_path / "text", labels, server)


# -------------------------------------------------------------------------------------------------- what is in the files
def test_nhs_ids_texts_and_meta_follow_from_the_published_rows(fetcher: Fetcher) -> None:
    report = fetcher(None)
    records = fetcher.records("nhs")
    assert list(records) == ["nhs_pe:v6:AB 7 - Q1", "nhs_pe:p1:TrustZ:41"]
    assert records["nhs_pe:v6:AB 7 - Q1"] == {
        "id": "nhs_pe:v6:AB 7 - Q1",
        "sector": "healthcare",
        "lang": "en",
        "text": BOILER,
        "meta": {
            "comment_id": "AB 7 - Q1",
            "trust": "AB",
            "service": "Boilers",
            "fft_score_1good_5poor": "5",
            "question": "Why?",
            "sentiment_1pos_5neg": "4",
            "framework_labels": ["Cold, heat & draughts", "Being rung back"],
            "source_set": "FFT phase 2",
        },
    }
    assert records["nhs_pe:p1:TrustZ:41"]["text"] == KETTLE
    assert records["nhs_pe:p1:TrustZ:41"]["meta"] == {
        "organization": "Trust Z",
        "question": "Trust Z - Q1",
        "criticality_-5neg_5pos": "-3",
        "label": "Things",
        "subcategory": "Sound ",
        "source_set": "FFT phase 1",
    }
    assert report.skipped == ("cfpb",)
    assert "cfpb: not fetched; give the narratives archive with --cfpb-archive" in report.summary()
    assert not (fetcher.folder / "public" / "cfpb.jsonl").exists()


def test_only_labelled_narratives_are_kept_and_the_missing_are_named(fetcher: Fetcher) -> None:
    report = fetcher(fetcher.server.put("/archive.csv", CFPB))
    assert fetcher.records("cfpb") == {
        "cfpb:11": {"id": "cfpb:11", "sector": "banking_finance", "lang": "en", "text": LADDER, "meta": {"complaint_id": "11"}}
    }
    cfpb = report.sources[1]
    assert (cfpb.wanted, cfpb.found, cfpb.missing, cfpb.unknown, cfpb.characters) == (2, 1, ("cfpb:12",), 1, len(LADDER))
    assert "cfpb: 1 of 2 labelled texts" in report.summary()
    assert "missing: cfpb:12" in report.summary()
    written = json.loads((fetcher.folder / "public" / "fetched.json").read_text(encoding="utf-8"))
    assert written["cfpb"]["digest"] == cfpb.digest
    assert written["nhs"]["found"] == 2


def zipped(**files: str) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name.replace("__", "/").replace("_csv", ".csv"), text)
    return data.getvalue()


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(CFPB.encode("utf-8-sig"), id="byte order mark"),
        pytest.param(gzip.compress(CFPB.encode()), id="gzip"),
        pytest.param(zipped(a__readme="Hello", a__columns_csv="column,meaning\r\nid,number\r\n", a__data_csv=CFPB), id="zip"),
        pytest.param(zipped(one_csv=CFPB.replace("11", "13"), two_csv=CFPB), id="zip of two"),
        pytest.param(table(["narrative", "complaint_id"], [LADDER, " 11.0 "]), id="other names"),
        pytest.param(table(["date", "complaint_id", "complaint_what_happened"], ["x", 11, LADDER], delimiter="\t"), id="tabs"),
        pytest.param("Complaint ID,State,Narrative\n10\n\n9,\n11,UT," + LADDER, id="short rows, no last newline"),
    ],
)
def test_the_archive_may_come_in_any_usual_form(fetcher: Fetcher, body: bytes | str) -> None:
    fetcher(fetcher.server.put("/some/archive", body))
    assert fetcher.records("cfpb")["cfpb:11"]["text"] == LADDER


def test_bytes_that_are_no_utf8_are_read_as_windows_1252(fetcher: Fetcher) -> None:
    fetcher(fetcher.server.put("/archive", CFPB.replace(LADDER, "The café’s bill").encode("cp1252")))
    assert fetcher.records("cfpb")["cfpb:11"]["text"] == "The café’s bill"


def test_metadata_is_joined_by_id_and_changes_no_text(fetcher: Fetcher) -> None:
    live = table(
        ["Date received", "Product", "Sub-product", "Company response to consumer", "Timely response?", "Complaint ID"],
        ["2020-01-02", "Loan", "", "Closed", "Yes", 10],
        ["2020-01-03", "Ladders", "", "Closed", "Yes", 11],
    )
    plain = fetcher(fetcher.server.put("/archive", CFPB)).sources[1]
    joined = fetcher(fetcher.server.put("/archive", CFPB), fetcher.server.put("/live.zip", zipped(live_csv=live))).sources[1]
    meta = {"complaint_id": "11", "product": "Ladders", "company_response": "Closed", "timely": "Yes", "date": "2020-01-03"}
    assert fetcher.records("cfpb")["cfpb:11"]["meta"] == meta
    assert joined.digest == plain.digest


def test_local_files_stand_in_for_addresses(fetcher: Fetcher, tmp_path: Path) -> None:
    for place, text in ((NHS_V6, V6), (NHS_PHASE_1, PHASE_1), ("archive.csv", CFPB)):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_text(text, encoding="utf-8", newline="")
    report = fetcher(str(tmp_path / "archive.csv"), nhs_base=f"{tmp_path}/")
    assert [one.found for one in report.sources] == [2, 1]
    assert fetcher.server.asked == []


def test_texts_are_compared_with_those_that_were_labelled(fetcher: Fetcher, labels: Path, tmp_path: Path) -> None:
    archive = fetcher.server.put("/archive", CFPB)
    fetcher(archive)
    known = tmp_path / "known.tsv"
    assert write_fingerprints(fetcher.folder, known, labels) == 3
    assert LADDER not in known.read_text(encoding="utf-8")
    assert [(one.same, one.alike, one.different) for one in fetcher(archive, fingerprints=known).sources] == [
        (2, 0, 0),
        (1, 0, 0),
    ]
    spaced = fetcher(fetcher.server.put("/spaced", CFPB.replace("A ladder was", "a  LADDER was")), fingerprints=known)
    assert [(one.same, one.alike, one.different) for one in spaced.sources] == [(2, 0, 0), (0, 1, 0)]
    other = fetcher(fetcher.server.put("/other", CFPB.replace("nine days", "ten days")), fingerprints=known)
    assert "0 as labelled, 0 but for case and white space, 1 different" in other.summary()
    both = table(["id", "narrative"], [11, "Something else"], [11, LADDER.upper()], [11, LADDER], [11, "And again"])
    assert fetcher(fetcher.server.put("/both", both), fingerprints=known).sources[1].alike == 1  # settled: reads no further


def test_reading_ends_once_all_labelled_ids_are_there(fetcher: Fetcher) -> None:
    beyond = [10, "x" * 300_000]  # more than the csv module takes in one field: an error if it were read
    fetcher(fetcher.server.put("/archive", table(["id", "narrative"], [11, LADDER], [12, "Short."], beyond)))
    assert len(fetcher.records("cfpb")) == 2


# -------------------------------------------------------------------------------------------------------- what goes wrong
BURSTING = "id,narrative\n" + "10,Not labelled.\n" * 40_000  # 640,000 bytes


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (table(["State", "Product"], ["UT", "Loan"]), "needs columns “complaint_id” and “consumer_complaint_narrative”; its first line has State, Product"),
        ("", "its first line has none"),
        ("<!DOCTYPE html><html>", "a web page, not the file itself"),
        (table(["id", "narrative"], [1, "No such id."]), "has none of the labelled ids"),
        (gzip.compress(CFPB.encode())[:-20], "damaged"),
        (zipped(data_csv=CFPB)[:-30], "damaged"),
        (zipped(readme="Hello"), "no CSV file in it, but readme"),
        (zipped(data_csv="State\r\nUT\r\n"), r"archive \(data.csv\): needs columns"),
        ("id,narrative\n" + "x" * (1 << 20), "a line of more than"),
        (table(["id", "narrative"], [1, "x" * 200_000]), "not a CSV file as expected"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_used_says_so_and_leaves_what_was_there(fetcher: Fetcher, body: bytes | str, message: str) -> None:
    fetcher(fetcher.server.put("/good", CFPB))
    with pytest.raises(InputError, match=message):
        fetcher(fetcher.server.put("/archive", body))
    assert fetcher.records("cfpb")["cfpb:11"]["text"] == LADDER
    assert not list(fetcher.folder.rglob("*.new"))


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(BURSTING * 2, id="plain"),
        pytest.param(gzip.compress(BURSTING.encode() * 2), id="gzip"),
        pytest.param(zipped(data_csv=BURSTING * 2), id="zip"),
        pytest.param(zipped(a_csv=BURSTING, b_csv=BURSTING), id="zip of two that share the budget"),
    ],
)
def test_an_archive_that_bursts_is_refused(fetcher: Fetcher, body: bytes | str) -> None:
    with pytest.raises(InputError, match="more than 1,000,000 bytes unpacked"):
        fetcher(fetcher.server.put("/archive", body), limits=Limits(expanded=1_000_000, tries=1))


def test_a_missing_page_is_told_at_once_without_its_key(fetcher: Fetcher) -> None:
    with pytest.raises(InputError, match=r"/gone\.csv: there is no such file; has it moved") as caught:
        fetcher(f"{fetcher.server.address}/gone.csv?key=secret")
    assert "secret" not in str(caught.value)
    assert [path for path, _ in fetcher.server.asked if "gone" in path] == ["/gone.csv?key=secret"]


@pytest.mark.parametrize("where", ["ftp://127.0.0.1/a.csv", "file:///etc/passwd"])
def test_only_the_web_is_asked(fetcher: Fetcher, where: str) -> None:
    with pytest.raises(UsageError, match="only https and http"):
        fetcher(where)
    with pytest.raises(InputError, match=r"leads on to ftp://|not allowed"):
        fetcher(fetcher.server.put("/moved", "", location=where))


def test_a_redirect_is_followed(fetcher: Fetcher) -> None:
    fetcher.server.put("/new", CFPB)
    fetcher(fetcher.server.put("/old", "", location="/new"))
    assert "cfpb:11" in fetcher.records("cfpb")


def test_arguments_that_cannot_be_meant(fetcher: Fetcher, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="alone has no text"):
        fetcher(None, "live.csv")
    with pytest.raises(InputError, match=r"nowhere\.csv: no such file"):
        fetcher(str(tmp_path / "nowhere.csv"))
    with pytest.raises(InputError, match="not an address"):
        fetcher("http://127.0.0.1:1/näh")


def test_a_folder_that_cannot_be_written(fetcher: Fetcher) -> None:
    fetcher.folder.write_text("a file", encoding="utf-8")
    with pytest.raises(AmendsError, match="cannot be written"):
        fetcher(None)


def test_git_takes_in_nothing_that_was_fetched(fetcher: Fetcher) -> None:
    fetcher(None)
    assert {one.parent.name for one in fetcher.folder.rglob(".gitignore")} == {"public", "downloads"}


# ----------------------------------------------------------------------------------------------------------- downloads
BODY = bytes(range(256)) * 4096  # a mebibyte


def test_a_broken_download_goes_on_where_it_broke(server: Server, tmp_path: Path) -> None:
    steps: list[tuple[int, int | None]] = []
    target = tmp_path / "file"
    url = server.put("/file", BODY, cuts=[300_000])
    assert download(url, target, FAST, lambda _, done, total: steps.append((done, total))) == target
    assert target.read_bytes() == BODY
    assert server.asked == [("/file", None), ("/file", "bytes=300000-")]
    assert steps == sorted(steps)
    assert steps[-1] == (len(BODY), len(BODY))
    assert [one.name for one in tmp_path.iterdir()] == ["file"]
    download(url, target, FAST)
    assert len(server.asked) == 2


def test_a_part_keeps_its_tag_where_the_server_does_not_repeat_it(server: Server, tmp_path: Path) -> None:
    url = server.put("/file", BODY, cuts=[300_000, 300_000], repeats=False)
    assert download(url, tmp_path / "file", FAST).read_bytes() == BODY
    assert [span for _, span in server.asked] == [None, "bytes=300000-", "bytes=600000-"]


@pytest.mark.parametrize("ending", ["resumed", "changed", "complete"])
def test_a_later_call_goes_on_too_unless_the_file_changed(server: Server, tmp_path: Path, ending: str) -> None:
    url, target = server.put("/file", BODY, cuts=[1000]), tmp_path / "file"
    with pytest.raises(AmendsError, match=r"the connection ended after 1,000 of 1,048,576 bytes.*goes on from there"):
        download(url, target, Limits(tries=1))
    assert not target.exists()
    body = BODY
    if ending == "changed":
        body = BODY[::-1]
        server.put("/file", body, tag='"two"')
    elif ending == "complete":  # stopped between the last byte and the renaming
        (tmp_path / "file.part").write_bytes(BODY)
    download(url, target, FAST)
    assert target.read_bytes() == body
    assert server.asked[1][1] == f"bytes={len(BODY) if ending == 'complete' else 1000}-"


@pytest.mark.parametrize("options", [{"ranges": False}, {"tag": ""}, {"tag": 'W/"weak"'}])
def test_a_server_that_does_not_resume_is_asked_for_the_whole_again(
    server: Server, tmp_path: Path, options: dict[str, object]
) -> None:
    url = server.put("/file", BODY, cuts=[300_000], **options)
    assert download(url, tmp_path / "file", FAST).read_bytes() == BODY
    assert len(server.asked) == 2


def test_many_breaks_are_borne_while_there_is_progress(server: Server, tmp_path: Path) -> None:
    body = BODY * 5
    url = server.put("/file", body, cuts=[len(BODY) + 1] * 4)
    assert download(url, tmp_path / "file", Limits(tries=2, pause=0.001)).read_bytes() == body


def test_a_busy_server_is_asked_again_and_given_up_in_the_end(server: Server, tmp_path: Path) -> None:
    url = server.put("/file", BODY, statuses=[503, 429])
    assert download(url, tmp_path / "file", FAST).read_bytes() == BODY
    with pytest.raises(AmendsError, match=r"the server answered 500 Internal Server Error, 3 times in a row$"):
        download(server.put("/down", BODY, statuses=[500] * 9), tmp_path / "down", FAST)
    assert [path for path, _ in server.asked].count("/down") == 3


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(AmendsError, match="cannot be reached") as caught:
        download("http://127.0.0.1:9/file", tmp_path / "file", Limits(tries=2, pause=0.001))
    assert caught.value.exit_code == 1


@pytest.mark.parametrize("length", [True, False])
def test_a_file_over_the_limit_is_refused(server: Server, tmp_path: Path, length: bool) -> None:
    url = server.put("/file", BODY, length=length)
    with pytest.raises(InputError, match="larger than 500,000 bytes"):
        download(url, tmp_path / "file", Limits(download=500_000, tries=1))
    assert not (tmp_path / "file").exists()
    assert not (tmp_path / "file.part").exists()


# -------------------------------------------------------------------------------------------------- from a local folder
def local(folder: Path, **files: Sequence[object]) -> Path:
    (folder / "public").mkdir(parents=True)
    for name, rows in files.items():
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / "public" / f"{name}.jsonl").write_text(text, encoding="utf-8")
    return folder


def test_labelled_records_are_taken_from_a_folder(tmp_path: Path, labels: Path) -> None:
    rows = [{"id": "cfpb:11", "text": LADDER, "meta": {"a": 1}, "more": 2}, {"id": "cfpb:99", "text": "Not labelled."}]
    source, folder = local(tmp_path / "source", cfpb=rows), tmp_path / "text"
    report = take(folder, source, labels=labels, fingerprints=tmp_path / "none")
    assert [(one.name, one.wanted, one.found) for one in report.sources] == [("cfpb", 2, 1)]
    assert report.skipped == ("nhs",)
    assert json.loads((folder / "public" / "cfpb.jsonl").read_text(encoding="utf-8")) == {
        "id": "cfpb:11", "sector": "banking_finance", "lang": "en", "text": LADDER, "meta": {"a": 1}
    }  # fmt: skip
    again = take(tmp_path / "again", source / "public", labels=labels, fingerprints=tmp_path / "none")
    assert again.sources[0].digest == report.sources[0].digest


def test_half_a_character_is_written_and_read_again(tmp_path: Path, labels: Path) -> None:
    source = local(tmp_path / "source", cfpb=[{"id": "cfpb:11", "text": "a \ud83d b"}, {"id": "cfpb:12", "text": "é"}])
    take(tmp_path / "text", source, labels=labels)
    texts = read_texts([tmp_path / "text" / "public" / "cfpb.jsonl"])
    assert [row["text"] for row in texts.values()] == ["a \ud83d b", "é"]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"id": "cfpb:11", "text": "One."}, {"id": "cfpb:11", "text": "Two."}], "line 2: another text for cfpb:11"),
        ([{"id": "cfpb:11"}], "line 1: not a record with `id` and `text`"),
        ([{"id": "cfpb:11", "text": " "}], "line 1: not a record"),
        ([["cfpb:11"]], "line 1: not a JSON object but list"),
        ([{"id": "cfpb:11", "text": "One.", "meta": []}], "`meta` should be an object"),
        ([{"id": "cfpb:99", "text": "One."}], "none of the labelled ids"),
    ],
)
def test_a_folder_is_checked(tmp_path: Path, labels: Path, rows: Sequence[object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        take(tmp_path / "text", local(tmp_path / "source", cfpb=rows), labels=labels)


def test_a_folder_without_text_and_the_folder_itself(tmp_path: Path, labels: Path) -> None:
    with pytest.raises(InputError, match=r"neither public/nhs\.jsonl nor public/cfpb\.jsonl"):
        take(tmp_path / "text", tmp_path, labels=labels)
    source = local(tmp_path / "source", cfpb=[{"id": "cfpb:11", "text": "One."}, {"id": "cfpb:99", "text": "Two."}])
    with pytest.raises(UsageError, match="only labelled records would be left"):
        take(source, source, labels=labels)


def test_a_report_keeps_what_an_earlier_call_said(fetcher: Fetcher) -> None:
    fetcher(fetcher.server.put("/archive", CFPB))
    fetcher(None)
    assert json.loads((fetcher.folder / "public" / "fetched.json").read_text(encoding="utf-8")).keys() == {"nhs", "cfpb"}


# --------------------------------------------------------------------------------------------------------- command line
def command(*words: object) -> int:
    parser = argparse.ArgumentParser()
    fetching.add_arguments(parser)
    return fetching.run(parser.parse_args([str(word) for word in words]))


def test_the_command_takes_real_labels(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key = next(row["id"] for _, row in read_lines(fetching.LABELS) if row["id"].startswith("cfpb:"))
    source = local(tmp_path / "source", cfpb=[{"id": key, "text": "Invented."}])
    assert command(tmp_path / "text", "--from", source) == 0
    assert re.search(r"^cfpb: 1 of \d+ labelled texts, .*cfpb.jsonl, digest \w{12}$", capsys.readouterr().out, re.MULTILINE)
    with pytest.raises(UsageError, match="leave out --cfpb-archive"):
        command(tmp_path / "text", "--from", source, "--cfpb-archive", "archive.csv")


def test_the_command_asks_the_server(tmp_path: Path, server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    ids = [row["id"] for _, row in read_lines(fetching.LABELS)]
    v6 = next(one for one in ids if one.startswith("nhs_pe:v6:")).removeprefix("nhs_pe:v6:")
    _, _, trust, row = next(one for one in ids if one.startswith("nhs_pe:p1:")).split(":")
    server.put(f"/{NHS_V6}", V6.replace("AB 7 - Q1", v6))
    server.put(f"/{NHS_PHASE_1}", PHASE_1.replace("Trust Z", trust.replace("Trust", "Trust ")).replace(",41", f",{row}"))
    assert command(tmp_path / "text", "--nhs-base", server.address) == 0
    said = capsys.readouterr()
    assert "nhs: 2 of " in said.out
    assert said.err == ""
