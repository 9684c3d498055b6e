"""``--summary`` is written whatever became of the files of a folder."""

from __future__ import annotations

import json
from pathlib import Path

TEXT = "text\nThe heating broke again and nobody came.\n"


def test_every_file_fails(amends, tmp_path: Path):
    for names in (["a.csv"], ["a.csv", "b.jsonl"]):
        for name in names:
            (tmp_path / name).write_text("")
        (tmp_path / "s.json").write_text("of an earlier run")
        result = amends("score", tmp_path, "--summary", tmp_path / "s.json")
        assert result.code == 3
        summary = json.loads((tmp_path / "s.json").read_text())
        assert (summary["rows"], summary["files"]) == (0, [])
        assert [Path(one["input"]).name for one in summary["failed"]] == names
        assert "empty" in summary["failed"][0]["error"]


def test_some_fail(amends, tmp_path: Path):
    (tmp_path / "a.csv").write_text("")
    (tmp_path / "b.csv").write_text(TEXT)
    assert amends("score", tmp_path, "--summary", tmp_path / "s.json").code == 3
    summary = json.loads((tmp_path / "s.json").read_text())
    assert (summary["rows"], len(summary["files"]), len(summary["failed"])) == (1, 1, 1)


def test_every_file_is_complete(score, tmp_path: Path):
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text(TEXT)
    score(tmp_path)
    result = score(tmp_path, "--resume", "--summary", tmp_path / "s.json")
    assert result.err.count("nothing to resume") == 2
    summary = json.loads((tmp_path / "s.json").read_text())
    assert (summary["rows"], summary["resumed_rows"], len(summary["files"]), summary["failed"]) == (2, 2, 2, [])


def test_one_file_that_is_refused_keeps_the_earlier_summary(amends, score, tickets: Path, tmp_path: Path):
    score(tickets, "--summary", tmp_path / "s.json")
    before = (tmp_path / "s.json").read_bytes()
    assert amends("score", tickets, "--summary", tmp_path / "s.json").code == 2
    assert (tmp_path / "s.json").read_bytes() == before
