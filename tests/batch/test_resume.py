"""Nothing lost: a run may die at any moment, and the next one goes on."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from amends.batch import checkpoint, run, scoring
from amends.columns import RAW


@pytest.fixture
def export(tmp_path: Path, files) -> Path:
    """Some hundred records, some of them broken."""
    texts = [random.Random(i).choice(files.complaints).replace(",", ";") + " late" * (i % 40) for i in range(600)]
    lines = ["id,text", *(f'{i},"{text.replace(chr(34), "")}"' if i % 50 else f"{i},too,many" for i, text in enumerate(texts))]
    source = tmp_path / "export.csv"
    source.write_text("\n".join(lines))
    return source


def command(source: Path, target: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "amends.cli", "score", str(source), "-o", str(target), "--chunk-size", "20", *more]


def work_folder(target: Path) -> Path:
    return target.with_name(f".{target.name}.part")


class StopError(Exception):
    """Stands for whatever ends a process."""


def stopping_after(parts: int, monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Let the run die when so many chunks have been scored."""
    real, left = scoring.score_chunk, [parts]

    def score_chunk(chunk, job):
        if not left[0]:
            raise error
        left[0] -= 1
        return real(chunk, job)

    monkeypatch.setattr("amends.batch.parallel.score_chunk", score_chunk)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_interrupted_and_resumed(amends, score, export: Path, ending: str, monkeypatch: pytest.MonkeyPatch):
    whole, target = export.with_name(f"whole.{ending}"), export.with_name(f"out.{ending}")
    score(export, "-o", whole)
    with monkeypatch.context() as patch:
        stopping_after(7, patch, KeyboardInterrupt())
        result = amends("score", export, "-o", target, "--chunk-size", 20)
    assert result.code == 130
    assert "--resume" in result.err
    assert not target.exists()
    refused = amends("score", export, "-o", target, "--chunk-size", 20)  # hours of work are not thrown away by accident
    assert refused.code == 2
    assert "--resume" in refused.err
    result = score(export, "-o", target, "--chunk-size", 20, "--resume", "--summary", export.with_name("s.json"))
    assert "resuming after 140 rows" in result.err
    assert target.read_bytes() == whole.read_bytes()
    assert not work_folder(target).exists()
    again = score(export, "-o", target, "--chunk-size", 20, "--resume")
    assert "nothing to resume" in again.err


def test_what_changed_is_named(amends, score, export: Path, monkeypatch: pytest.MonkeyPatch):
    target = export.with_name("out.csv")
    base = ["score", export, "-o", target, "--resume"]
    with monkeypatch.context() as patch:
        stopping_after(3, patch, KeyboardInterrupt())
        amends(*base, "--chunk-size", 20)
    for more, named in {
        ("--chunk-size", "30"): "--chunk-size: 20 then, 30 now",
        ("--chunk-size", "20", "--no-evidence"): "--no-evidence",
        ("--chunk-size", "20", "--text-column", "id"): "--text-column",
    }.items():
        result = amends(*base, *more)
        assert result.code == 2
        assert named in result.err
    with monkeypatch.context() as patch:
        patch.setattr(scoring, "identity", lambda _: scoring.Identity("fast", "0", "0000"))
        result = amends(*base, "--chunk-size", 20)
        assert result.code == 2
        assert "another model" in result.err
    with export.open("a") as file:
        file.write("\n601,One more complaint")
    result = amends(*base, "--chunk-size", 20)
    assert result.code == 3
    assert "the input has changed" in result.err
    assert work_folder(target).exists()  # a refusal throws nothing away
    score(export, "-o", target, "--overwrite")  # starting anew does
    assert not work_folder(target).exists()


@pytest.mark.parametrize("moment", ["fsync", "publish"])
def test_a_full_disk(amends, score, export: Path, moment: str, monkeypatch: pytest.MonkeyPatch):
    target = export.with_name("out.csv")
    full = OSError(28, os.strerror(28))
    with monkeypatch.context() as patch:
        if moment == "fsync":
            real, count = os.fsync, [0]

            def fsync(file: int) -> None:
                count[0] += 1
                if count[0] > 5:
                    raise full
                real(file)

            patch.setattr(os, "fsync", fsync)
        else:
            patch.setattr(run, "publish", lambda *_: (_ for _ in ()).throw(full))
        result = amends("score", export, "-o", target, "--chunk-size", 20)
    assert result.code == 1
    assert "No space left" in result.err
    assert not target.exists()
    score(export, "-o", target, "--chunk-size", 20, "--resume")
    score(export, "-o", export.with_name("whole.csv"))
    assert target.read_bytes() == export.with_name("whole.csv").read_bytes()


def test_an_unexpected_error_shows_no_text(amends, export: Path, monkeypatch: pytest.MonkeyPatch):
    stopping_after(1, monkeypatch, RuntimeError("the customer wrote: parcel left in the rain"))
    result = amends("score", export, "-o", export.with_name("out.csv"), "--chunk-size", 20)
    assert result.code == 1
    assert "RuntimeError" in result.err
    assert "parcel" not in result.err
    assert "Traceback" not in result.err


def test_the_output_of_an_earlier_run_survives_a_failure(amends, score, export: Path, monkeypatch: pytest.MonkeyPatch):
    target = export.with_name("out.csv")
    target.write_text("precious")
    assert amends("score", export, "-o", target).code == 2
    stopping_after(2, monkeypatch, RuntimeError())
    assert amends("score", export, "-o", target, "--overwrite", "--chunk-size", 20).code == 1
    assert target.read_text() == "precious"


def test_two_runs_at_once(amends, export: Path):
    target = export.with_name("out.csv")
    other = checkpoint.WorkFolder(target)
    result = amends("score", export, "-o", target)
    assert result.code == 1
    assert "another run" in result.err
    other.release(remove=True)


def test_standard_input_cannot_be_resumed(amends):
    result = amends("score", "-", "-o", "x.csv", "--resume")
    assert result.code == 2
    assert "standard input" in result.err


def killed_until_done(source: Path, target: Path, seed: int, kills: int, *more: str) -> int:
    """Start the run again and again, kill it at random moments, and let it finish at last; return how often it was killed."""
    chance = random.Random(seed)
    killed = 0
    for _ in range(kills):
        process = subprocess.Popen([*command(source, target, "--resume", *more)], stderr=subprocess.DEVNULL)
        # Not before it has begun to work: the moments that matter are those of writing.
        deadline = time.monotonic() + 20
        while process.poll() is None and not work_folder(target).exists() and time.monotonic() < deadline:
            time.sleep(0.005)
        time.sleep(chance.uniform(0, 0.6))
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            killed += 1
        process.wait()
        if target.exists():
            break
    done = subprocess.run([*command(source, target, "--resume", *more)], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return killed


def assert_each_row_once(source: Path, target: Path, whole: Path, files) -> None:
    assert target.read_bytes() == whole.read_bytes()
    rows = files.read_dicts(target)
    assert [row["id"] or row[RAW].split(",")[0] for row in rows] == [str(i) for i in range(600)]
    assert not work_folder(target).exists()


def test_killed(score, export: Path, files):
    target, whole = export.with_name("out.csv"), export.with_name("whole.csv")
    score(export, "-o", whole)
    assert killed_until_done(export, target, 1, 3)
    assert_each_row_once(export, target, whole, files)


@pytest.mark.slow
def test_killed_thirty_times(score, export: Path, files):
    whole = export.with_name("whole.csv")
    score(export, "-o", whole)
    killed = turn = 0
    while killed < 30:
        target = export.with_name(f"out{turn}.csv")
        killed += killed_until_done(export, target, turn, 4, *(["--jobs", "2"] if turn % 2 else []))
        assert_each_row_once(export, target, whole, files)
        turn += 1
        assert turn < 60
