"""A first row that is no header: its complaint is neither lost nor printed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from amends.batch.names import refuse_data
from amends.errors import InputError

FIRST = "I am Jane Doe and my card was charged twice, nobody answers my letters"
SECOND = "The train was late again and nobody told us anything about it."
REFUSED = "the first row looks like data, not column names: put a header line first"
REPLY = "Dear Ms Doe, we are very sorry to hear of this and will be in touch"


def headerless(folder: Path, ending: str, files) -> Path:
    rows = [["1", FIRST], ["2", SECOND]]
    if ending == "xlsx":
        return files.write_xlsx(folder / "nh.xlsx", {"One": [[int(number), text] for number, text in rows]})
    return files.write_csv(folder / f"nh.{ending}", rows, delimiter="\t" if ending == "tsv" else ",")


@pytest.mark.parametrize("ending", ["csv", "tsv", "xlsx"])
def test_refused_and_not_quoted(amends, tmp_path: Path, files, ending: str):
    source = headerless(tmp_path, ending, files)
    result = amends("score", source, "-o", tmp_path / "out.csv", "--summary", tmp_path / "s.json")
    assert result.code == 3
    assert REFUSED in result.err
    assert "column 2" in result.err
    assert "Jane" not in result.err
    assert [path.name for path in tmp_path.iterdir()] == [source.name]  # neither output nor checkpoint nor summary


@pytest.mark.parametrize("more", [["--text-column", "narrative"], ["--id-column", "id"], ["--text-column", f"{FIRST}!"]])
def test_not_quoted_when_another_name_is_wanted(amends, tmp_path: Path, files, more: list[str]):
    result = amends("score", headerless(tmp_path, "csv", files), *more)
    assert result.code == 3
    assert "column 2" in result.err
    assert "Jane" not in result.err


def test_a_single_record(amends, tmp_path: Path):
    for number, line in enumerate([f'1,"{FIRST}"\n', f'"{FIRST}"\n', f'1,"{FIRST}"\n2,3\n']):
        source = tmp_path / f"{number}.csv"
        source.write_text(line)
        result = amends("score", source)
        assert result.code == 3
        assert REFUSED in result.err
        assert "Jane" not in result.err


def test_in_a_folder(amends, tmp_path: Path, files):
    headerless(tmp_path, "csv", files)
    files.write_csv(tmp_path / "ok.csv", [["id", "text"], ["1", SECOND]])
    result = amends("score", tmp_path, "--summary", tmp_path / "s.json")
    assert result.code == 3
    assert "Jane" not in result.err + (tmp_path / "s.json").read_text()


@pytest.mark.parametrize(
    ("names", "text"),
    [
        (["1", FIRST], FIRST),
        (["a", "x" * 61], "x" * 61),
        (["17", "2024-05-01", "Late again and rude"], "Late again and rude"),
        (["", "Never again!"], "Never again!"),
        (["€ 12.50", "Never again!"], "Never again!"),
    ],
)
def test_data(names: list[str], text: str):
    with pytest.raises(InputError) as caught:
        refuse_data(names, text)
    assert REFUSED in str(caught.value)
    assert text not in str(caught.value)


@pytest.mark.parametrize(
    ("names", "text"),
    [
        (["Complaint ID", "Consumer complaint narrative"], "Consumer complaint narrative"),
        (["", "Consumer complaint narrative"], "Consumer complaint narrative"),  # a data frame's index has no name
        (["0", "text"], "text"),
        (["#", "What went wrong?"], "What went wrong?"),
        (["text"], "text"),
        (["id", "How can we help you?"], "How can we help you?"),
    ],
)
def test_names(names: list[str], text: str):
    refuse_data(names, text)


def test_a_question_as_name_can_be_chosen(score, amends, tmp_path: Path, files):
    question = "In your own words, what went wrong and what should we do?"
    source = files.write_csv(tmp_path / "survey.csv", [["id", question], ["1", SECOND], ["2", FIRST]])
    assert amends("score", source).code == 3
    score(source, "--text-column", question, "--summary", tmp_path / "s.json")
    assert len(files.read_dicts(tmp_path / "survey.scored.csv")) == 2
    assert json.loads((tmp_path / "s.json").read_text())["text_column"] == question


def test_long_names_are_told_by_their_place(score, tmp_path: Path, files):
    """In formats whose names are no row they are names; even so they may be sentences, and are not printed."""
    source = files.write_jsonl(tmp_path / "a.jsonl", [{"id": 1, REPLY: SECOND}])
    result = score(source)
    assert "text column: column 2" in result.err
    assert "Ms Doe" not in result.err
    source = files.write_csv(tmp_path / "b.csv", [["complaint", REPLY], [SECOND, SECOND]])
    result = score(source)
    assert "text column: 'complaint'" in result.err
    assert "Ms Doe" not in result.err
