"""Making and judging models, through the public face, on the committed corpora and on small files written here."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import amends
from amends.errors import InputError
from amends.model import load_folder
from amends_training import cli, docs, folds, metrics, protocol
from amends_training.baselines import rule_table
from amends_training.corpora import DATA, read_labelled, source_of, targets, training_records

LABELS = {
    "failure_type": "delay", "severity": "minor", "stability": "unclear", "controllability": "controllable", "justice": ["P"],
    "prior_recovery": 0, "churn": 0, "strategy": "apologize", "actions": ["apologize"],
}  # fmt: skip


def write(path: Path, *records: dict) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


# ------------------------------------------------------------------------------------------------------- the data
def test_the_authored_corpora_keep_to_the_codebook():
    records = training_records()
    assert len(records) >= 2580
    assert {record.source for record in records} == {"authored-en"}
    for language in ("zh", "ko"):
        assert len(training_records(languages=[language])) >= 200


def test_every_authored_record_has_its_fold_and_near_duplicates_share_one():
    known = folds.read(DATA / "folds.tsv")
    texts = {record.id: record.text for record in training_records()}
    own = protocol.protocol()["grouped"]
    groups = folds.near_duplicates(texts, own["shingle_words"], own["containment"])
    for key, group in groups.items():
        assert known[key].fold == known[group].fold


def test_the_frozen_records_are_those_of_the_first_version():
    tested = [key for key, fold in folds.read(DATA / "folds.tsv").items() if fold.tested]
    assert len(tested) == 3832
    assert sum(key.startswith("authored-en:") for key in tested) == 2580


def test_added_records_never_move_frozen_ones_and_join_their_near_duplicates():
    frozen = {"a": folds.Fold("a", 3, True)}
    text = "the parcel was left in the rain and the driver did not even ring the bell"
    given_now = folds.assign({"a": text, "b": text + " again", "c": "quite another story about a hotel room"}, frozen, seed=1, folds=5, words=5, containment=0.5)  # fmt: skip
    assert given_now["a"] == frozen["a"]
    assert given_now["b"].fold == 3
    assert not given_now["b"].tested
    assert not given_now["c"].tested


@pytest.mark.parametrize(("change", "message"), [
    ({"severity": "huge"}, "line 1: severity is 'huge'; the values allowed are minor, moderate, severe"),
    ({"justice": ["P", "X"]}, r"line 1: justice is 'X'; the values allowed are D \(distributive\), P \(procedural\)"),
    ({"strategy": "expedite"}, "line 1: the strategy 'expedite' is not among the actions apologize"),
    ({"churn": 2}, "line 1: churn is '2'; the values allowed are 0, 1"),
])  # fmt: skip
def test_a_mistyped_label_is_refused_with_file_line_value_and_the_values_allowed(tmp_path, change, message):
    path = write(tmp_path / "own.jsonl", {"id": "x:1", "text": "late", "labels": LABELS | change})
    with pytest.raises(InputError, match=message) as caught:
        read_labelled(path)
    assert str(path) in str(caught.value)


def test_a_broken_line_is_refused_with_its_number(tmp_path):
    path = tmp_path / "own.jsonl"
    path.write_text(json.dumps({"id": "x:1", "text": "late", "labels": LABELS}) + "\n{oops\n", encoding="utf-8")
    with pytest.raises(InputError, match="line 2: not a JSON object"):
        read_labelled(path)


def test_a_correction_needs_a_reason_and_changes_only_what_it_names(tmp_path):
    data = tmp_path / "data"
    (data / "authored").mkdir(parents=True)
    write(data / "authored" / "en.jsonl", {"id": "authored-en:t-1", "text": "late", "labels": LABELS})
    write(data / "corrections.jsonl", {"id": "authored-en:t-1", "labels": {"severity": "moderate"}})
    with pytest.raises(InputError, match="`reason`"):
        training_records(data=data)
    write(
        data / "corrections.jsonl",
        {"id": "authored-en:t-1", "labels": {"severity": "moderate"}, "reason": "a day's pay was lost"},
    )
    (record,) = training_records(data=data)
    assert record.labels["severity"] == "moderate"
    assert record.labels["failure_type"] == "delay"


def test_public_text_is_found_by_id(tmp_path):
    (tmp_path / "public").mkdir()
    key = json.loads((DATA / "labels" / "public.jsonl").read_text(encoding="utf-8").splitlines()[0])["id"]
    write(tmp_path / "public" / f"{source_of(key)}.jsonl", {"id": key, "text": "invented", "sector": "banking"})
    assert [record.text for record in training_records(tmp_path) if record.id == key] == ["invented"]


# ---------------------------------------------------------------------------------------------------- the metrics
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=2, max_size=60))
def test_kappa_is_one_for_agreement_and_at_most_one(pairs):
    truth, said = map(np.array, zip(*pairs, strict=True))
    assert metrics.kappa(truth, said) <= 1 + 1e-9
    if len(set(truth)) > 1:
        assert metrics.kappa(truth, truth) == pytest.approx(1)


def test_calibration_error_of_a_sure_and_right_model_is_zero():
    truth = np.array([0, 1, 1, 0])
    assert metrics.calibration_error(np.eye(2)[truth], truth, truth) == 0
    assert metrics.calibration_error(np.eye(2)[truth], 1 - truth, truth) == 1


def test_the_bootstraps_headline_is_the_headline():
    records = training_records()[:300]
    truth = targets(records)
    shuffled = {name: np.roll(truth[name], 1) for name in metrics.headline_heads()}
    for chosen in (shuffled, {name: np.where(np.arange(300) % 3 > 0, truth[name], shuffled[name]) for name in shuffled}):
        prediction = metrics.Prediction(chosen, {})
        low, high = metrics.bootstrap(truth, [prediction])[0]
        assert low <= metrics.headline(truth, prediction) + 0.01
        assert high >= metrics.headline(truth, prediction) - 0.01
        assert high - low < 0.2


def test_the_rule_table_follows_the_tie_rules():
    truth = targets(training_records())
    tags = {name: truth[name] for name in metrics.headline_heads() if name != "strategy"}
    agreement = metrics.kappa(truth["strategy"], rule_table(tags))
    assert 0.25 < agreement < 0.9  # from true tags it is far better than chance and far from the annotator


# ------------------------------------------------------------------------------------------------- fit and release
@pytest.fixture(scope="module")
def fitted(tmp_path_factory) -> Path:
    """A model fitted by the command line on a small part of the authored corpus."""
    data = tmp_path_factory.mktemp("data")
    (data / "authored").mkdir()
    lines = (DATA / "authored" / "en.jsonl").read_text(encoding="utf-8").splitlines()[:400]
    (data / "authored" / "en.jsonl").write_text("\n".join(lines), encoding="utf-8")
    shutil.copytree(DATA / "labels", data / "labels")
    folder = data / "model"
    from amends_training.fit import Settings
    from amends_training.release import release

    release(
        training_records(data=data),
        folder,
        name="small",
        version="0",
        results=None,
        settings=Settings(),
        progress=lambda step: None,
    )
    return folder


def test_a_fitted_model_loads_and_scores(fitted):
    result = amends.load(fitted)("They charged me twice and nobody answers my emails")
    assert result.status == "ok"
    assert result.strategy.label == result.actions[0]


def test_its_card_says_that_it_was_not_judged(fitted):
    card = (fitted / "README.md").read_text(encoding="utf-8")
    assert "Not judged" in card
    assert "language model read each message" in card


def test_eight_bit_weights_change_hardly_any_label(fitted):
    model = load_folder(fitted)
    manifest = json.loads((fitted / "manifest.json").read_text(encoding="utf-8"))
    assert set(manifest["files"]) == {"weights.safetensors", "vocabulary.json"}
    assert model.tagger.weights.dtype == np.float32


def test_evaluate_judges_a_model_and_a_file_of_predictions(fitted, tmp_path, capsys):
    records = [json.loads(line) for line in (DATA / "authored" / "en.jsonl").read_text(encoding="utf-8").splitlines()[400:480]]
    labelled = write(tmp_path / "labelled.jsonl", *records)
    assert cli.main(["evaluate", str(fitted), str(labelled), "--json"]) == 0
    assert 0 < json.loads(capsys.readouterr().out)["headline"] < 1
    perfect = write(tmp_path / "said.jsonl", *({"id": r["id"], "labels": r["labels"]} for r in records))
    assert cli.main(["evaluate", str(perfect), str(labelled)]) == 0
    assert "mean kappa 1.000" in capsys.readouterr().out
    short = write(tmp_path / "short.jsonl", *({"id": r["id"], "labels": r["labels"]} for r in records[1:]))
    assert cli.main(["evaluate", str(short), str(labelled)]) == 3
    assert "no prediction for 1 of 80 records" in capsys.readouterr().err


def test_release_refuses_results_of_other_records(tmp_path, capsys):
    results = tmp_path / "results.json"
    results.write_text(json.dumps({"data": "other"}), encoding="utf-8")
    assert cli.main(["release", "--version", "1", "--results", str(results), "-o", str(tmp_path / "m")]) == 3
    assert "measured on other records" in capsys.readouterr().err


@pytest.mark.slow
def test_fitting_twice_gives_the_same_bytes(tmp_path):
    for name in ("one", "two"):
        subprocess.run([sys.executable, "-m", "amends_training.cli", "fit", "-o", str(tmp_path / name)], check=True)
    for file in ("weights.safetensors", "vocabulary.json", "manifest.json"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


# -------------------------------------------------------------------------------------------------------- the docs
@pytest.mark.parametrize(("name", "page"), [("codebook.md", docs.codebook_page), ("output.md", docs.output_page)])
def test_made_documents_are_up_to_date(name, page):
    path = DATA.parents[1] / "docs" / name
    assert path.read_text(encoding="utf-8") == page(), "run `python -m amends_training.docs`"
