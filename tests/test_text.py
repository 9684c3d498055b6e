"""Words keep the caller's offsets and fold alike what means the same."""

from hypothesis import given
from hypothesis import strategies as st

from amends.text import LONGEST_WORD, WORD, fold


def test_curly_and_straight_apostrophes_fold_alike():
    assert fold("don’t") == fold("don't") == fold("DON‘T")


def test_addresses_handles_numbers_and_redactions_are_one_word_each():
    text = "See https://example.com/a?b=1 @AcmeHelp order 12345 for XXXX"
    assert [fold(word) for word in WORD.findall(text)] == ["see", "url", "@user", "order", "00000", "for", "xxxx"]


def test_markup_says_nothing():
    assert [fold(word) for word in WORD.findall("bad<br />service &amp; food")] == ["bad", "", "service", "", "food"]


def test_words_in_angle_brackets_that_are_no_markup_are_read():
    text = "<please refund me> <problem with order>"
    assert [word for word in map(fold, WORD.findall(text)) if word.isalpha()] == [
        "please",
        "refund",
        "me",
        "problem",
        "with",
        "order",
    ]


def test_compatibility_forms_and_invisible_marks_fold_away():
    assert fold("ｒｅｆｕｎｄ") == "refund"
    assert [fold(word) for word in WORD.findall("re\u200bfund re\u00adfund")] == ["refund", "refund"]


@given(st.text())
def test_words_are_stretches_of_the_text_in_order(text: str):
    end = 0
    for match in WORD.finditer(text):
        assert match.start() >= end
        end = match.end()
        assert len(fold(match.group())) <= 2 * LONGEST_WORD + len("@user")


def test_a_megabyte_of_one_word_is_cut_when_folded():
    assert len(fold("z" * 1_000_000)) == LONGEST_WORD
