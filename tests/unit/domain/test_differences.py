"""Differences word by word: what is not marked is the same in both, in every script."""

import difflib
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codette_desktop.domain.differences import Differences, compare_steps, differences, finish
from codette_desktop.domain.words import WordList

WORDS = st.lists(
    st.sampled_from(["the", "model", "is", "4.5", "猫", "がいる", "ไทย", "é", "e\u0301", "👩‍💻", "(", ")", "don't"])
)


def unmarked(text: str, ranges: tuple[tuple[int, int], ...]) -> list[str]:
    """The words outside the ranges."""
    kept = "".join(" " if any(low <= at < high for low, high in ranges) else sign for at, sign in enumerate(text))
    words = WordList()
    finish_reading(words, kept)
    return words.words


def finish_reading(words: WordList, text: str) -> None:
    for _ in words.read(text):
        pass


@given(WORDS, WORDS)
def test_what_is_not_marked_is_the_same_in_both(first: list[str], second: list[str]) -> None:
    one, other = " ".join(first), " ".join(second)
    found = differences(one, other)
    assert unmarked(one, found.first) == unmarked(other, found.second)
    for text, ranges in ((one, found.first), (other, found.second)):
        flat = [edge for pair in ranges for edge in pair]
        assert flat == sorted(flat)
        assert all(0 <= low < high <= len(text) for low, high in ranges)


@given(st.text(max_size=200))
def test_a_text_differs_from_itself_in_nothing(text: str) -> None:
    found = differences(text, text)
    assert (found.first, found.second) == ((), ())
    assert found.equal == found.words[0] == found.words[1]


@pytest.mark.parametrize(
    ("first", "second", "marked"),
    [
        ("It is 37.", "It is 38.", (["37"], ["38"])),
        ("the quick fox", "the fox", (["quick"], [])),
        ("我喜欢红色", "我喜欢蓝色", (["红"], ["蓝"])),
        ("don't do it", "do do it", (["don't"], ["do"])),
        ("", "all new", ([], ["all new"])),
    ],
)
def test_only_what_differs_is_marked(first: str, second: str, marked: tuple[list[str], list[str]]) -> None:
    found = differences(first, second)
    assert [first[low:high] for low, high in found.first] == marked[0]
    assert [second[low:high] for low, high in found.second] == marked[1]


def test_long_texts_keep_nearly_as_much_as_a_slow_comparison() -> None:
    chance = random.Random(5)
    first = [f"w{chance.randrange(400)}" for _ in range(3_000)]
    second = list(first)
    for _ in range(150):
        second[chance.randrange(len(second))] = f"x{chance.randrange(400)}"
    found = differences(" ".join(first), " ".join(second))
    slow = sum(
        block.size for block in difflib.SequenceMatcher(None, first, second, autojunk=False).get_matching_blocks()
    )
    assert found.equal >= 0.98 * slow


def test_a_growing_text_is_compared_as_if_it_were_new() -> None:
    first, second = WordList(), WordList()
    text, other = "one two three four five " * 30, "one two four five six " * 30
    found = Differences()
    for length in range(0, len(text) + 1, 7):
        found = finish(compare_steps(first, second, text[:length], other[:length]))
        assert found == differences(text[:length], other[:length])
    assert found.words[0] > 100


def test_the_steps_are_small_enough_to_be_taken_between_frames() -> None:
    chance = random.Random(6)
    words = [f"w{chance.randrange(5_000)}" for _ in range(20_000)]
    other = [word if chance.random() < 0.8 else f"y{chance.randrange(5_000)}" for word in words]
    steps = sum(1 for _ in compare_steps(WordList(), WordList(), " ".join(words), " ".join(other)))
    assert steps > 40
