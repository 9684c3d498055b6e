"""The command line apart from scoring: help, explain, models, exit codes."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import amends
from amends.cli import main
from amends.codebook import codebook

TEXT = "My flight was cancelled twice this month and nobody answers. I will never fly with you again."


def test_explain(capsys: pytest.CaptureFixture[str]):
    assert main(["explain", TEXT]) == 0
    out = capsys.readouterr().out
    assessment = amends.load()(TEXT)
    assert assessment.strategy is not None
    assert codebook()["strategy"][assessment.strategy.label].display in out
    assert f"{assessment.strategy.confidence:.0%}" in out
    assert assessment.model in out
    for spans in (assessment.evidence or {}).values():
        for span in spans[:1]:
            assert f"“{TEXT[span.start : span.end]}”" in out


def test_explain_as_json(capsys: pytest.CaptureFixture[str]):
    assert main(["explain", TEXT, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(amends.load()(TEXT).to_dict()))


@pytest.mark.parametrize(
    "text",
    ["12345", "Der Zug kam nicht und niemand hat uns gesagt, wie es weitergeht.", "\x1b[31m late \x07 again", "bad \ud800 staff"],
)
def test_explain_whatever_comes(text: str, capsys: pytest.CaptureFixture[str]):
    assert main(["explain", text]) == 0
    out = capsys.readouterr().out
    assert "model" in out
    assert "\x1b" not in out


def test_explain_nothing():
    assert main(["explain", "  "]) == 3


def test_models(capsys: pytest.CaptureFixture[str]):
    assert main(["models"]) == 0
    out = capsys.readouterr().out
    for model in amends.models():
        assert f"{model.name} {model.version}" in out
        assert str(model.card) in out
    assert main(["models", "--json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[0])["name"] == "fast"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [([], 2), (["--help"], 0), (["--version"], 0), (["fly"], 2), (["score"], 2), (["explain", "x", "--model", "nope"], 1)],
)
def test_exit_codes(arguments: list[str], code: int):
    assert main(arguments) == code


def test_help_loads_nothing_heavy():
    command = "import sys; from amends.cli import main; main(['--help']); print(sorted({'numpy', 'pandas', 'pyarrow', 'spacy', 'scipy'} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True)
    assert found.stdout.splitlines()[-1] == "[]"


def test_explain_from_standard_input():
    found = subprocess.run(
        [sys.executable, "-m", "amends.cli", "explain", "-"], input=TEXT.encode(), capture_output=True, check=False
    )
    assert found.returncode == 0
    assert b"fast" in found.stdout
