"""The project's chores with nothing but Python: `python3 tasks.py try | test | lint`. Each makes .venv and installs what it needs."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if sys.platform == "win32" else "bin")
TASKS = {
    # what it does: (extra to install, commands)
    "try": ("", [["amends", "score", "examples/complaints.csv", "--overwrite"],
                 ["amends", "explain", "My order is two weeks late and nobody answers my emails."]]),
    "test": ("test", [["python", "-m", "pytest", "-q"]]),
    "lint": ("dev", [["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy"]]),
}  # fmt: skip


def run(*command: str | Path) -> None:
    """Run a command in the project's folder; stop with its exit code where it fails."""
    code = subprocess.run([str(part) for part in command], cwd=ROOT, check=False).returncode
    if code:
        sys.exit(code)


def install(extra: str) -> None:
    """Install the package with ``extra`` into .venv, unless that was done since pyproject.toml last changed."""
    stamp = VENV / f".installed-{extra or 'base'}"
    if stamp.exists() and stamp.stat().st_mtime > (ROOT / "pyproject.toml").stat().st_mtime:
        return
    if not (BIN / "python").exists() and not (BIN / "python.exe").exists():
        venv.create(VENV, with_pip=True)
    run(BIN / "python", "-m", "pip", "install", "-q", "--disable-pip-version-check", "-e", f".[{extra}]" if extra else ".")
    stamp.touch()


def main() -> None:
    """Do the task that is named."""
    if len(sys.argv) != 2 or sys.argv[1] not in TASKS:
        sys.exit(f"usage: python3 tasks.py {' | '.join(TASKS)}")
    if not (3, 11) <= sys.version_info[:2] <= (3, 13):
        sys.exit(f"amends needs Python 3.11 to 3.13; this is {sys.version.split()[0]}")
    extra, commands = TASKS[sys.argv[1]]
    install(extra)
    for name, *rest in commands:
        run(BIN / name, *rest)


if __name__ == "__main__":
    main()
