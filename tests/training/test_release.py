"""Fitting, judging and releasing a small model, and the results that a release asks for."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import amends
from amends.errors import InputError
from amends.model import load_folder
from amends_training import card, cli, evaluate, features, metrics, results
from amends_training.corpora import DATA, targets, training_records
from amends_training.fit import Settings, fit, silent, with_manifest
from amends_training.measure import labels_changed
from amends_training.release import write as write_model


def write(path: Path, *records: dict) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    """A small part of the authored corpus."""
    data = tmp_path_factory.mktemp("data")
    (data / "authored").mkdir()
    lines = (DATA / "authored" / "en.jsonl").read_text(encoding="utf-8").splitlines()[:400]
    (data / "authored" / "en.jsonl").write_text("\n".join(lines), encoding="utf-8")
    shutil.copytree(DATA / "labels", data / "labels")
    return training_records(data=data)


@pytest.fixture(scope="module")
def model(records):
    """The model with its weights as fitted."""
    return with_manifest(fit(records), name="fast", version="0", settings=Settings().decisive(), quality={})


@pytest.fixture(scope="module")
def fitted(model, records, tmp_path_factory) -> Path:
    """The folder that it is stored in."""
    folder = tmp_path_factory.mktemp("models") / "fast"
    write_model(model, records, folder)
    return folder


# ------------------------------------------------------------------------------------------------ the model folder
def test_a_fitted_model_loads_and_scores(fitted):
    result = amends.load(fitted)("They charged me twice and nobody answers my emails")
    assert result.status == "ok"
    assert result.strategy.label == result.actions[0]


def test_eight_bit_weights_change_hardly_any_label(fitted, model, records):
    others = [record.text for record in training_records()[400:1400]]
    stored = load_folder(fitted)
    assert labels_changed(model, stored, others) <= 0.01
    assert labels_changed(model, stored, [record.text for record in records]) == pytest.approx(
        stored.manifest["quantisation"]["labels_changed"], abs=1e-5
    )


def test_the_share_of_changed_labels_counts_every_label(fitted, model):
    stored = load_folder(fitted)
    texts = [record.text for record in training_records()[:50]]
    turned = {name: -10 * np.eye(len(values))[0] for name, values in model.offsets.items()}
    assert labels_changed(model, evaluate.replace(stored, offsets=turned), texts) > 0.1


def test_the_manifest_holds_what_was_measured_and_what_trained(fitted, records):
    manifest = json.loads((fitted / "manifest.json").read_text(encoding="utf-8"))
    assert set(manifest["files"]) == {"weights.safetensors", "vocabulary.json"}
    assert 0 <= manifest["review"]["must_see"] < 0.5
    assert manifest["language"] == {"texts": 400, "turned_away": pytest.approx(0, abs=0.01)}
    (source,) = manifest["training"]
    assert (source["name"], source["language"], source["records"]) == ("authored-en", "en", len(records))
    assert sum(source["sectors"].values()) == len(records)


def test_the_card_of_a_model_that_was_not_judged_says_so(fitted):
    text = (fitted / "README.md").read_text(encoding="utf-8")
    assert "Not judged" in text
    assert "language model read each message" in text
    assert "written for this project" in text
    assert "NHS" not in text
    assert "CFPB" not in text
    assert "The training text is English, 100% of it about invented firms." in text


def test_the_card_tells_the_numbers_that_were_measured(fitted, records, measured):
    stored = load_folder(fitted)
    text = card.card(stored, records, measured)
    for test, said in (("grouped", "grouped five-fold"), ("transfer", "transfer")):
        error = np.mean([head["ece"] for head in measured[test]["fast"]["heads"].values()])
        assert f"{error:.3f} in {said}" in text
        assert f"{measured[test]['fast']['headline']:.2f} in {said}" in text
    assert f"`must_see` flags {stored.manifest['review']['must_see']:.1%} of the complaints" in text
    assert f"turns away {stored.manifest['language']['turned_away']:.2%} of the 400 authored texts" in text
    assert f"changes {stored.manifest['quantisation']['labels_changed']:.2%} of the labels" in text
    assert "Not judged" not in text


def test_evaluate_judges_a_model_and_a_file_of_predictions(fitted, tmp_path, capsys):
    lines = [json.loads(line) for line in (DATA / "authored" / "en.jsonl").read_text(encoding="utf-8").splitlines()[400:480]]
    labelled = write(tmp_path / "labelled.jsonl", *lines)
    assert cli.main(["evaluate", str(fitted), str(labelled), "--json"]) == 0
    first = json.loads(capsys.readouterr().out)
    assert 0 < first["headline"] < 1
    assert cli.main(["evaluate", str(fitted), str(labelled), "--json", "--seed", "1"]) == 0
    second = json.loads(capsys.readouterr().out)
    assert second["heads"] == first["heads"]
    assert second["interval"] != first["interval"]
    perfect = write(tmp_path / "said.jsonl", *({"id": r["id"], "labels": r["labels"]} for r in lines))
    assert cli.main(["evaluate", str(perfect), str(labelled)]) == 0
    assert "mean kappa 1.000" in capsys.readouterr().out
    short = write(tmp_path / "short.jsonl", *({"id": r["id"], "labels": r["labels"]} for r in lines[1:]))
    assert cli.main(["evaluate", str(short), str(labelled)]) == 3
    assert "no prediction for 1 of 80 records" in capsys.readouterr().err


@pytest.mark.slow
def test_fitting_twice_gives_the_same_bytes(tmp_path):
    for name in ("one", "two"):
        more = ["--cache", str(tmp_path / "cache")]
        subprocess.run([sys.executable, "-m", "amends_training.cli", "fit", "-o", str(tmp_path / name), *more], check=True)
    for file in ("weights.safetensors", "vocabulary.json", "manifest.json"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


# ------------------------------------------------------------------------------------- results and what they were of
def half_right(train, test):
    """A method that is right but for every second record, where it repeats the record before."""
    truth = targets(test)
    chosen = {name: truth[name][np.arange(len(test)) // 2 * 2] for name in metrics.headline_heads()}
    return metrics.Prediction(
        chosen,
        {
            name: 0.9 * np.eye(len(metrics.names_of(name)))[own] + 0.1 / len(metrics.names_of(name))
            for name, own in chosen.items()
        },
    )


@pytest.fixture(scope="module")
def measured(records):
    """The protocol's results, stamped, with a method in place of `fast` that is quick."""
    quick = {"majority": evaluate.methods(Settings())["majority"], "fast": half_right}
    return {**results.stamp(records, Settings()), **results.rounded(evaluate.run(records, records[:90], quick, silent))}


def test_results_of_the_model_that_is_to_be_released_are_taken(tmp_path, records, measured):
    path = tmp_path / "results.json"
    results.write(path, measured)
    results.refuse_others(path, results.read(path), "fast", results.stamp(records, Settings(jobs=1)))


@pytest.mark.parametrize(("change", "message"), [
    ({"data": "abc"}, "measured on other records (abc there"),
    ({"cues": "abc"}, "measured on other cues (abc there"),
    ({"cues": None}, "measured on other cues (not written there)"),
    ({"settings": {**Settings().decisive(), "strength": 1.0}}, "measured on other settings (strength 1.0 there, 3.0 here)"),
    ({"protocol": 0}, "measured on another version of the protocol (0 there, 1 here)"),
    ({"codebook": "1.0"}, "measured on another codebook (1.0 there"),
    ({"seed": 1}, "measured on another seed (1 there"),
    ({"data": "abc", "cues": "def"}, "other records (abc there"),
])  # fmt: skip
def test_results_of_anything_else_are_refused_with_what_differs(records, measured, change, message):
    with pytest.raises(InputError) as caught:
        results.refuse_others(Path("r.json"), measured | change, "fast", results.stamp(records, Settings()))
    assert message in str(caught.value)
    assert "run `amends-train compare` again" in str(caught.value)


@pytest.mark.parametrize("name", ["other", "majority", "rules"])
def test_a_model_that_was_not_judged_is_not_released(records, measured, name):
    with pytest.raises(InputError, match=f"has no results of a model '{name}', as the folder's name calls it; it has fast"):
        results.refuse_others(Path("r.json"), measured, name, results.stamp(records, Settings()))


@pytest.mark.parametrize(("written", "message"), [
    (None, "no results; run `amends-train compare` first"),
    ("{oops", "not what `amends-train compare` writes"),
    ("[1]", "not what `amends-train compare` writes, but list"),
    ('{"data": "other"}', "measured on other records"),
])  # fmt: skip
def test_release_refuses_results_that_are_not_its_own(tmp_path, capsys, written, message):
    path = tmp_path / "results.json"
    if written is not None:
        path.write_text(written, encoding="utf-8")
    assert cli.main(["release", "--version", "1", "--results", str(path), "-o", str(tmp_path / "fast")]) == 3
    assert message in capsys.readouterr().err
    assert not (tmp_path / "fast").exists()


# -------------------------------------------------------------------------------------------------- cached features
def test_cached_features_are_the_same_and_are_made_once_for_each_texts_cues_and_setting(tmp_path, monkeypatch):
    texts = ["The parcel is late again", "Late again and nobody answers", "A rude man at the desk, again"]
    encoder, fresh = features.encoded(texts, 2)
    first = features.encoded(texts, 2, tmp_path / "cache")[1]

    def never(*_: object, **__: object) -> None:
        raise AssertionError("encoded anew")

    monkeypatch.setattr(features.Encoder, "fit", never)
    kept, second = features.encoded(texts, 2, tmp_path / "cache")
    for one in (first, second):
        assert (one != fresh).nnz == 0
        assert one.dtype == fresh.dtype
    assert kept.vocabulary.words == encoder.vocabulary.words
    assert (kept.transform(texts) != fresh).nnz == 0
    for change in (
        lambda: features.encoded(texts[:2], 2, tmp_path / "cache"),
        lambda: features.encoded(texts, 1, tmp_path / "cache"),
    ):
        with pytest.raises(AssertionError, match="encoded anew"):
            change()
    monkeypatch.setattr(features, "cue_digest", lambda: "other cues")
    with pytest.raises(AssertionError, match="encoded anew"):
        features.encoded(texts, 2, tmp_path / "cache")


def test_a_cache_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(InputError, match="features cannot be kept there"):
        features.encoded(["late", "late"], 2, tmp_path / "file")
