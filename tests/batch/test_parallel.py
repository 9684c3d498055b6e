"""Jobs and chunks change the time a run takes and nothing else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from amends.batch.parallel import sensible_jobs, usable_cores


@pytest.fixture
def export(tmp_path: Path, files) -> Path:
    rows = [[str(i), f"{files.complaints[i % 5]} {i}"] for i in range(300)]
    rows[17] = ["17"]
    return files.write_csv(tmp_path / "export.csv", [["id", "text"], *rows])


def test_same_bytes_for_any_jobs_and_chunks(score, export: Path):
    found: dict[str, set[bytes]] = {}
    for ending in ("csv", "jsonl", "parquet", "xlsx"):
        for jobs, chunk in (1, 2000), (1, 7), (2, 50), (3, 64):
            if jobs > 1 and ending != "parquet":
                continue  # jobs make parts, the format is a matter of their joining
            target = export.with_name(f"{jobs}-{chunk}.{ending}")
            score(export, "-o", target, "--jobs", jobs, "--chunk-size", chunk)
            found.setdefault(ending, set()).add(target.read_bytes())
    assert {ending: len(outputs) for ending, outputs in found.items()} == dict.fromkeys(found, 1)


def test_input_errors_come_out_of_workers(amends, tmp_path: Path, files):
    records = [{"text": "They were rude."}] * 5 + [{"text": "Again.", "amends_status": "ok"}]
    source = files.write_jsonl(tmp_path / "late.jsonl", records)
    result = amends("score", source, "--jobs", 2, "--chunk-size", 1)
    assert result.code == 3
    assert "--overwrite" in result.err


def test_errors_of_the_reader_come_out_of_threads(amends, tmp_path: Path):
    import gzip

    # Longer than what is looked at when the file is opened, so that the damage shows while chunks are drawn.
    text = "id,text\n" + "".join(f"{os.urandom(1500).hex()},The train was late again.\n" for _ in range(2_000))
    source = tmp_path / "cut.csv.gz"
    source.write_bytes(gzip.compress(text.encode(), 1)[:-5000])
    result = amends("score", source, "--jobs", 2, "--no-evidence", "--chunk-size", 100)
    assert result.code == 3
    assert "damaged or cut off" in result.err


def test_small_inputs_stay_in_one_process():
    assert sensible_jobs(1000, "B", compressed=False) == 1
    assert sensible_jobs(100, "row", compressed=False) == 1
    assert sensible_jobs(1 << 30, "B", compressed=False) == min(8, usable_cores())
    assert sensible_jobs(0, "B", compressed=False) == min(8, usable_cores())  # a stream of unknown length


def _heeding() -> None:
    """Heed Ctrl-C again: a shell that runs the tests in the background has its children ignore it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def started(source: Path, target: Path, *more: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "amends.cli", "score", str(source), "-o", str(target), "--chunk-size", "5", *more]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, start_new_session=True, preexec_fn=_heeding)
    folder = target.with_name(f".{target.name}.part")
    deadline = time.monotonic() + 60
    while not list(folder.glob("part-*.arrow")) and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.01)
    return process


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_ctrl_c_ends_all_processes(export: Path, files, sent: signal.Signals, code: int):
    source = files.write_csv(
        export.with_name("long.csv"), [["id", "text"], *([str(i), "late again " * 40] for i in range(20_000))]
    )
    target = export.with_name("out.csv")
    process = started(source, target, "--jobs", "2")
    os.killpg(process.pid, sent)  # as a terminal does
    _, err = process.communicate(timeout=60)
    assert process.returncode == code, err.decode()
    assert b"Traceback" not in err
    assert b"--resume" in err
    assert not target.exists()
    assert target.with_name(".out.csv.part").is_dir()


def test_workers_do_not_outlive_a_killed_run(export: Path, files):
    source = files.write_csv(
        export.with_name("long.csv"), [["id", "text"], *([str(i), "late again " * 40] for i in range(20_000))]
    )
    process = started(source, export.with_name("out.csv"), "--jobs", "2")
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)
    deadline = time.monotonic() + 20
    while alive(process.pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not alive(process.pid)


def alive(session: int) -> list[str]:
    """Processes of that session that are not yet gone."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            found.append(path.parent.name)
    return found
