"""Every format in, every format out: the input's cells come back as they were, the output columns beside them."""

from __future__ import annotations

import datetime as dt
import gzip
import json
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from amends.columns import schema

OUTPUTS = schema().names


def test_csv_beside_its_input(score, tickets: Path, files):
    result = score(tickets)
    header, *rows = files.read_csv(tickets.with_name("tickets.scored.csv"))
    assert header == ["ticket", "narrative", *OUTPUTS]
    assert [row[:2] for row in rows] == [[f"00{i}", text] for i, text in enumerate(files.complaints)]
    assert "text column: 'narrative'" in result.err
    first = dict(zip(header, rows[0], strict=True))
    assert first["amends_status"] == "ok"
    assert first["amends_complaint"] == "1"
    assert 0 < float(first["amends_strategy_confidence"]) <= 1
    for spans in json.loads(first["amends_evidence"]).values():
        assert all(0 <= start < end <= len(files.complaints[0]) for start, end, _ in spans)
    left = sorted(path.name for path in tickets.parent.iterdir())
    assert left == [".tickets.scored.csv.done", "tickets.csv", "tickets.scored.csv"]  # no work is left over


def test_no_evidence(score, tickets: Path, files):
    score(tickets, "--no-evidence")
    header = files.read_csv(tickets.with_name("tickets.scored.csv"))[0]
    assert header == ["ticket", "narrative", *schema(evidence=False).names]


@pytest.mark.parametrize("ending", ["csv", "tsv", "jsonl", "parquet", "xlsx", "csv.gz", "jsonl.zst"])
def test_each_output_says_the_same(score, tickets: Path, files, ending: str):
    output = tickets.with_name(f"out.{ending}")
    score(tickets, "-o", output)
    score(output, "-o", tickets.with_name("again.csv"), "--overwrite")
    score(tickets, "-o", tickets.with_name("once.csv"))
    once, again = files.read_dicts(tickets.with_name("once.csv")), files.read_dicts(tickets.with_name("again.csv"))
    assert once == again


def test_same_bytes_each_time(score, tickets: Path):
    for ending in ("xlsx", "parquet", "csv.gz", "csv.zst"):
        one, two = tickets.with_name(f"one.{ending}"), tickets.with_name(f"two.{ending}")
        score(tickets, "-o", one)
        score(tickets, "-o", two)
        assert one.read_bytes() == two.read_bytes(), ending


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_compressed_inputs(score, tickets: Path, files, compression: str):
    packed = tickets.with_name("packed.csv" + {"gzip": ".gz", "zstd": ".zst"}[compression])
    with pa.CompressedOutputStream(str(packed), compression) as file:
        file.write(tickets.read_bytes())
    score(packed)
    score(tickets)
    scored = packed.with_name("packed.scored" + "".join(packed.suffixes))
    with pa.input_stream(str(scored), compression=compression) as file:
        assert file.read() == tickets.with_name("tickets.scored.csv").read_bytes()


def test_damaged_gzip(amends, tickets: Path):
    packed = tickets.with_name("packed.csv.gz")
    packed.write_bytes(gzip.compress(tickets.read_bytes())[:-20])
    result = amends("score", packed)
    assert result.code == 3
    assert "damaged or cut off" in result.err


def test_jsonl_records_stay_byte_for_byte(score, tmp_path: Path, files):
    lines = [
        '{"id": 1.50, "text":"They never came back to me.", "big": 123456789012345678901234567890, "id": 2}',
        '{"text": "The room was dirty and cold.", "tags": ["a", {"b": null}], "more": true}',
        "{}",
        '  {"text": "lone \\ud83d surrogate, nobody helped", "e": 1e5}  ',
    ]
    source = tmp_path / "a.jsonl"
    source.write_text("\n".join(lines))
    score(source, "--text-column", "text")
    scored = source.with_name("a.scored.jsonl").read_text().splitlines()
    assert [line.split(', "amends_status"')[0] for line in (scored[0], scored[1], scored[3])] == [
        line.strip()[:-1] for line in (lines[0], lines[1], lines[3])
    ]
    assert [json.loads(line)["amends_status"] for line in scored] == ["ok", "ok", "empty", "ok"]
    assert list(json.loads(scored[2])) == OUTPUTS


def test_ragged_jsonl_to_columns(score, tmp_path: Path, files):
    records = [
        {"text": "Nobody ever called me back.", "n": 1, "flag": True},
        {"n": 2.5, "text": "The bill was wrong again.", "late": {"deep": [1, "ü"]}},
        {"text": None, "n": None, "mixed": "x"},
        {"text": "They lost my bag.", "mixed": 7},
    ]
    source = files.write_jsonl(tmp_path / "r.jsonl", records)
    score(source, "-o", tmp_path / "r.csv", "--chunk-size", 1)
    rows = files.read_dicts(tmp_path / "r.csv")
    assert list(rows[0])[:5] == ["text", "n", "flag", "late", "mixed"]
    assert [row["n"] for row in rows] == ["1", "2.5", "", ""]
    assert json.loads(rows[1]["late"]) == {"deep": [1, "ü"]}
    score(source, "-o", tmp_path / "r.parquet", "--chunk-size", 1)
    table = pq.read_table(tmp_path / "r.parquet")
    assert table.column("n").to_pylist() == [1.0, 2.5, None, None]
    assert table.column("flag").type == pa.bool_()
    assert table.column("mixed").to_pylist() == [None, None, "x", "7"]


def test_parquet_keeps_types(score, tmp_path: Path, files):
    table = pa.table(
        {
            "id": pa.array([1, 2, None], pa.int32()),
            "nested": [{"a": [1, 2]}, None, {"a": []}],
            "kind": pa.array(["x", "y", "x"]).dictionary_encode(),
            "when": pa.array([dt.datetime(2024, 5, 1, 12, tzinfo=dt.UTC)] * 3, pa.timestamp("us", tz="UTC")),
            "body": pa.array(["They ignored my letters.", None, "Broken on arrival, no refund."], pa.large_string()),
            "bytes": [b"\xff", b"a", None],
            "minus": ["-1", "=1+1", "x"],
        }
    ).replace_schema_metadata({"own": "kept"})
    source = tmp_path / "t.parquet"
    pq.write_table(table, source, row_group_size=2)
    score(source, "--id-column", "id")
    scored = pq.read_table(tmp_path / "t.scored.parquet")
    assert scored.select(table.column_names).equals(table)
    assert [field.type for field in scored.schema][:7] == [field.type for field in table.schema]
    assert scored.schema.metadata[b"own"] == b"kept"
    assert scored.schema.metadata[b"amends_text_column"] == b"body"
    assert scored.schema.metadata[b"amends_id_column"] == b"id"
    assert scored.column("amends_status").to_pylist() == ["ok", "empty", "ok"]
    assert str(scored.schema.field("amends_strategy").type).startswith("dictionary<values=string")

    score(source, "-o", tmp_path / "t.csv", "--spreadsheet-safe")
    rows = files.read_dicts(tmp_path / "t.csv")
    assert [row["minus"] for row in rows] == ["'-1", "'=1+1", "x"]
    assert json.loads(rows[0]["nested"]) == {"a": [1, 2]}
    assert rows[0]["when"] == "2024-05-01T12:00:00+00:00"
    score(source, "-o", tmp_path / "t.jsonl")
    assert files.read_jsonl(tmp_path / "t.jsonl")[0]["nested"] == {"a": [1, 2]}
    score(source, "-o", tmp_path / "t.xlsx")


def test_xlsx_types_sheets_and_formulas(score, tmp_path: Path, files):
    when = dt.datetime.fromisoformat("2024-02-29T13:30:00")
    rows = [
        ["No", "Date", "Message", "Paid", "Rate", None],
        [1, when, "=nobody answered me, twice", True, 0.25, None],
        [None, None, None, None, None, None],
        [3, dt.date(2024, 3, 1), "The driver shouted at my mother.", False, 7, "beyond"],
    ]
    source = files.write_xlsx(tmp_path / "book.xlsx", {"Read me": [["x"], [1]], "Data": rows, "Other": rows[:2]})
    book = openpyxl.load_workbook(source)
    book["Data"]["C2"].data_type = "s"
    book["Data"].merge_cells("A2:A3")
    book.save(source)
    result = score(source)
    assert "'Data'" in result.err
    scored = openpyxl.load_workbook(tmp_path / "book.scored.xlsx")
    sheet = scored.active
    cells = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert cells[0][:5] == rows[0][:5]
    assert cells[1][:6] == [1, when, "=nobody answered me, twice", True, 0.25, None]
    assert cells[2][:6] == [None] * 6
    assert cells[3][:6] == [3, dt.datetime.fromisoformat("2024-03-01"), "The driver shouted at my mother.", False, 7, "beyond"]
    assert [row[6] for row in cells] == ["amends_status", "ok", "empty", "ok"]
    assert sheet["C2"].data_type == "s"  # text, not a formula
    assert {p.name: p.value for p in scored.custom_doc_props.props}["amends_text_column"] == "Message"

    score(source, "-o", tmp_path / "book.parquet")
    table = pq.read_table(tmp_path / "book.parquet")
    assert table.column("No").to_pylist() == [1, None, 3]
    assert table.column("Date").to_pylist() == [when, None, dt.datetime.fromisoformat("2024-03-01")]


def test_xlsx_sheet_is_chosen(amends, score, tmp_path: Path, files):
    rows = [["text"], ["They never answered my letter."]]
    source = files.write_xlsx(tmp_path / "b.xlsx", {"One": rows, "Two": [*rows, ["Late again, and rude staff."]]})
    score(source, "--sheet", "Two", "-o", tmp_path / "two.csv")
    assert len(files.read_csv(tmp_path / "two.csv")) == 3
    result = amends("score", source, "--sheet", "Three")
    assert result.code == 3
    assert "One, Two" in result.err


def test_xlsx_cells_are_cut_at_its_limit(score, tmp_path: Path, files):
    long = "late 😀 " * 6000
    source = files.write_csv(tmp_path / "long.csv", [["text"], [long]])
    result = score(source, "-o", tmp_path / "long.xlsx", "--summary", tmp_path / "s.json")
    assert "1 cells were longer" in result.err
    cell = openpyxl.load_workbook(tmp_path / "long.xlsx").active["A2"].value
    assert long.startswith(cell)
    assert 32_766 <= len(cell.encode("utf-16-le")) // 2 <= 32_767
    assert json.loads((tmp_path / "s.json").read_text())["cut_cells"] == 1


def test_xlsx_rows_beyond_its_limit(amends, tmp_path: Path):
    source = tmp_path / "many.parquet"
    pq.write_table(pa.table({"text": pa.repeat("nobody answered", 1_048_576)}), source)
    result = amends("score", source, "-o", tmp_path / "many.xlsx")
    assert result.code == 3
    assert "1,048,575" in result.err
    assert "CSV or Parquet" in result.err


def test_not_what_the_ending_says(amends, tmp_path: Path):
    for name in ("a.parquet", "a.xlsx"):
        (tmp_path / name).write_text("text\nnobody answered me\n")
        result = amends("score", tmp_path / name)
        assert result.code == 3, result.err
        assert "nobody" not in result.err


def test_equal_names(score, tmp_path: Path, files):
    rows = [["a", "a", "text", ""], ["1", "2", "They broke my window.", "x"]]
    source = files.write_csv(tmp_path / "equal.csv", rows)
    score(source)
    assert [row[:4] for row in files.read_csv(tmp_path / "equal.scored.csv")] == rows
    score(source, "-o", tmp_path / "equal.parquet")
    assert pq.read_table(tmp_path / "equal.parquet").column_names[:4] == ["a", "a_2", "text", "column"]


def test_spreadsheet_safe(score, tmp_path: Path, files):
    risky = ["=1+1", "+49", "-5", "@x", "\tx", "\rx", "fine"]
    source = files.write_csv(tmp_path / "risky.csv", [["=n", "text"], *([cell, "They overcharged me again."] for cell in risky)])
    score(source, "-o", tmp_path / "plain.csv")
    assert [row[0] for row in files.read_csv(tmp_path / "plain.csv")] == ["=n", *risky]
    score(source, "-o", tmp_path / "safe.csv", "--spreadsheet-safe")
    assert [row[0] for row in files.read_csv(tmp_path / "safe.csv")] == [f"'{cell}" for cell in ["=n", *risky[:-1]]] + ["fine"]


def test_header_only(score, tmp_path: Path, files):
    (tmp_path / "h.csv").write_text("id,narrative\n")
    for ending in ("csv", "parquet", "xlsx"):
        score(tmp_path / "h.csv", "-o", tmp_path / f"o.{ending}")
    assert files.read_csv(tmp_path / "o.csv") == [["id", "narrative", *OUTPUTS]]
    assert pq.read_table(tmp_path / "o.parquet").column_names == ["id", "narrative", *OUTPUTS]
