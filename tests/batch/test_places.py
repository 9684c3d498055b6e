"""Where inputs come from and outputs go: folders, globs, streams, what is there already and what cannot be written."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from amends.batch.paths import beside, plan
from amends.errors import UsageError

TEXT = "text\nThe heating broke again and nobody came.\n"


def test_a_folder(score, amends, tmp_path: Path, files):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.csv").write_text(TEXT)
    files.write_jsonl(folder / "b.jsonl", [{"text": "They lost my order."}])
    pq.write_table(pa.table({"text": ["Rude staff, cold food."]}), folder / "c.parquet")
    for ignored in ("notes.txt", ".hidden.csv", "old.scored.csv"):
        (folder / ignored).write_text("x")
    score(folder, "--summary", tmp_path / "s.json")
    assert {path.name for path in folder.glob("[!.]*.scored.*")} == {
        "a.scored.csv",
        "b.scored.jsonl",
        "c.scored.parquet",
        "old.scored.csv",
    }
    summary = json.loads((tmp_path / "s.json").read_text())
    assert summary["rows"] == 3
    assert [Path(one["input"]).name for one in summary["files"]] == ["a.csv", "b.jsonl", "c.parquet"]
    score(folder, "-o", tmp_path / "out")
    assert {path.name for path in (tmp_path / "out").glob("[!.]*")} == {"a.scored.csv", "b.scored.jsonl", "c.scored.parquet"}
    score(f"{folder}/*.csv", "-o", tmp_path / "out2")
    assert {path.name for path in (tmp_path / "out2").glob("[!.]*")} == {"a.scored.csv"}


def test_one_bad_file_does_not_stop_the_others(amends, tmp_path: Path):
    (tmp_path / "a.csv").write_text("")
    (tmp_path / "b.csv").write_text(TEXT)
    result = amends("score", tmp_path)
    assert result.code == 3
    assert "a.csv: not scored" in result.err
    assert (tmp_path / "b.scored.csv").exists()


def test_nothing_to_score(amends, tmp_path: Path):
    (tmp_path / "empty").mkdir()
    for given in (tmp_path / "empty", tmp_path / "*.csv", tmp_path / "missing.csv"):
        result = amends("score", given)
        assert result.code == 3, result.err
        assert str(tmp_path) in result.err


def test_plan_refuses_what_collides(tmp_path: Path):
    for name in ("x", "y"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.csv").write_text(TEXT)
    with pytest.raises(UsageError, match="both be written"):
        plan(f"{tmp_path}/*/a.csv", str(tmp_path / "out"), None, None)
    with pytest.raises(UsageError, match="the input itself"):
        plan(str(tmp_path / "x" / "a.csv"), str(tmp_path / "x" / ".." / "x" / "a.csv"), None, None)
    assert beside(Path("a.b.csv.gz")).name == "a.b.scored.csv.gz"


def test_formats_that_the_ending_does_not_tell(amends, score, tmp_path: Path, files):
    source = tmp_path / "export.txt"
    source.write_text(TEXT)
    result = amends("score", source)
    assert result.code == 2
    assert "--input-format" in result.err
    score(source, "--input-format", "csv", "--format", "jsonl", "-o", tmp_path / "out.dat")
    assert files.read_jsonl(tmp_path / "out.dat")[0]["amends_status"] == "ok"
    assert amends("score", source, "--input-format", "csv", "-o", tmp_path / "out.xyz").code == 2
    assert amends("score", source, "--input-format", "csv", "-o", tmp_path / "out.parquet.gz").code == 2


def test_columns_of_an_earlier_run(amends, score, tickets: Path, files):
    score(tickets)
    scored = tickets.with_name("tickets.scored.csv")
    result = amends("score", scored, "-o", tickets.with_name("again.csv"))
    assert result.code == 3
    assert "--overwrite" in result.err
    for ending in ("csv", "jsonl", "parquet", "xlsx"):
        score(scored, "-o", tickets.with_name(f"again.{ending}"), "--overwrite")
        score(tickets.with_name(f"again.{ending}"), "-o", tickets.with_name("last.csv"), "--overwrite")
        assert tickets.with_name("last.csv").read_bytes() == scored.read_bytes()


def test_options_that_do_not_suit(amends, tickets: Path):
    for option in (["--sheet", "x"], ["--jobs", "0"], ["--chunk-size", "x"], ["--format", "doc"]):
        assert amends("score", tickets, *option).code == 2


def test_limit(score, tickets: Path, files):
    score(tickets, "--limit", 3, "--chunk-size", 2)
    assert len(files.read_csv(tickets.with_name("tickets.scored.csv"))) == 4


@pytest.mark.parametrize("target", ["file.txt/out.csv", "nowhere/out.csv"])
def test_unwritable_output(amends, tickets: Path, target: str):
    (tickets.parent / "file.txt").write_text("x")
    result = amends("score", tickets, "-o", tickets.parent / target)
    assert result.code == 1  # the input is fine: it is the run that failed
    assert "cannot write" in result.err
    assert "Traceback" not in result.err


def test_unwritable_folder(amends, tickets: Path):
    (tickets.parent / "file.txt").write_text("x")
    result = amends("score", f"{tickets.parent}/*.csv", "-o", tickets.parent / "file.txt" / "out")
    assert result.code == 1
    assert "cannot write into" in result.err


def test_what_is_no_file_is_not_replaced(amends, tickets: Path):
    os.mkfifo(tickets.with_name("pipe.csv"))
    result = amends("score", tickets, "-o", tickets.with_name("pipe.csv"), "--overwrite")
    assert result.code == 2
    assert "is no file" in result.err
    assert tickets.with_name("pipe.csv").is_fifo()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_read_only_folder(amends, tickets: Path):
    tickets.parent.chmod(0o555)
    try:
        assert amends("score", tickets).code == 1
    finally:
        tickets.parent.chmod(0o755)


@pytest.fixture
def stdin(monkeypatch: pytest.MonkeyPatch):
    def set_to(data: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(data)))

    return set_to


def test_streams(score, tickets: Path, stdin):
    score(tickets)
    stdin(tickets.read_bytes())
    result = score("-", "-o", "-")
    assert result.out.encode() == tickets.with_name("tickets.scored.csv").read_bytes()
    stdin(b'{"text": "My bag never arrived."}\n')
    result = score("-", "--input-format", "jsonl", "--format", "jsonl")
    assert json.loads(result.out)["amends_status"] == "ok"
    score(tickets, "-o", tickets.with_name("t.parquet"))
    stdin(tickets.with_name("t.parquet").read_bytes())
    result = score("-", "--input-format", "parquet", "--overwrite", "-o", "-")
    assert result.out.encode() == tickets.with_name("tickets.scored.csv").read_bytes()


def test_a_pipe_closed_early(tickets: Path, tmp_path: Path, files):
    source = files.write_csv(tmp_path / "long.csv", [["text"], *([f"The room was filthy, {i}"] for i in range(500))])
    command = [sys.executable, "-m", "amends.cli", "score", str(source), "-o", "-"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        err = process.stderr.read()
    assert process.returncode == 0
    assert b"Traceback" not in err
    assert b"BrokenPipe" not in err


def test_quiet(score, tickets: Path):
    assert score(tickets, "--quiet").err == ""


def test_a_named_pipe(tickets: Path, score, files):
    pipe = tickets.with_name("pipe")
    os.mkfifo(pipe)
    with subprocess.Popen(["cp", str(tickets), str(pipe)]):
        score(pipe, "--input-format", "csv", "-o", tickets.with_name("out.csv"))
    assert len(files.read_csv(tickets.with_name("out.csv"))) == 6
