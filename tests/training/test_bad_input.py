"""What `amends-train` refuses, and how it ends: one line that says where and what would be right."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import amends
from amends.errors import InputError
from amends_training import checkout, cli, commands
from amends_training.corpora import read_labelled, training_records

LABELS = {
    "failure_type": "delay", "severity": "minor", "stability": "unclear", "controllability": "controllable", "justice": ["P"],
    "prior_recovery": 0, "churn": 0, "strategy": "apologize", "actions": ["apologize"],
}  # fmt: skip
PIPELINE = Path(amends.__file__).parents[1]


def write(path: Path, *records: object) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


# ------------------------------------------------------------------------------------------------ labelled records
@pytest.mark.parametrize(("change", "message"), [
    ({"severity": "huge"}, "line 1: severity is 'huge'; the values allowed are minor, moderate, severe"),
    ({"justice": ["P", "X"]}, r"line 1: justice is 'X'; the values allowed are D \(distributive\), P \(procedural\)"),
    ({"strategy": "expedite"}, "line 1: the strategy 'expedite' is not among the actions apologize"),
    ({"churn": 2}, "line 1: churn is '2'; the values allowed are 0, 1"),
    ({"severty": "minor"}, "line 1: there is no field severty; the fields are failure_type, severity"),
    ({"actions": ["apologize", "explain", "apologize"]}, "line 1: actions names 'apologize' twice"),
    ({"justice": "PP"}, "line 1: justice names 'procedural' twice"),
])  # fmt: skip
def test_a_mistyped_label_is_refused_with_file_line_value_and_the_values_allowed(tmp_path, change, message):
    path = write(tmp_path / "own.jsonl", {"id": "x:1", "text": "late", "labels": LABELS | change})
    with pytest.raises(InputError, match=message) as caught:
        read_labelled(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(("line", "message"), [
    ("{oops", "line 2: not a JSON object"),
    ("[1]", "line 2: not a JSON object but list"),
    ("[" * 100_000, "line 2: not a JSON object"),
    (json.dumps({"text": "late", "labels": LABELS}), "line 2: no `id`"),
    (json.dumps({"id": "x:2", "text": None, "labels": LABELS}), "line 2: the `text` of x:2 is no string"),
    (json.dumps({"id": "x:2", "text": "late"}), "line 2: `labels` is NoneType"),
    (json.dumps({"id": "x:2", "labels": LABELS}), "line 2: there is no text for x:2"),
])  # fmt: skip
def test_a_line_that_is_no_record_is_refused_with_its_number(tmp_path, line, message):
    path = tmp_path / "own.jsonl"
    path.write_text(json.dumps({"id": "x:1", "text": "late", "labels": LABELS}) + f"\n{line}\n", encoding="utf-8")
    with pytest.raises(InputError, match=message):
        read_labelled(path)


def test_a_file_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "own.jsonl").write_bytes(b"\xff\xfe{\x00}\x00")
    with pytest.raises(InputError, match="is not UTF-8 text"):
        read_labelled(tmp_path / "own.jsonl")


@pytest.mark.parametrize("command", ["labelled", "text", "predictions"])
def test_an_empty_or_odd_file_ends_evaluate_in_one_line(tmp_path, capsys, command):
    good = write(tmp_path / "good.jsonl", {"id": "x:1", "text": "late", "labels": LABELS})
    odd = write(tmp_path / "odd.jsonl", *([] if command == "labelled" else [[1]]))
    what, labelled = (odd, good) if command == "predictions" else (good, odd if command == "labelled" else good)
    more = ["--text", str(odd)] if command == "text" else []
    assert cli.main(["evaluate", str(what), str(labelled), *more]) == 3
    message = capsys.readouterr().err
    assert "odd.jsonl" in message
    assert message.count("\n") == 1


# ----------------------------------------------------------------------------------------------------- corrections
@pytest.fixture
def data(tmp_path) -> Path:
    (tmp_path / "authored").mkdir()
    (tmp_path / "labels").mkdir()
    write(tmp_path / "authored" / "en.jsonl", {"id": "authored-en:t-1", "text": "late", "labels": LABELS})
    write(tmp_path / "authored" / "ko.jsonl", {"id": "authored-ko:t-1", "text": "늦음", "labels": LABELS})
    write(tmp_path / "labels" / "public.jsonl", {"id": "cfpb:1", "labels": LABELS})
    return tmp_path


def correction(**change: object) -> dict:
    usual = {"id": "authored-en:t-1", "labels": {"severity": "moderate"}, "reason": "a day's pay was lost"}
    return {key: value for key, value in (usual | change).items() if value is not None}


def test_a_correction_changes_only_what_it_names(data):
    write(data / "corrections.jsonl", correction())
    (record,) = training_records(data=data)
    assert record.labels["severity"] == "moderate"
    assert record.labels["failure_type"] == "delay"


def test_a_correction_of_a_record_that_is_not_read_now_is_kept(data):
    write(data / "corrections.jsonl", correction(id="authored-ko:t-1"), correction(id="cfpb:1"))
    (record,) = training_records(data=data)
    assert record.labels["severity"] == "minor"


@pytest.mark.parametrize(("change", "message"), [
    ({"reason": None}, "a correction has `id`, `labels` and `reason`"),
    ({"id": None}, "a correction has `id`, `labels` and `reason`"),
    ({"labels": None}, "a correction has `id`, `labels` and `reason`"),
    ({"labels": ["severity"]}, "a correction has `id`, `labels` and `reason`"),
    ({"labels": {"severty": "minor"}}, "there is no field severty"),
    ({"labels": {"severity": "huge"}}, "severity is 'huge'; the values allowed are minor"),
    ({"labels": {"strategy": "protect"}}, "the strategy 'protect' is not among the actions"),
    ({"id": "authored-en:t-2"}, "there is no record authored-en:t-2"),
    ({"id": "authored-ko:t-1"}, "authored-ko:t-1 is corrected twice"),
])  # fmt: skip
def test_a_bad_correction_is_refused_with_file_and_line(data, change, message):
    path = write(data / "corrections.jsonl", correction(id="authored-ko:t-1"), correction(**change))
    with pytest.raises(InputError, match=message) as caught:
        training_records(data=data)
    assert f"{path}, line 2" in str(caught.value)


# ---------------------------------------------------------------------------------------------------- how it ends
@pytest.mark.parametrize("arguments", [["fit", "--jobs", "0"], ["fit", "--jobs", "many"], ["evaluate", "--seed", "-1", "a", "b"], ["fit", "--seed", "1"], []])  # fmt: skip
def test_a_usage_error_ends_with_2(arguments, capsys):
    assert cli.main(arguments) == 2
    assert "usage: amends-train" in capsys.readouterr().err


def test_fit_says_that_it_needs_no_seed(capsys):
    assert cli.main(["fit", "--help"]) == 0
    assert "there is no seed" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(("error", "code", "message"), [
    (RuntimeError("what the customer wrote"), 1, "amends-train: failed: RuntimeError at test_bad_input.py"),
    (OSError(28, "what the customer wrote"), 1, "amends-train: failed: OSError (No space left on device) at"),
    (ModuleNotFoundError("No module named 'numpi'", name="numpi"), 1, "amends-train: failed: ModuleNotFoundError (numpi)"),
    (ModuleNotFoundError("No module named 'sklearn'", name="sklearn"), 1, "amends-train: scikit-learn is not installed: pip install 'amends[train]'"),
    (KeyboardInterrupt(), 130, "amends-train: interrupted"),
    (BrokenPipeError(), 0, ""),
])  # fmt: skip
def test_whatever_happens_ends_in_one_line(monkeypatch, capsys, error, code, message):
    def broken(_: object) -> int:
        raise error

    monkeypatch.setattr(commands, "language", broken)
    monkeypatch.delenv("AMENDS_DEBUG", raising=False)
    monkeypatch.setattr(cli.os, "dup2", lambda *_: None)
    assert cli.main(["language"]) == code
    said = capsys.readouterr().err
    assert said.startswith(message)
    assert said.count("\n") == int(code > 0)
    assert "customer" not in said


def test_amends_debug_shows_the_traceback(monkeypatch, capsys):
    def broken(_: object) -> int:
        raise RuntimeError("why")

    monkeypatch.setattr(commands, "language", broken)
    monkeypatch.setenv("AMENDS_DEBUG", "1")
    assert cli.main(["language"]) == 1
    assert "RuntimeError: why" in capsys.readouterr().err


def run(code: str, *paths: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, paths))}
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False)


@pytest.mark.parametrize("command", ["fit", "folds", "language", "fetch", "evaluate"])
def test_an_installed_package_says_that_it_needs_a_checkout(tmp_path, command):
    more = {"fetch": [str(tmp_path)], "evaluate": ["fast", "x.jsonl"]}.get(command, [])
    site = tmp_path / "site-packages"
    shutil.copytree(checkout.training_folder() / "amends_training", site / "amends_training")
    result = run(f"import sys; from amends_training.cli import main; sys.exit(main({[command, *more]!r}))", site, PIPELINE)
    assert result.returncode == 3, result.stderr
    assert "amends-train needs a checkout of the repository (training/data is not in the installed package)" in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("command", ["fit", "evaluate", "compare"])
def test_without_the_extra_it_says_what_to_install(tmp_path, command):
    labelled = write(tmp_path / "own.jsonl", {"id": "x:1", "text": "late", "labels": LABELS})
    more = [str(labelled), str(labelled)] if command == "evaluate" else ["-o", str(tmp_path / "out")]
    code = (
        f"import sys; sys.modules['sklearn'] = None; from amends_training.cli import main; sys.exit(main({[command, *more]!r}))"
    )
    result = run(code, checkout.training_folder(), PIPELINE)
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1] == "amends-train: scikit-learn is not installed: pip install 'amends[train]'"
    assert "Traceback" not in result.stderr
