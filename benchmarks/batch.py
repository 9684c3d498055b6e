"""Rows per second and peak memory of `amends score`, file to file. Linux only.

Run: python benchmarks/batch.py COMPLAINTS.jsonl [--rows 6000 120000] [--no-evidence]
"""

from __future__ import annotations

import argparse
import csv
import itertools
import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path


def make(source: Path, target: Path, rows: int) -> None:
    """Write ``rows`` records of ``source`` (JSON lines with ``text``), repeated as needed, as CSV."""
    texts = [json.loads(line)["text"] for line in source.open(encoding="utf-8")]
    with target.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "narrative"])
        writer.writerows(zip(range(rows), itertools.cycle(texts), strict=False))


def tree(root: int) -> set[int]:
    """Return a process and all below it."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found = {root}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def memory(pids: set[int]) -> float:
    """Return the proportional set size of processes, MB."""
    total = 0
    for pid in pids:
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


def measure(command: list[str]) -> tuple[float, float]:
    """Run ``command``; return seconds and peak memory in MB."""
    start = time.perf_counter()
    process = subprocess.Popen(command)
    peak = 0.0
    done = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.2):
            peak = max(peak, memory(tree(process.pid)))

    thread = threading.Thread(target=watch)
    thread.start()
    code = process.wait()
    done.set()
    thread.join()
    if code:
        raise SystemExit(f"{command} ended with {code}")
    return time.perf_counter() - start, peak


def main() -> None:
    """Measure each number of rows once and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path)
    parser.add_argument("--rows", type=int, nargs="+", default=[6_000, 120_000])
    parser.add_argument("--no-evidence", action="store_true")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--to", default="parquet")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for rows in arguments.rows:
            source, target = Path(folder, f"{rows}.csv"), Path(folder, f"{rows}.scored.{arguments.to}")
            make(arguments.source, source, rows)
            command = [sys.executable, "-m", "amends.cli", "score", str(source), "-o", str(target), "--jobs", str(arguments.jobs)]
            seconds, peak = measure(command + ["--no-evidence"] * arguments.no_evidence)
            print(
                f"{rows:>9,} rows: {seconds:7.1f} s, {rows / seconds:6,.0f} rows/s, peak {peak:5,.0f} MB (all processes)",
                flush=True,
            )


if __name__ == "__main__":
    main()
