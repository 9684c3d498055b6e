"""Standard streams that the shell has closed: one line says so, or they are not needed."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

AMENDS = f"{shlex.quote(sys.executable)} -m amends.cli"


def shell(command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        ("models >&-", 1, "standard output is closed"),
        ("models --json >&-", 1, "standard output is closed"),
        ("explain 'They lost my bag.' >&-", 1, "standard output is closed"),
        ("explain - <&-", 3, "standard input is closed"),
        ("score - <&-", 3, "standard input is closed"),
        ("score - --input-format xlsx <&-", 3, "standard input is closed"),
        ("score TICKETS -o - >&-", 1, "standard output is closed"),
        ("score TICKETS -o - --format parquet >&-", 1, "standard output is closed"),
    ],
)
def test_closed(tickets: Path, command: str, code: int, said: str):
    result = shell(f"{AMENDS} {command.replace('TICKETS', shlex.quote(str(tickets)))}")
    assert result.returncode == code, result.stderr
    assert result.stderr.startswith(f"amends: {said}")
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""


def test_all_closed_but_not_needed(tickets: Path, files):
    result = shell(f"{AMENDS} score {shlex.quote(str(tickets))} <&- >&- 2>&-")
    assert result.returncode == 0
    assert len(files.read_dicts(tickets.with_name("tickets.scored.csv"))) == 5


def test_messages_do_not_go_to_standard_output(score, tickets: Path):
    score(tickets)
    result = shell(f"{AMENDS} score {shlex.quote(str(tickets))} -o - 2>&-")
    assert result.returncode == 0
    assert result.stdout == tickets.with_name("tickets.scored.csv").read_text()
