"""Finding the column that holds the complaints, by name and content."""

from __future__ import annotations

from pathlib import Path

import pytest

from amends.batch.names import require
from amends.batch.textcolumn import find_text_column
from amends.errors import InputError

LONG = [
    "The parcel was left in the rain and everything in it is ruined, and nobody picks up the phone.",
    "I was charged twice for one ticket. I want the second charge back, and an apology.",
    "The nurse was rude to my mother and left her waiting for four hours without a word.",
]
SHORT = ["Late again", "Rude", "No refund"]
IDS = ["1017", "1018", "1019"]
REPLIES = [
    "Dear customer, we are very sorry to hear about your experience and will be in touch with you very shortly about it.",
    "Thank you for your message. Our team has looked into it and has found no fault in how your case was handled.",
    "We apologise. A colleague of the customer care team will call you within the next five working days.",
]


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"id": IDS, "narrative": LONG}, "narrative"),
        (
            {"Complaint ID": IDS, "Issue": SHORT, "Company response to consumer": REPLIES, "Consumer complaint narrative": LONG},
            "Consumer complaint narrative",
        ),
        ({"Complaint ID": IDS, "Consumer complaint narrative": ["", "", LONG[0]]}, "Consumer complaint narrative"),
        ({"a": IDS, "b": LONG, "c": SHORT}, "b"),
        ({"tweet_id": IDS, "text": SHORT, "airline": ["A", "B", "A"], "name": ["x y", "z", "w"]}, "text"),
        ({"customerMessage": LONG, "agentReply": REPLIES}, "customerMessage"),
        ({"review_title": SHORT, "review_body": LONG, "review_date": ["2024-01-01"] * 3}, "review_body"),
        ({"title": SHORT, "description": LONG, "comments": [""] * 3}, "description"),
        ({"Beschwerde": LONG, "Datum": ["1.1.24"] * 3}, "Beschwerde"),
        ({"x": SHORT}, "x"),
        ({"id": [], "narrative": []}, "narrative"),
        ({"n": [1, 2], "note": [None, LONG[0]]}, "note"),
    ],
)
def test_found(columns: dict[str, list[object]], expected: str):
    assert find_text_column(columns).name == expected


def test_equal_columns_are_taken_in_order(score, tmp_path: Path, files):
    """The same for every format: the first."""
    rows = [["text", "text "], ["They broke my window.", "They broke my window."]]
    assert "text column: 'text';" in score(files.write_csv(tmp_path / "a.csv", rows)).err
    assert "text column: 'text';" in score(files.write_jsonl(tmp_path / "a.jsonl", [dict(zip(*rows, strict=True))])).err


def test_runner_up_is_told():
    found = find_text_column({"complaint": LONG, "comment": list(reversed(LONG))})
    assert found.runner_up in {"complaint", "comment"} - {found.name}
    assert find_text_column({"id": IDS, "complaint": LONG}).runner_up == ""


@pytest.mark.parametrize("columns", [{"id": IDS, "amount": ["1.50", "2", "3"]}, {"a": [1, 2, 3]}, {"id": [], "date": []}])
def test_none(columns: dict[str, list[object]]):
    with pytest.raises(InputError, match=next(iter(columns))):
        find_text_column(columns)


def test_required():
    assert require("b", ["a", "b"], option="--text-column") == "b"
    with pytest.raises(InputError) as caught:
        require("narative", ["id", "Narrative"], option="--text-column")
    assert str(caught.value) == "--text-column: no column 'narative' (did you mean 'Narrative'?); there are id, Narrative"
    with pytest.raises(InputError) as caught:
        require("foo", ["id", "Narrative"], option="--text-column")
    assert str(caught.value) == "--text-column: no column 'foo'; there are id, Narrative"


def test_command_line(amends, score, tmp_path: Path, files):
    source = files.write_csv(tmp_path / "two.csv", [["id", "complaint", "comment"], *zip(IDS, LONG, reversed(LONG), strict=True)])
    result = score(source)
    assert "came close" in result.err
    assert "--text-column" not in score(source, "--text-column", "comment", "--overwrite").err
    result = amends("score", source, "--text-column", "komment", "--overwrite")
    assert result.code == 3
    assert "did you mean 'comment'" in result.err
    assert amends("score", source, "--id-column", "nope", "--overwrite").code == 3
