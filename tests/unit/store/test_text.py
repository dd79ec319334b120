"""Cleaning, folding, queries and snippets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codette_desktop.store.text import MARK_END, MARK_START, Query, clean, fold

ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()))


def test_clean_joins_surrogate_pairs_and_replaces_lone_ones_and_nul() -> None:
    assert clean("a\ud83d\ude80b") == "a🚀b"
    assert clean("x\ud800y\udfffz\0") == "x\ufffdy\ufffdz\ufffd"
    assert clean("ordinary ü 漢") == "ordinary ü 漢"


@given(ANY_TEXT)
def test_clean_text_can_always_be_encoded_and_stays_as_it_is(text: str) -> None:
    once = clean(text)
    once.encode()
    assert "\0" not in once
    assert clean(once) == once


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Crème BRÛLÉE", "creme brulee"),
        ("Cre\u0300me", "creme"),
        ("Straße", "strasse"),
        ("snake_case", "snake case"),
        ("ΑΘΉΝΑ", "αθηνα"),
        ("Ёлка й", "елка и"),
        ("שָׁלוֹם", "שלום"),
        ("ﬁn", "fin"),
        ("soft\u00adhyphen", "softhyphen"),
    ],
)
def test_fold(text: str, folded: str) -> None:
    assert fold(text) == folded


@pytest.mark.parametrize("text", ["東京都", "ガイド", "한국어", "ภาษาไทย", "🚀🎉"])
def test_scripts_without_spaces_become_one_token_per_character(text: str) -> None:
    tokens = fold(text).split()
    assert tokens == list(text)


def test_kana_voicing_makes_another_letter_and_is_kept() -> None:
    assert fold("が") != fold("か")


def test_a_query_quotes_every_word_and_leaves_the_last_one_open() -> None:
    assert Query("Hello wor").expression == '"hello" "wor"*'
    assert Query("e-mail").expression == '"e mail"*'
    assert Query("東京").expression == '"東 京"'


@pytest.mark.parametrize("text", ["", "   ", '"*()', "=>", "\0"])
def test_text_without_words_has_no_expression(text: str) -> None:
    assert Query(text).expression is None


def test_a_snippet_marks_words_as_they_are_written() -> None:
    found = Query("creme bru").snippet("A long story about a Crème brûlée that nobody ate.")
    assert found == f"A long story about a {MARK_START}Crème{MARK_END} {MARK_START}brûlée{MARK_END} that nobody ate."


def test_a_snippet_of_a_long_text_is_cut_around_the_word() -> None:
    found = Query("needle").snippet("hay " * 3000 + "needle " + "hay " * 3000)
    assert f"{MARK_START}needle{MARK_END}" in found
    assert found.startswith("…")
    assert found.endswith("…")
    assert len(found) < 200


def test_marks_already_in_the_text_do_not_confuse_the_snippet() -> None:
    found = Query("two").snippet(f"one {MARK_START} two {MARK_END}{MARK_END} three")
    assert found == f"one {MARK_START}two{MARK_END} three"


@given(ANY_TEXT, ANY_TEXT)
def test_a_snippet_is_the_text_with_balanced_marks(typed: str, text: str) -> None:
    found = Query(typed).snippet(clean(text))
    assert found.count(MARK_START) == found.count(MARK_END)
    assert len(found.replace(MARK_START, "").replace(MARK_END, "")) <= 162


@given(st.lists(st.sampled_from(["Käse", "東京", "e-mail", "word", "🚀", "ΑΘΉΝΑ"]), min_size=1, max_size=4))
def test_words_of_a_text_are_marked_in_it(words: list[str]) -> None:
    assert MARK_START in Query(" ".join(words)).snippet(" ".join(words))
