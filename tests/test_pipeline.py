"""What a complaint gets, through the library's public face."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import jsonschema
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import amends
from amends.codebook import codebook
from amends.columns import schema

TEXTS = [
    "My card was charged twice for the same train ticket and I want the second payment back.",
    "Third time this month the bus did not come. I called, emailed, and nobody answers. Never again!",
    "The receptionist shouted at my mother and called her stupid in front of everyone.",
    "Someone opened an account in my name and took $4,000, please freeze it.",
    "Thank you so much, the staff were lovely!",
    "Flight was late because of the storm, not your fault, usually you are great.",
]
HOSTILE = [
    None, float("nan"), 7, 3.5, True, b"bytes", [], "", "   ", "\u200b", "\x00", "😡😡😡", "12345", "?!?!", "\ud800 broken half of a pair, late again",
    "<script>alert('late parcel')</script>", "=cmd|'/c calc'!A1 refund my order now please", "late\u202e parcel never came",
    "z" * 1_000_000, "word " * 50_000, "a\nb\r\nc\td the order never came", pd.NA, pd.NaT, np.float64("nan"), "El pedido llegó roto y nadie responde a mis mensajes",
    "배송이 너무 늦어요", "退款一直没有收到",
]  # fmt: skip


def test_every_field_is_filled(pipeline):
    result = pipeline(TEXTS[0])
    assert result.status == "ok"
    assert result.language == "en"
    assert result.complaint
    assert result.failure_type.label == "billing"
    assert result.failure_type.group == "core_service"
    assert result.strategy.label == result.actions[0]
    assert result.strategy.second != result.strategy.label
    assert 0 < result.strategy.confidence <= 1
    assert "distributive" in result.justice.concerns
    assert result.model == pipeline.model


def test_tags_that_the_text_states_outright(pipeline):
    results = pipeline.batch(TEXTS)
    assert results[1].prior_recovery.value
    assert results[1].churn.value
    assert results[1].stability.label == "stable"
    assert results[2].failure_type.label == "rude"
    assert "interpersonal" in results[2].justice.concerns
    assert results[3].failure_type.label == "security"
    assert results[3].strategy.label == "protect"
    assert results[4].failure_type.label == "none"


def test_no_failure_ends_the_record(pipeline):
    result = pipeline(TEXTS[4])
    assert not result.complaint
    assert (result.severity.label, result.stability.label, result.controllability.label) == ("minor", "unclear", "unclear")
    assert result.justice.concerns == ()
    assert result.actions == ("acknowledge",)
    assert result.paradox.outlook == "not_applicable"


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: repr(text)[:20])
def test_nothing_that_a_cell_can_hold_raises(pipeline, text):
    result = pipeline(text)
    json.dumps(result.to_dict())
    if not isinstance(text, str):
        assert result.status == ("empty" if text is None or text is pd.NA or text != text else "not_text")
        assert result.failure_type is None
        assert result.actions == ()


@pytest.mark.parametrize(("text", "status"), [
    ("", "empty"), (" \n\t", "empty"), ("\u200b\ufeff", "empty"), ("12345", "not_text"), ("😡😡😡", "not_text"),
    ("El pedido llegó roto y nadie responde a mis mensajes", "unsupported_language"), ("배송이 너무 늦어요", "unsupported_language"),
    ("late again. " * 20_000, "truncated"), ("Horrible horrible", "ok"), ("crap", "ok"),
])  # fmt: skip
def test_statuses(pipeline, text, status):
    assert pipeline(text).status == status


@pytest.mark.parametrize("text", [
    "From: Kundenservice\nSent: Monday, 3 March 2026\nTo: Service\nCc: \nSubject: Re: Order 48213\n\n" + "Die Lieferung ist seit drei Wochen überfällig "
    "und niemand antwortet auf meine Nachrichten. Ich möchte mein Geld zurück und werde nie wieder bei Ihnen bestellen.",
    "." * 200 + " Die Lieferung ist seit drei Wochen überfällig und niemand antwortet auf meine Nachrichten.",
    "- " * 100 + " Die Lieferung ist seit drei Wochen überfällig und niemand antwortet auf meine Nachrichten.",
], ids=["header", "dots", "ruler"])  # fmt: skip
def test_a_foreign_complaint_is_known_behind_headers_and_rulers(pipeline, text):
    assert pipeline(text).status == "unsupported_language"


def test_one_text_is_no_batch(pipeline):
    with pytest.raises(TypeError, match="a batch is a list of texts"):
        pipeline.batch("late again")


def test_a_batch_may_be_any_iterable(pipeline):
    assert [result.status for result in pipeline.batch(text for text in ("late again", None))] == ["ok", "empty"]


def test_long_words_are_not_kept():
    fresh = amends.load()
    fresh.batch([f"{i}" + "z" * 50_000 + " never came" for i in range(20)])
    assert max(map(len, fresh._model.encoder._numbers)) <= 64


def test_a_result_keeps_to_its_schema(pipeline):
    validator = jsonschema.Draft202012Validator(amends.result_schema())
    jsonschema.Draft202012Validator.check_schema(amends.result_schema())
    for result in pipeline.batch([*TEXTS, *HOSTILE]):
        validator.validate(json.loads(json.dumps(result.to_dict())))


def test_evidence_is_words_of_the_callers_text(pipeline):
    text = "“Ugh” — my parcel didn’t come, again!\u200b <b>Nobody</b> answers the phone 😡"
    result = pipeline(text)
    assert result.evidence["failure_type"]
    for spans in result.evidence.values():
        for span in spans:
            piece = text[span.start : span.end]
            assert piece == piece.strip()
            assert span.weight > 0
            # A span neither begins nor ends inside a word.
            assert not (span.start and text[span.start - 1].isalnum() and piece[0].isalnum())
            assert not (text[span.end : span.end + 1].isalnum() and piece[-1].isalnum())


def test_evidence_weights_add_up_to_the_log_odds(pipeline):
    """Exact contributions: over all words they sum to the head's contrast of logits, less its bias."""
    from amends.evidence import Question, token_weights

    model = pipeline._model
    scored = pipeline.score(TEXTS)
    for head in model.tagger.heads:
        labels = scored.chosen[head.name]
        weights = token_weights(scored.encoded, model.tagger.weights, [Question(head.name, head, labels)] if head.first == 0 else
                                [Question("first", model.tagger.heads[0], np.full(len(TEXTS), -1)), Question(head.name, head, labels)])  # fmt: skip
        starts = scored.encoded.tokens.starts
        logits = model.tagger.logits(scored.encoded.features) - model.tagger.bias
        for row, label in enumerate(labels):
            expected = logits[row, head.columns] @ head.contrast(int(label))
            assert weights[starts[row] : starts[row + 1], -1].sum() == pytest.approx(expected, abs=1e-4)


def test_evidence_can_be_left_out(pipeline):
    assert pipeline(TEXTS[0], evidence=False).evidence is None


def test_review_must_see(pipeline):
    assert any("regulator" in reason for reason in pipeline("I will report you to the ombudsman").review.reasons)
    assert any("danger" in reason for reason in pipeline("There is a gas leak in the kitchen and nobody came").review.reasons)
    assert any("discrimination" in reason for reason in pipeline("They refused us because of our religion").review.reasons)
    assert any("lawyer" in reason for reason in pipeline("My solicitor will write to you").review.reasons)
    failed = (
        "They foreclosed on my house and ruined my credit although I called ten times, wrote letters and nobody ever fixed it."
    )
    assert any("severe loss" in reason for reason in pipeline(failed).review.reasons)
    assert all(
        reason.startswith(("must_see:", "unsure:")) for result in pipeline.batch(TEXTS) for reason in result.review.reasons
    )


def test_a_row_does_not_hang_on_its_batch(pipeline):
    together = pipeline.batch(TEXTS * 3)
    assert [pipeline(text) for text in TEXTS] == together[: len(TEXTS)] == together[-len(TEXTS) :]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.one_of(st.text(max_size=200), st.none(), st.integers(), st.floats(), st.sampled_from(TEXTS)), max_size=6))
def test_any_cells_come_back_in_order(pipeline, cells):
    table = pipeline.score_table(cells)
    assert table.schema == schema()
    assert table.num_rows == len(cells)
    assert [row["amends_status"] for row in table.to_pylist()] == [pipeline(cell).status for cell in cells]


def test_threads_share_a_pipeline(pipeline):
    fresh = amends.load()
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(fresh, TEXTS * 20))
    assert results == pipeline.batch(TEXTS * 20)


def test_a_frame_keeps_its_columns_and_index(pipeline):
    frame = pd.DataFrame({"id": [1, 2, 3], "narrative": [TEXTS[0], None, TEXTS[2]]}, index=[5, 5, "x"])
    scored = pipeline.score_frame(frame, text="narrative")
    assert list(scored.columns) == ["id", "narrative", *schema().names]
    assert list(scored.index) == [5, 5, "x"]
    assert scored["amends_status"].tolist() == ["ok", "empty", "ok"]
    assert list(frame.columns) == ["id", "narrative"]
    assert "amends_evidence" not in pipeline.score_frame(frame, text="narrative", evidence=False)


def test_a_frame_that_cannot_be_scored(pipeline):
    with pytest.raises(amends.InputError, match="no column 'text'; it has narrative"):
        pipeline.score_frame(pd.DataFrame({"narrative": []}), text="text")
    doubled = pd.DataFrame([["a", "b"]], columns=["text", "text"])
    with pytest.raises(amends.InputError, match="more than one column 'text'"):
        pipeline.score_frame(doubled, text="text")
    with pytest.raises(amends.InputError, match="already has amends_status"):
        pipeline.score_frame(pd.DataFrame({"t": ["x"], "amends_status": ["ok"]}), text="t")


def test_columns_and_assessments_say_the_same(pipeline):
    for row, result in zip(pipeline.score_table(TEXTS).to_pylist(), pipeline.batch(TEXTS), strict=True):
        assert row["amends_failure_type"] == result.failure_type.label
        assert row["amends_failure_group"] == result.failure_type.group
        assert row["amends_severity_confidence"] == result.severity.confidence
        assert row["amends_justice"] == ";".join(result.justice.concerns)
        assert row["amends_justice_procedural_confidence"] == result.justice.procedural
        assert row["amends_prior_recovery"] == int(result.prior_recovery.value)
        assert row["amends_churn_confidence"] == result.churn.confidence
        assert row["amends_strategy_second"] == result.strategy.second
        assert row["amends_actions"] == ";".join(result.actions)
        assert row["amends_paradox_reasons"] == ";".join(result.paradox.reasons)
        assert row["amends_review_reasons"] == ";".join(result.review.reasons)
        assert json.loads(row["amends_evidence"]) == result.to_dict()["evidence"]
        assert row["amends_model"] == result.model


def test_the_contracts_columns_in_the_contracts_order():
    names = [name.removeprefix("amends_") for name in schema().names]
    assert names == [
        "status", "language", "complaint", "failure_type", "failure_type_confidence", "failure_group", "severity", "severity_confidence",
        "stability", "stability_confidence", "controllability", "controllability_confidence", "justice",
        *(f"justice_{concern}_confidence" for concern in codebook().concerns),
        "prior_recovery", "prior_recovery_confidence", "churn", "churn_confidence", "strategy", "strategy_confidence", "strategy_second",
        "actions", "paradox", "paradox_reasons", "review", "review_reasons", "evidence", "model",
    ]  # fmt: skip


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_import_is_light():
    """Importing the package imports none of its dependencies; scoring imports neither torch nor scikit-learn."""
    heavy = "{'numpy', 'scipy', 'pandas', 'spacy', 'pyarrow', 'sklearn', 'torch', 'transformers'} & set(sys.modules)"
    assert run(f"import sys, amends; print({heavy})") == "set()\n"
    scored = run(
        f"import sys, amends; amends.load()('late again'); print(sorted({heavy} & {{'sklearn', 'torch', 'transformers', 'pandas'}}))"
    )
    assert scored == "[]\n"


def test_scoring_opens_no_connection():
    code = """
import socket
def refuse(*args, **kwargs): raise AssertionError("a connection was opened")
socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
import amends
print(amends.load()("My order never came and nobody answers").status)
"""
    assert run(code) == "ok\n"


def test_no_complaint_text_in_logs(pipeline, caplog):
    caplog.set_level(0)
    pipeline.batch(["Zyxwvut parcel never came\nand nobody answers", "Zyxwvut " * 100])
    assert "zyxwvut" not in caplog.text.lower()
