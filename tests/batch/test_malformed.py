"""Records that cannot be parsed, bytes that cannot be decoded: one output row each, in their place, the raw text kept."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

GOOD = "They sent the wrong shoes and nobody cares."


def statuses(rows: list[dict[str, str]]) -> list[str]:
    return [row["amends_status"] for row in rows]


def test_csv_rows_of_wrong_width(score, tmp_path: Path, files):
    source = tmp_path / "w.csv"
    source.write_text(f'id,text\n1,{GOOD}\n2,too,many\n3\n\n4,"quoted\nnewline, fine"\n5,"two\nlines",more\n')
    result = score(source, "--chunk-size", 2)
    rows = files.read_dicts(source.with_name("w.scored.csv"))
    assert statuses(rows) == ["ok", "malformed", "malformed", "ok", "malformed"]
    assert [row["amends_raw"] for row in rows] == ["", "2,too,many", "3", "", '5,"two\nlines",more']
    assert [row["id"] for row in rows] == ["1", "", "", "4", ""]
    assert list(rows[0])[-1] == "amends_raw"
    assert "3 records could not be parsed" in result.err
    score(source, "-o", tmp_path / "w.parquet")
    assert pq.read_table(tmp_path / "w.parquet").column("amends_raw").to_pylist()[1] == "2,too,many"


def test_no_raw_column_where_all_is_well(score, tickets: Path, files):
    score(tickets)
    assert "amends_raw" not in files.read_csv(tickets.with_name("tickets.scored.csv"))[0]


@pytest.mark.parametrize("chunk", [1, 2, 100])
def test_a_quote_that_never_closes(score, tmp_path: Path, files, chunk: int):
    source = tmp_path / "q.csv"
    source.write_text(f'id,text\n1,{GOOD}\n2,"never closed\n3,{GOOD}\n4,{GOOD}')
    score(source, "--chunk-size", chunk)
    rows = files.read_dicts(source.with_name("q.scored.csv"))
    assert statuses(rows) == ["ok", "malformed", "ok", "ok"]
    assert rows[1]["amends_raw"] == '2,"never closed'


def test_a_stray_quote_stays_local(score, tmp_path: Path, files):
    source = tmp_path / "q.csv"
    body = "".join(f'{i},"{GOOD} ""{i}"""\n' for i in range(50))
    source.write_text('id,text\n1,"open\n' + body)
    score(source)
    rows = files.read_dicts(source.with_name("q.scored.csv"))
    assert len(rows) >= 49
    assert statuses(rows)[2:] == ["ok"] * (len(rows) - 2)


def test_bytes_that_are_not_utf8(score, tmp_path: Path, files):
    source = tmp_path / "b.csv"
    source.write_bytes(
        f"id,text\n1,Die Lieferung kam nie an und früher ging es. {GOOD}\n2,".encode()
        + b"br\xf6ken\n3,"
        + "böse Worte and no refund\n".encode()
    )
    score(source, "--chunk-size", 2, "--text-column", "text")
    rows = files.read_dicts(source.with_name("b.scored.csv"))
    assert statuses(rows)[1] == "malformed"
    assert rows[1]["amends_raw"] == "2,bröken"
    assert rows[2]["text"] == "böse Worte and no refund"


def test_windows_1252(score, tmp_path: Path, files):
    source = tmp_path / "w.csv"
    source.write_bytes(
        "id,text\n1,They said “no” – it’s 20 €; naïve me.\n".encode("cp1252") + b"2,undefined \x81 byte and still rude staff\n"
    )
    result = score(source)
    rows = files.read_dicts(source.with_name("w.scored.csv"))
    assert [row["text"] for row in rows] == ["They said “no” – it’s 20 €; naïve me.", "undefined \x81 byte and still rude staff"]
    assert "Windows-1252" in result.err


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_encodings(score, tmp_path: Path, files, encoding: str):
    rows = [["id", "text"], ["1", "Nobody met us at the airport, très décevant 😀."]]
    source = files.write_csv(tmp_path / "e.csv", rows, encoding=encoding)
    score(source)
    assert [row[:2] for row in files.read_csv(tmp_path / "e.scored.csv")] == rows


def test_named_encoding(score, amends, tmp_path: Path, files):
    rows = [["id", "text"], ["1", "Никто не ответил"]]
    source = files.write_csv(tmp_path / "e.csv", rows, encoding="koi8-r")
    score(source, "--encoding", "koi8-r", "--text-column", "text")
    assert [row[:2] for row in files.read_csv(tmp_path / "e.scored.csv")] == rows
    assert amends("score", source, "--encoding", "klingon", "--overwrite").code == 2


def test_broken_json_lines(score, tmp_path: Path, files):
    lines = [json.dumps({"text": GOOD}), '{"text": "cut o', "[1, 2]", "", '"just text"', "[" * 100_000, "9" * 5000]
    source = tmp_path / "b.jsonl"
    source.write_bytes(
        "\n".join(lines).encode()
        + b'\n{"text": "\xff"}\n{"text": "'
        + "ü".encode()
        + b' no answer"}\n{"text": "'
        + "ö".encode()
        + b'"}\n'
    )
    score(source)
    rows = files.read_jsonl(source.with_name("b.scored.jsonl"))
    assert statuses(rows)[:7] == ["ok"] + ["malformed"] * 6
    assert [row["amends_raw"] for row in rows[1:4]] == ['{"text": "cut o', "[1, 2]", '"just text"']
    assert rows[0]["amends_raw"] is None
    score(source, "-o", tmp_path / "b.csv")
    assert len(files.read_dicts(tmp_path / "b.csv")) == len(rows)


def test_semicolons_tabs_and_line_ends(score, tmp_path: Path, files):
    for name, text in {
        "semi.csv": f"id;text\n1;{GOOD}, twice\n2;Late, rude; cold\n".replace("rude;", '"rude;')
        .replace("cold", 'cold"')
        .replace('Late, "', '"Late, '),
        "tab.tsv": f"id\ttext\n1\t{GOOD}, twice\n2\tLate, rude; cold\n",
        "cr.csv": f'id,text\r1,"{GOOD}, twice"\r2,"Late, rude; cold"\r',
        "crlf.csv": f'id,text\r\n1,"{GOOD}, twice"\r\n2,"Late, rude; cold"\r\n',
        "pipe.csv": f"id|text\n1|{GOOD}, twice\n2|Late, rude; cold\n",
    }.items():
        source = tmp_path / name
        source.write_bytes(text.encode())
        score(source, "-o", tmp_path / "out.csv", "--overwrite")
        rows = files.read_dicts(tmp_path / "out.csv")
        assert [row["text"] for row in rows] == [f"{GOOD}, twice", "Late, rude; cold"], name


def test_delimiter_option(score, amends, tmp_path: Path, files):
    source = tmp_path / "d.csv"
    source.write_text(f"id^text\n1^{GOOD}\n")
    score(source, "--delimiter", "^")
    assert files.read_dicts(tmp_path / "d.scored.csv")[0]["text"] == GOOD
    assert amends("score", source, "--delimiter", "ab", "--overwrite").code == 2


def test_empty_file(amends, tmp_path: Path):
    for name in ("e.csv", "e.jsonl"):
        (tmp_path / name).write_text("")
        assert amends("score", tmp_path / name).code == 3


def test_decompression_bomb(amends, tmp_path: Path):
    import gzip

    source = tmp_path / "bomb.csv.gz"
    with gzip.open(source, "wb", compresslevel=9) as file:
        file.write(b"text\n")
        for _ in range(40):
            file.write(b"a" * (1 << 20))
    result = amends("score", source)
    assert result.code == 3
    assert "longer than" in result.err


def test_utf8_and_windows_1252_in_one_file(score, tmp_path: Path, files):
    source = tmp_path / "mixed.csv"
    lines = [f"{i},Café number {i} was closed and cold" for i in range(6)]
    encoded = [line.encode("utf-8" if i % 3 == 0 else "cp1252") for i, line in enumerate(lines)]
    source.write_bytes(b"id,text\n" + b"\n".join(encoded))
    result = score(source)
    assert [row["text"] for row in files.read_dicts(source.with_name("mixed.scored.csv"))] == [line[2:] for line in lines]
    assert "Windows-1252" in result.err


def test_excels_sep_line(score, tmp_path: Path, files):
    (tmp_path / "sep.csv").write_text(f"sep=;\nid;text\n1;{GOOD}\n")
    score(tmp_path / "sep.csv")
    assert files.read_dicts(tmp_path / "sep.scored.csv")[0]["text"] == GOOD


def test_two_hundred_broken_rows_in_a_row(score, tmp_path: Path, files):
    source = tmp_path / "b.csv"
    source.write_text("id,text\n" + "".join(f'{i},"{GOOD}\n' if i % 2 else f"{i}\n" for i in range(200)))
    score(source)
    rows = files.read_dicts(source.with_name("b.scored.csv"))
    assert {row["amends_status"] for row in rows} == {"malformed"}


def test_quotes_that_are_not_doubled(score, tmp_path: Path, files):
    source = tmp_path / "q.csv"
    source.write_text('id,text\n1,"She said "no" and left"\n2,"Two\nlines "here" too"\n3,"fine, thanks"\n')
    score(source)
    rows = files.read_dicts(source.with_name("q.scored.csv"))
    assert [row["text"] for row in rows] == ['She said no" and left"', 'Two\nlines here" too"', "fine, thanks"]


def test_quotes_of_every_wrong_kind(score, tmp_path: Path, files):
    source = tmp_path / "q.csv"
    source.write_text(f'id,text\n1,"a "b,"open\n2,{GOOD}\n3,"x"y\n"4,{GOOD}\n5,"{GOOD}"\n6,"end')
    score(source, "--text-column", "text")
    rows = files.read_dicts(source.with_name("q.scored.csv"))
    kept = [row["id"] or row["amends_raw"] for row in rows]
    assert kept == ['1,"a "b,"open', "2", "3", f'"4,{GOOD}', "5", '6,"end']


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet", "xlsx"])
def test_raw_text_outlives_another_run(score, tmp_path: Path, files, ending: str):
    """What could not be parsed stands in amends_raw alone, so it must come back when amends_* columns are replaced."""
    source = tmp_path / "w.csv"
    source.write_text(f"id,text\n1,{GOOD}\n2,too,many\n3\n4,{GOOD}\n")
    score(source, "-o", tmp_path / "once.csv")
    score(source, "-o", tmp_path / f"scored.{ending}")
    result = score(tmp_path / f"scored.{ending}", "-o", tmp_path / "again.csv", "--overwrite", "--chunk-size", 2)
    assert "2 records could not be parsed" in result.err
    rows = files.read_dicts(tmp_path / "again.csv")
    assert [row["amends_raw"] for row in rows] == ["", "2,too,many", "3", ""]
    assert statuses(rows) == ["ok", "malformed", "malformed", "ok"]
    assert (tmp_path / "again.csv").read_bytes() == (tmp_path / "once.csv").read_bytes()


def test_raw_text_of_json_lines_outlives_another_run(score, tmp_path: Path):
    source = tmp_path / "b.jsonl"
    source.write_text(json.dumps({"text": GOOD}) + '\n{"text": "cut o\n')
    score(source, "-o", tmp_path / "one.jsonl")
    score(tmp_path / "one.jsonl", "-o", tmp_path / "two.jsonl", "--overwrite")
    assert (tmp_path / "two.jsonl").read_bytes() == (tmp_path / "one.jsonl").read_bytes()
