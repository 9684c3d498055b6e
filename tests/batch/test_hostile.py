"""Whatever stands in a cell: every cell comes back, every record gets its row, nothing is raised."""

from __future__ import annotations

import csv
import io
import json
import math
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from amends.cli import main
from amends.columns import schema

OUTPUTS = schema().names
NASTY = [
    "",
    " ",
    "NA",
    "null",
    "007",
    "1e5",
    "-0",
    "=1+1",
    "'",
    '"',
    '""',
    "a\nb",
    "a\r\nb",
    "a\rb",
    "a,b;c\td|e",
    "\x00",
    "\x1f",
    "\ufeff",
    "\u202e",
    "😀" * 9,
]
NASTY += ["<b>late</b>", "They lost my bag.", "_x0041_", "\u2028", "\x85", "\\", "\\N", "ü" * 300, "www.example.com", "{}", "[1]"]
cells = st.one_of(st.sampled_from(NASTY), st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
quick = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def tables(cell: st.SearchStrategy[Any], width: int = 3) -> st.SearchStrategy[list[list[Any]]]:
    return st.lists(st.lists(cell, min_size=width, max_size=width), min_size=1, max_size=8)


def run(source: Path, target: Path, *more: object) -> None:
    assert (
        main(["score", str(source), "-o", str(target), "--overwrite", "--quiet", "--text-column", "text", *map(str, more)]) == 0
    )


@quick
@given(
    tables(cells), st.sampled_from(["\n", "\r\n", "\r"]), st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]), st.integers(1, 4)
)
@example([["", "", ""]], "\n", csv.QUOTE_MINIMAL, 1)
def test_csv(tmp_path: Path, rows: list[list[str]], ending: str, quoting: int, chunk: int):
    text = io.StringIO()
    # Python before 3.13 does not quote a lone carriage return where records end in a line feed: quote all then.
    own = csv.QUOTE_ALL if any("\r" in cell or "\n" in cell for row in rows for cell in row) else quoting
    csv.writer(text, lineterminator=ending, quoting=own).writerows([["id", "text", "more"], *rows])
    source = tmp_path / "in.csv"
    source.write_bytes(text.getvalue().encode())
    run(source, tmp_path / "out.csv", "--chunk-size", chunk, "--delimiter", ",", "--encoding", "utf-8")
    with (tmp_path / "out.csv").open(newline="", encoding="utf-8") as file:
        header, *found = csv.reader(file)
    assert header == ["id", "text", "more", *OUTPUTS]
    assert [row[:3] for row in found] == rows


@quick
@given(tables(cells))
def test_xlsx(tmp_path: Path, rows: list[list[str]]):
    # Excel's own format has no code for U+FFFE and U+FFFF, and rows that are empty to the end do not exist in it.
    rows = [["x", *(cell.replace("\ufffe", "").replace("\uffff", "") for cell in row)] for row in rows]
    source = tmp_path / "in.parquet"
    names = ["x", "id", "text", "more"]
    pq.write_table(pa.table(dict(zip(names, zip(*rows, strict=True), strict=True))), source)
    run(source, tmp_path / "one.xlsx")
    run(tmp_path / "one.xlsx", tmp_path / "two.xlsx")
    for name in ("one.xlsx", "two.xlsx"):
        header, *found = CalamineWorkbook.from_path(str(tmp_path / name)).get_sheet_by_index(0).to_python()
        assert header == [*names, *OUTPUTS]
        assert [row[:4] for row in found] == rows


plain = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), st.sampled_from(NASTY))
values = st.recursive(
    plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3), max_leaves=6
)
# Keys of ours are another matter (`--overwrite`).
keys = st.one_of(st.sampled_from(["id", "text", "more"]), st.text(max_size=5)).filter(lambda key: not key.startswith("amends_"))


def same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float) and math.isnan(one):
        return math.isnan(other)
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and one == other


@quick
@given(st.lists(st.dictionaries(keys, values, max_size=4), max_size=6), st.booleans())
def test_jsonl(tmp_path: Path, records: list[dict[str, Any]], ascii_only: bool):
    records = [{"text": "The heating failed again."}, *records]
    source = tmp_path / "in.jsonl"
    lines = [json.dumps(record, ensure_ascii=ascii_only) for record in records]
    source.write_bytes("\n".join(lines).encode("utf-8", "surrogatepass"))
    run(source, tmp_path / "out.jsonl", "--chunk-size", 2, "--encoding", "utf-8")
    found = [json.loads(line) for line in (tmp_path / "out.jsonl").read_bytes().decode().split("\n")[:-1]]
    assert len(found) == len(records)
    for record, line, out in zip(records, lines, found, strict=True):
        if out["amends_status"] == "malformed":  # lone surrogates as bytes are no UTF-8
            with pytest.raises(UnicodeEncodeError):
                line.encode()
            continue
        kept = {key: value for key, value in out.items() if not key.startswith("amends_")}
        assert same(record, kept)
    for ending in ("csv", "parquet", "xlsx"):
        run(source, tmp_path / f"out.{ending}", "--encoding", "utf-8")
    assert pq.read_table(tmp_path / "out.parquet").num_rows == len(records)


@quick
@given(tables(st.one_of(st.none(), cells)))
def test_parquet(tmp_path: Path, rows: list[list[str | None]]):
    names = ["id", "text", "more"]
    columns = [pa.array(column, pa.string()) for column in zip(*rows, strict=True)]
    source = tmp_path / "in.parquet"
    pq.write_table(pa.table(dict(zip(names, columns, strict=True))), source)
    run(source, tmp_path / "out.parquet", "--chunk-size", 2)
    found = pq.read_table(tmp_path / "out.parquet")
    assert found.column_names == [*names, *OUTPUTS]
    assert [list(row) for row in zip(*(found.column(name).to_pylist() for name in names), strict=True)] == rows


@quick
@given(st.binary(max_size=300), st.sampled_from(["csv", "jsonl"]))
@example(b"\xff\xfe\x00", "csv")
@example(b'text\n\xff\xfe\x00,"', "csv")
@example(b"\xff\xfea\x00\x00\xd8", "csv")
def test_any_bytes(tmp_path: Path, data: bytes, ending: str):
    source = tmp_path / f"any.{ending}"
    source.write_bytes(data)
    code = main(["score", str(source), "-o", str(tmp_path / f"out.{ending}"), "--overwrite", "--quiet"])
    assert code in (0, 3)


def test_a_megabyte_in_a_cell(score, tmp_path: Path, files):
    big = "late " * 200_000
    source = files.write_csv(
        tmp_path / "big.csv", [["id", "text"], ["1", big], ["2", "x" * 1_000_000], ["3", "They ruined our wedding."]]
    )
    score(source, "--text-column", "text")
    rows = files.read_dicts(source.with_name("big.scored.csv"))
    assert [len(row["text"]) for row in rows[:2]] == [1_000_000, 1_000_000]
    assert rows[0]["amends_status"] == "truncated"
    assert rows[2]["amends_status"] == "ok"
