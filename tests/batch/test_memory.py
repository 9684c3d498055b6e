"""The memory that a run takes does not grow with its input. The scorer is another matter: here a stand-in takes its place."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

#: Says nothing of any row, so that what is measured is reading, parts and writing; prints the peak in MB.
SCRIPT = """
import sys
import pyarrow as pa
from amends.batch import scoring
from amends.cli import main
from amends.columns import schema

class Scorer:
    def score_table(self, texts, *, evidence=True):
        return pa.table([pa.nulls(len(texts), field.type) for field in schema(evidence)], schema=schema(evidence))

scoring.pipeline_of = lambda model: Scorer()
assert main(["score", *sys.argv[1:], "--jobs", "1"]) == 0
print(*[line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")])
"""


def peak(*arguments: object) -> float:
    command = [sys.executable, "-c", SCRIPT, *map(str, arguments)]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout) / 1024


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak is read from Linux's /proc")
@pytest.mark.parametrize(("source", "target"), [("csv", "parquet"), ("parquet", "csv")])
def test_flat(tmp_path: Path, files, source: str, target: str):
    found = []
    for rows in (6_000, 120_000):
        # Each text differs, or Parquet would keep one and refer to it; digits, as repeated words would compress to nothing.
        chance = random.Random(rows)
        texts = [f"They owe me {chance.getrandbits(4_000)} pounds and nobody answers my letters." for _ in range(rows)]
        given = tmp_path / f"{rows}.{source}"
        if source == "parquet":
            pq.write_table(pa.table({"text": texts}), given, row_group_size=rows)
        else:
            files.write_csv(given, [["text"], *([text] for text in texts)])
        found.append(peak(given, "-o", tmp_path / f"{rows}.scored.{target}"))
    # 140 MB of input more, which a run that held it at once would take at least; allocators keep some tens of MB more or less.
    assert found[1] < found[0] + 90, found
