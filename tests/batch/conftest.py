"""What the tests of the batch side share: a way to run the command line, and readers that know nothing of ours."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from openpyxl import Workbook

from amends.cli import main

COMPLAINTS = [
    "My parcel was left in the rain and the books are ruined. I want my money back.",
    'The clerk laughed at me, called me "difficult", and walked away.',
    "Third time this month that the train was cancelled; nobody told us anything.",
    "You charged me twice, I wrote four emails, and nobody has answered.",
    "Lovely stay, thank you all!",
]


@dataclass
class Result:
    code: int
    out: str
    err: str


@pytest.fixture
def amends(capsysbinary: pytest.CaptureFixture[bytes]):
    """Run ``amends ARGUMENTS…`` in this process."""

    def run(*arguments: object) -> Result:
        code = main([str(argument) for argument in arguments])
        captured = capsysbinary.readouterr()
        return Result(code, captured.out.decode(), captured.err.decode())

    return run


@pytest.fixture
def score(amends):
    """Run ``amends score`` and expect it to succeed."""

    def run(*arguments: object) -> Result:
        result = amends("score", *arguments)
        assert result.code == 0, result.err
        return result

    return run


def write_csv(path: Path, rows: list[list[str]], **options: Any) -> Path:
    with path.open("w", newline="", encoding=options.pop("encoding", "utf-8")) as file:
        csv.writer(file, **options).writerows(rows)
    return path


def write_jsonl(path: Path, records: list[Any]) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def write_xlsx(path: Path, sheets: dict[str, list[list[Any]]]) -> Path:
    book = Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def read_csv(path: Path, **options: Any) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file, **options))


def read_dicts(path: Path) -> list[dict[str, str]]:
    header, *rows = read_csv(path)
    return [dict(zip(header, row, strict=True)) for row in rows]


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture
def tickets(tmp_path: Path) -> Path:
    """A CSV as it should be: two columns, five complaints."""
    return write_csv(
        tmp_path / "tickets.csv", [["ticket", "narrative"], *([f"00{i}", text] for i, text in enumerate(COMPLAINTS))]
    )


@pytest.fixture
def files() -> SimpleNamespace:
    """The readers and writers above (tests are imported one by one and cannot import each other)."""
    return SimpleNamespace(
        complaints=COMPLAINTS,
        write_csv=write_csv,
        write_jsonl=write_jsonl,
        write_xlsx=write_xlsx,
        read_csv=read_csv,
        read_dicts=read_dicts,
        read_jsonl=read_jsonl,
    )
