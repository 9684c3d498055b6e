"""What embedding costs: import, load and first call in fresh processes, then single calls. Run: python benchmarks/cold.py"""

from __future__ import annotations

import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROUNDS = 5
IMPORT = "import time; t = time.perf_counter(); import {}; print(time.perf_counter() - t)"
FIRST = """
import time; t = time.perf_counter()
import amends
amends.load()("The parcel came two weeks late and nobody answered my emails.")
print(time.perf_counter() - t)
"""


def fresh(code: str) -> float:
    """Seconds that ``code`` prints, in a fresh process."""
    return float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)


def main() -> None:
    """Print a table; rounds of the two imports are interleaved, so that a busy machine slows both alike."""
    seconds: dict[str, list[float]] = {"import amends": [], "import pandas": [], "load and first call": []}
    for _ in range(ROUNDS):
        seconds["import amends"].append(fresh(IMPORT.format("amends")))
        seconds["import pandas"].append(fresh(IMPORT.format("pandas")))
        seconds["load and first call"].append(fresh(FIRST))
    for name, values in seconds.items():
        print(f"{name:22s} median of {ROUNDS}: {statistics.median(values):7.3f} s   ({min(values):.3f} to {max(values):.3f})")
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    print(f"import amends / import pandas: {medians['import amends'] / medians['import pandas']:.3f}")

    import amends

    pipeline = amends.load()
    examples = (Path(__file__).parents[1] / "examples" / "complaints.csv").read_text(encoding="utf-8").splitlines()[1:]
    calls = []
    for text in examples * 20:
        start = time.perf_counter()
        pipeline(text)
        calls.append(1000 * (time.perf_counter() - start))
    print(
        f"single call, evidence included: p50 {statistics.median(calls):.2f} ms, p99 {statistics.quantiles(calls, n=100)[98]:.2f} ms"
    )
    print(f"Python {platform.python_version()}, {platform.machine()}")


if __name__ == "__main__":
    main()
