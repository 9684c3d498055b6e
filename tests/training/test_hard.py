"""The hard sets: what they hold, that they are refused when broken, and how a model is judged by them."""

import json
import shutil
from collections import Counter, defaultdict

import numpy as np
import pytest

from amends.codebook import codebook
from amends.errors import InputError
from amends.model import load_folder
from amends.released import find
from amends_training import folds, hard, protocol
from amends_training.corpora import targets, training_records
from amends_training.metrics import Prediction


@pytest.fixture(scope="module")
def items():
    return hard.read_sets()


@pytest.fixture(scope="module")
def model():
    return load_folder(find("fast"))


@pytest.fixture
def copy(tmp_path):
    return shutil.copytree(hard.HARD, tmp_path / "hard")


def groups(items, name):
    result = defaultdict(list)
    for item in items:
        if item.set == name:
            result[item.pair].append(item.record)
    return list(result.values())


def test_every_set_has_fifteen_items_or_more(items):
    assert {item.set for item in items} == set(hard.FIELDS)
    for name in hard.FIELDS:
        units = [item.pair if name in hard.GROUPED else item.record.id for item in items if item.set == name]
        assert len(set(units)) >= 15, name


def test_ids_are_numbered_and_texts_differ(items):
    number = Counter()
    for item in items:
        number[item.set] += 1
        assert item.record.id == f"hard:{item.set}-{number[item.set]:02}"
        assert 20 <= len(item.record.text) <= 600, item.record.id
        assert item.record.sector
        assert item.record.channel
    assert len({item.record.text for item in items}) == len(items)


def test_the_labels_are_what_the_set_is_about(items):
    expected = {
        "unclear": {"stability": "unclear", "controllability": "unclear"},
        "praise": {"failure_type": "none"},
        "exception": {"stability": "unstable"},
        "outside": {"controllability": "uncontrollable"},
    }
    for item in items:
        for field, value in expected.get(item.set, {}).items():
            assert item.record.labels[field] == value, item.record.id


def test_records_without_a_failure_hold_nothing_else(items):
    for labels in (item.record.labels for item in items if item.record.labels["failure_type"] == "none"):
        assert labels["severity"] == "minor"
        assert labels["stability"] == labels["controllability"] == "unclear"
        assert labels["justice"] == ()
        assert labels["actions"] == ("acknowledge",)


def test_thanks_end_both_well_and_not(items):
    kinds = Counter(item.record.labels["failure_type"] == "none" for item in items if item.set == "thanks")
    assert min(kinds[True], kinds[False]) >= 5


def test_groups_share_or_differ_as_their_set_says(items):
    for group in groups(items, "style"):
        assert all(record.labels == group[0].labels for record in group)
    for group in groups(items, "deviation"):
        assert [record.labels["prior_recovery"] for record in group] == ["0", "1"]
    truth = hard.with_complaint(targets([item.record for item in items]))
    turned = [item.pair for item in items if item.set == "negation"]
    for pair in set(turned):
        rows = [row for row, item in enumerate(items) if item.pair == pair]
        assert len(hard.fields_of("negation", rows, truth)) == 1


def test_no_hard_text_stands_in_the_training_corpora(items):
    texts = {record.id: record.text for record in [*training_records(), *(item.record for item in items)]}
    own = protocol.protocol()["grouped"]
    found = folds.near_duplicates(texts, own["shingle_words"], own["containment"])
    mixed = defaultdict(set)
    for key, group in found.items():
        mixed[group].add(key.startswith("hard:"))
    assert all(len(kinds) == 1 for kinds in mixed.values())


def test_the_released_model_is_judged_in_shares(model, items):
    result = hard.judge(model)
    assert list(result) == sorted(hard.FIELDS)
    assert all(0 <= own["passed"] <= 1 for own in result.values())
    counted = {name: own["items"] for name, own in result.items()}
    assert counted["style"] == len(groups(items, "style"))
    assert counted["deviation"] == len(groups(items, "deviation"))
    assert counted["negation"] == 2 * len(groups(items, "negation"))


def test_a_model_that_is_right_passes_everything(monkeypatch, items):
    right = targets([item.record for item in items])
    monkeypatch.setattr(hard, "predict", lambda model, texts: Prediction(right, {}))
    assert {own["passed"] for own in hard.judge(None).values()} == {1.0}


def test_a_model_that_is_always_wrong_passes_nothing(monkeypatch, items):
    truth = targets([item.record for item in items])
    none = codebook()["failure_type"].index("none")
    wrong = {name: column + 1 for name, column in truth.items()}
    wrong["failure_type"] = np.where(truth["failure_type"] == none, 0, none)
    wrong["strategy"] = np.arange(len(items))  # the four of a style group get four strategies
    monkeypatch.setattr(hard, "predict", lambda model, texts: Prediction(wrong, {}))
    assert {own["passed"] for own in hard.judge(None).values()} == {0.0}


def test_one_answer_for_everything_does_not_pass_everything(monkeypatch, items):
    truth = targets([item.record for item in items])
    commonest = {name: np.full_like(column, np.bincount(column).argmax()) for name, column in truth.items()}
    monkeypatch.setattr(hard, "predict", lambda model, texts: Prediction(commonest, {}))
    result = {name: own["passed"] for name, own in hard.judge(None).items()}
    assert result["style"] == 1
    assert result["deviation"] == 0
    assert min(result["unclear"], result["exception"], result["outside"]) == 0


def test_half_a_group_or_an_unknown_set_is_refused(copy, model):
    lines = (copy / "deviation.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    (copy / "deviation.jsonl").write_text("".join(lines[1:]), encoding="utf-8")
    with pytest.raises(InputError, match="deviation-1 has 1 records, one group of deviation has 2"):
        hard.judge(model, copy)
    (copy / "deviation.jsonl").write_text(json.dumps(json.loads(lines[0]) | {"set": "irony"}), encoding="utf-8")
    with pytest.raises(InputError, match="is of the set 'irony'; the sets are style"):
        hard.judge(model, copy)


def test_a_pair_that_turns_nothing_and_an_empty_folder_are_refused(copy, model, tmp_path):
    rows = [json.loads(line) for line in (copy / "negation.jsonl").read_text(encoding="utf-8").splitlines()]
    rows[1]["labels"] = rows[0]["labels"]
    (copy / "negation.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    with pytest.raises(InputError, match="the labels of a pair differ in none of"):
        hard.judge(model, copy)
    with pytest.raises(InputError, match="there is no hard set here"):
        hard.judge(model, tmp_path / "nothing")
