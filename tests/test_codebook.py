"""The codebook is one file from which everything that names a label derives."""

import pytest

from amends import cues
from amends.codebook import codebook
from amends.cues import find, rules, written_out


def test_eleven_decided_fields():
    assert len(codebook().decided) == 11
    assert codebook().decided[:4] == ("failure_type", "severity", "stability", "controllability")


def test_every_failure_type_has_a_group_that_exists():
    assert {label.group for label in codebook()["failure_type"].labels} == set(codebook().groups)


def test_an_unknown_label_is_refused_with_the_labels_there_are():
    with pytest.raises(ValueError, match="unknown label 'awful'; the codebook has minor, moderate, severe"):
        codebook()["severity"].index("awful")


def test_what_a_record_without_failure_is_given_are_labels_of_the_codebook():
    for name, label in codebook().no_failure.items():
        assert label == [] if name == "justice" else label in codebook()[name].names


def test_cues_speak_for_labels_of_the_codebook():
    for rule in rules():
        assert rule.phrases
        if rule.kind == "cue":
            assert rule.label in codebook()[rule.field].names


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.name)
def test_every_phrase_is_found_where_it_is_written(rule):
    for phrase in rule.phrases:
        for form in (written_out(phrase)[0], written_out(phrase)[-1]):
            text = f"Well, {form.upper()} I say"
            assert form in [text[start:end].lower() for own, start, end in find(text) if own == rule]


@pytest.mark.parametrize("text", [
    "The issue was never resolved by the company", "I had to press the button twice", "12 MP camera, blurry pictures",
    "press 1 for billing", "the suit was late", "courtesy call never came",
])  # fmt: skip
def test_ordinary_words_call_for_nobody(text):
    assert not any(rule.kind == "must_see" for rule, _, _ in find(text))


def test_what_customers_write_does_not_grow_the_matchers_vocabulary():
    find("warm up, third time")
    before = len(cues._vocab().strings)
    find("zzyzx quuxly brobdingnag third time " * 50)
    assert len(cues._vocab().strings) == before
