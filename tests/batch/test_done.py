"""``--resume`` on a finished output: left alone where it is up to date, refused where it is not."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from amends.batch import done, scoring


@pytest.fixture
def scored(score, tickets: Path) -> Path:
    target = tickets.with_name("out.csv")
    score(tickets, "-o", target)
    return target


def test_up_to_date(score, tickets: Path, scored: Path):
    before = scored.stat()
    result = score(tickets, "-o", scored, "--resume", "--chunk-size", 2, "--summary", tickets.with_name("s.json"))
    assert "nothing to resume" in result.err
    assert "input, model and options are those that it was made with" in result.err
    assert scored.stat() == before
    summary = json.loads(tickets.with_name("s.json").read_text())
    assert (summary["rows"], summary["resumed_rows"], summary["rows_per_second"]) == (5, 5, 0)
    score(tickets, "-o", scored, "--overwrite", "--summary", tickets.with_name("t.json"))
    other = json.loads(tickets.with_name("t.json").read_text())
    changing = {"seconds", "rows_per_second", "resumed_rows"}
    assert {key: summary[key] for key in summary.keys() - changing} == {key: other[key] for key in other.keys() - changing}


def test_changed_input(amends, score, tickets: Path, scored: Path):
    before = scored.read_bytes()
    with tickets.open("a") as file:
        file.write("006,The heating broke again and nobody came.\n")
    result = amends("score", tickets, "-o", scored, "--resume")
    assert result.code == 3
    assert "out of date: the input has changed (bytes" in result.err
    assert scored.read_bytes() == before
    score(tickets, "-o", scored, "--overwrite")
    assert "nothing to resume" in score(tickets, "-o", scored, "--resume").err


def test_another_input(amends, tickets: Path, scored: Path):
    other = tickets.with_name("other.csv")
    other.write_bytes(tickets.read_bytes())
    result = amends("score", other, "-o", scored, "--resume")
    assert result.code == 3
    assert "the input has changed (name" in result.err


@pytest.mark.parametrize("option", [["--no-evidence"], ["--limit", "2"], ["--spreadsheet-safe"], ["--text-column", "ticket"]])
def test_another_option(amends, tickets: Path, scored: Path, option: list[str]):
    result = amends("score", tickets, "-o", scored, "--resume", *option)
    assert result.code == 2
    assert f"out of date: another option ({option[0]}" in result.err


def test_another_model(amends, tickets: Path, scored: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(scoring, "identity", lambda _: scoring.Identity("fast", "0", "0000"))
    result = amends("score", tickets, "-o", scored, "--resume")
    assert result.code == 2
    assert "out of date: another model" in result.err
    assert "0000 now" in result.err


@pytest.mark.parametrize("how", ["no note", "another output", "no JSON", "another format"])
def test_not_known(amends, tickets: Path, scored: Path, how: str):
    note = done.note_of(scored)
    if how == "no note":
        note.unlink()
    elif how == "another output":
        scored.write_text("edited by hand")
    else:
        note.write_text("{" if how == "no JSON" else "[]")
    result = amends("score", tickets, "-o", scored, "--resume")
    assert result.code == 2
    assert ".out.csv.done" in result.err
    assert "--overwrite" in result.err


def test_killed_between_output_and_note(score, amends, tickets: Path, monkeypatch: pytest.MonkeyPatch):
    target = tickets.with_name("out.csv")
    with monkeypatch.context() as patch:
        patch.setattr(done, "write", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        assert amends("score", tickets, "-o", target).code == 130
    before = target.read_bytes()
    score(tickets, "-o", target, "--resume")
    assert target.read_bytes() == before
    assert "nothing to resume" in score(tickets, "-o", target, "--resume").err


def test_killed_while_it_cleaned_up(score, tickets: Path, scored: Path):
    folder = tickets.with_name(".out.csv.part")
    folder.mkdir()
    assert "nothing to resume" in score(tickets, "-o", scored, "--resume").err
    assert not folder.exists()


def test_a_note_that_cannot_be_written(score, amends, tickets: Path, monkeypatch: pytest.MonkeyPatch):
    target = tickets.with_name("out.csv")
    with monkeypatch.context() as patch:
        real = Path.write_text

        def full(path: Path, *rest: object, **more: object) -> int:
            if path.name == "done":
                raise OSError(28, os.strerror(28))
            return real(path, *rest, **more)  # type: ignore[arg-type]

        patch.setattr(Path, "write_text", full)
        score(tickets, "-o", target)  # the output is complete even so
    assert amends("score", tickets, "-o", target, "--resume").code == 2
