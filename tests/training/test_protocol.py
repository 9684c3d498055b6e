"""That the code does what ``training/protocol.toml`` says, and that the rule table follows the codebook's tie rules."""

import numpy as np
import pytest

from amends.codebook import codebook
from amends_training import evaluate, metrics, protocol, splits
from amends_training.baselines import rule_table
from amends_training.corpora import DATA, PUBLIC, targets, training_records
from amends_training.fit import Settings


@pytest.fixture(scope="module")
def records():
    return training_records()


# --------------------------------------------------------------------------------------------------- what trains
def test_every_authored_english_file_is_named_by_the_protocol_and_there():
    named = [name for name in protocol.training_files() if name.startswith("authored/")]
    assert sorted(named) == sorted(f"authored/{path.name}" for path in (DATA / "authored").glob("en*.jsonl"))
    assert (DATA / "labels" / "public.jsonl").exists()


def test_version_1_stands_where_it_stood():
    own = protocol.protocol()["train"]
    assert own["labels"] == ["authored/en.jsonl", "labels/public.jsonl"]
    assert own["sources"] == ["authored/en", *(f"public/{name}" for name in PUBLIC)]


def test_records_come_in_the_order_of_the_files(records):
    sets = [int(record.id.removeprefix("authored-en:en").partition("-")[0]) for record in records]
    assert len(sets) > 5000
    assert [first for first, second in zip([0, *sets], sets, strict=False) if first != second][:2] == [0, 1]
    assert sets[0] == 1
    assert max(sets[:2580]) < 15 <= min(sets[2580:])


# ----------------------------------------------------------------------------------------------------- the splits
def test_the_splits_are_the_protocols(records):
    own = protocol.protocol()
    assert len(splits.grouped(records)) == own["grouped"]["folds"]
    assert {split.name for split in splits.leave_one_out(records)} == {
        f"without {name}" for name in own["leave_one_out"]["authored_sectors"]
    }
    for division in (splits.grouped(records), splits.leave_one_out(records)):
        assert (np.sum([split.test for split in division], axis=0) == 1).all()


def test_each_place_that_the_protocol_names_has_its_words():
    own = protocol.protocol()
    assert {*own["sectors"], "other"} == set(own["leave_one_out"]["authored_sectors"])


# ------------------------------------------------------------------------------------------- methods and metrics
def test_the_methods_are_the_protocols_baselines_and_fast():
    assert set(evaluate.BASELINES) == set(protocol.protocol()["baselines"])
    assert {*evaluate.methods(Settings()), "rules"} == {*protocol.protocol()["baselines"], "fast"}


def test_the_metrics_are_the_protocols():
    own = protocol.protocol()["metrics"]
    names = {"f1": "per_class_f1"}
    sure = np.eye(3)[[0, 1, 2, 1]]
    for head in ("severity", "stability", "controllability"):
        found = metrics.of_head(head, np.array([0, 1, 2, 1]), metrics.Prediction({head: np.array([0, 1, 2, 2])}, {head: sure}))
        assert {names.get(name, name) for name in found} == {*own["per_head"], own["ordered_heads"]["also"]}
        assert head in own["ordered_heads"]["heads"]
    churn = metrics.Prediction({"churn": np.array([0, 1])}, {"churn": np.eye(2)})
    assert {names.get(name, name) for name in metrics.of_head("churn", np.array([0, 1]), churn)} == set(own["per_head"])


def test_the_headline_is_over_the_decided_fields():
    assert set(metrics.headline_heads()) == set(codebook().decided)


def test_the_bootstrap_draws_by_the_protocols_seed_unless_told(records):
    truth = targets(records[:80])
    prediction = metrics.Prediction({name: np.roll(truth[name], 1) for name in metrics.headline_heads()}, {})
    usual = metrics.bootstrap(truth, [prediction])
    assert usual == metrics.bootstrap(truth, [prediction], protocol.seed())
    assert usual != metrics.bootstrap(truth, [prediction], 1)


# -------------------------------------------------------------------------------------------------- the rule table
def strategy_of(**tags: str) -> str:
    """Return the table's strategy for a controllable defect that cost something, but for ``tags``."""
    usual = {"failure_type": "defect", "severity": "moderate", "stability": "unclear", "controllability": "controllable"}
    given = {name: "0" for name in metrics.headline_heads() if name != "strategy"} | usual | tags
    columns = {name: np.array([metrics.names_of(name).index(label)]) for name, label in given.items()}
    return codebook()["strategy"].names[rule_table(columns)[0]]


@pytest.mark.parametrize(("tags", "strategy"), [
    pytest.param({"failure_type": "none", "severity": "minor"}, "acknowledge", id="no failure"),
    pytest.param({"failure_type": "unspecified"}, "apologize", id="no failure told"),
    pytest.param({"distributive": "1"}, "correct", id="still wrong and can be put right: before compensation"),
    pytest.param({"failure_type": "rude", "severity": "minor"}, "apologize", id="small loss, manner the grievance"),
    pytest.param({"failure_type": "rude", "severity": "severe"}, "escalate", id="severe harm by manner"),
    pytest.param({"failure_type": "billing"}, "compensate", id="wrong charge still standing"),
    pytest.param({"failure_type": "deceptive", "distributive": "1"}, "compensate", id="misled and out of pocket"),
    pytest.param({"failure_type": "deceptive"}, "explain", id="misled, nothing lost"),
    pytest.param({"failure_type": "security", "severity": "severe", "prior_recovery": "1"}, "protect", id="danger or fraud, above all"),
    pytest.param({"failure_type": "denied", "severity": "severe", "prior_recovery": "1"}, "escalate", id="failed recovery and severe"),
    pytest.param({"failure_type": "record_error", "severity": "severe", "prior_recovery": "1"}, "correct", id="unless one plain act ends it"),
    pytest.param({"failure_type": "unresponsive"}, "expedite", id="no answer"),
    pytest.param({"failure_type": "delay"}, "expedite", id="a wait that goes on"),
    pytest.param({"failure_type": "delay", "severity": "minor", "prior_recovery": "1"}, "expedite", id="a wait that was asked about"),
    pytest.param({"failure_type": "delay", "severity": "minor"}, "apologize", id="a short wait that is over"),
    pytest.param({"severity": "minor"}, "apologize", id="small shortfall, nobody rude"),
    pytest.param({"failure_type": "careless", "severity": "minor"}, "apologize", id="small carelessness"),
    pytest.param({"failure_type": "careless"}, "correct", id="a job done badly"),
    pytest.param({"controllability": "uncontrollable"}, "explain", id="cause outside the firm"),
    pytest.param({"severity": "minor", "stability": "stable"}, "prevent", id="a habit more than the own loss"),
])  # fmt: skip
def test_the_rule_table_follows_the_tie_rules(tags, strategy):
    assert strategy_of(**tags) == strategy


def test_the_rule_table_over_true_tags_is_far_from_chance_and_from_the_annotator(records):
    truth = targets(records)
    tags = {name: truth[name] for name in metrics.headline_heads() if name != "strategy"}
    assert 0.25 < metrics.kappa(truth["strategy"], rule_table(tags)) < 0.9
