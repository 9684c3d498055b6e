"""A model folder is checked before anything of it is believed."""

import json
import shutil
from pathlib import Path

import pytest

import amends
from amends.released import find


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(find("fast"), tmp_path / "copy"))


def change(folder: Path, **entries: object) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | entries), encoding="utf-8")


def test_a_copied_folder_loads_and_says_the_same(folder: Path, pipeline):
    text = "Charged twice, and the refund never came."
    assert amends.load(folder)(text) == pipeline(text)
    assert amends.load(str(folder)).digest == pipeline.digest


@pytest.mark.parametrize("name", ["weights.safetensors", "vocabulary.json"])
def test_a_changed_byte_is_refused(folder: Path, name: str):
    raw = bytearray((folder / name).read_bytes())
    raw[len(raw) // 2] ^= 1
    (folder / name).write_bytes(raw)
    with pytest.raises(amends.ModelError, match=f"{name} is not the file that was released"):
        amends.load(folder)


def test_a_missing_file_is_named(folder: Path):
    (folder / "vocabulary.json").unlink()
    with pytest.raises(amends.ModelError, match=r"vocabulary\.json cannot be read"):
        amends.load(folder)


def test_a_newer_format_says_what_to_do(folder: Path):
    change(folder, format=99)
    with pytest.raises(amends.ModelError, match="model format 99, this version of amends reads format 1: upgrade amends"):
        amends.load(folder)


def test_a_damaged_manifest_is_refused(folder: Path):
    (folder / "manifest.json").write_text("{", encoding="utf-8")
    with pytest.raises(amends.ModelError, match="damaged"):
        amends.load(folder)


def test_a_manifest_that_lists_no_files_is_refused(folder: Path):
    change(folder, files={})
    with pytest.raises(amends.ModelError, match="`files` does not list"):
        amends.load(folder)


def test_a_manifest_without_what_it_needs_is_refused(folder: Path):
    (folder / "manifest.json").write_text('{"format": 1}', encoding="utf-8")
    with pytest.raises(amends.ModelError, match="it has no codebook, cues, files"):
        amends.load(folder)


def test_acts_in_another_order_are_refused(folder: Path):
    router = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["router"]
    change(folder, router=[router[0], *reversed(router[1:])])
    with pytest.raises(amends.ModelError, match="the plan's acts are"):
        amends.load(folder)


def test_labels_of_another_codebook_are_refused(folder: Path):
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest["tags"][1]["labels"] = ["small", "middling", "large"]
    change(folder, tags=manifest["tags"])
    with pytest.raises(amends.ModelError, match="severity learnt the labels small, middling, large"):
        amends.load(folder)


def test_no_such_model_lists_the_models_there_are():
    with pytest.raises(amends.ModelError, match=r"no model 'fats': neither the name of a released model \(fast"):
        amends.load("fats")


def test_a_folder_that_is_no_model(tmp_path: Path):
    with pytest.raises(amends.ModelError, match=r"manifest\.json cannot be read"):
        amends.load(tmp_path)


def test_released_models_are_small_and_described():
    info = amends.models()[0]
    assert info.name == "fast"
    assert info.size_bytes < 15_000_000
    assert info.quality["grouped"] > 0
    card = info.card.read_text(encoding="utf-8")
    assert f"# Model card: fast {info.version}" in card
    for told in (
        "language model read each message",
        "## Limits",
        "Intended use",
        "tfidf_logreg",
        f"{info.quality['grouped']:.3f}",
    ):
        assert told in card
